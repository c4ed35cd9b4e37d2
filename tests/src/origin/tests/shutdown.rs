//! Everything ends with the origin, whatever it was doing.

use super::*;

#[test]
fn dropping_ends_all_within_100_ms() {
    // A machine that is busy elsewhere may take the processor away once, not each time.
    let took: Vec<_> = (0..3).map(|_| drop_a_busy_origin()).collect();
    assert!(took.iter().any(|took| *took < Duration::from_millis(100)), "{took:?}");
}

/// Drops an origin in the midst of everything that takes long, and says how long that took.
fn drop_a_busy_origin() -> Duration {
    let origin = Origin::builder().latency(Duration::from_millis(1)).start();
    origin.put("/a", content(SEED, 16 << 20));
    let long = Duration::from_secs(60);
    origin.on("/stall").serve(content(SEED, LEN)).stall_at(5);
    origin.on("/silent").stall_before_head();
    origin.on("/late").latency(long);
    origin.on("/pause").serve(content(SEED, LEN)).pause_at(5, long);
    origin.on("/trickle").serve(content(SEED, LEN)).trickle(1, long);
    origin.on("/rate").serve(content(SEED, LEN)).rate(1);
    let paths = ["/a", "/stall", "/silent", "/late", "/pause", "/trickle", "/rate", "/a"];
    let mut sockets: Vec<_> = paths.iter().map(|_| connect(&origin)).collect();
    for (socket, path) in sockets.iter_mut().zip(paths) {
        ask(socket, "GET", path, "");
    }
    let idle = connect(&origin);
    let mut half = connect(&origin);
    half.write_all(b"GET /a").unwrap();
    // The two of "/a" fill the socket's buffers and block in a write.
    origin
        .wait_for(SOON, |stats| {
            stats.connections == 10 && stats.exchanges.len() == 8 && stats.bytes_sent("/a") > 0
        })
        .unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let address = origin.address();
    let (_, took) = timed(|| drop(origin));
    assert!(TcpStream::connect(address).is_err());
    for mut socket in sockets.into_iter().chain([idle, half]) {
        assert_ne!(read_to_end(&mut socket).1, End::Silence);
    }
    took
}

#[test]
fn connections_can_be_closed_as_by_a_restart() {
    let origin = origin();
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    read_message(&mut socket).assert_is(0..LEN);
    origin.close_connections();
    assert_eq!(read_to_end(&mut socket).1, End::Fin);
    origin.wait_until_closed(SOON).unwrap();
    get(&origin, "/a", "").assert_is(0..LEN);
}

#[test]
fn many_connections_at_once() {
    let origin = origin();
    let sockets: Vec<_> = (0..200)
        .map(|_| {
            let mut socket = connect(&origin);
            ask(&mut socket, "GET", "/a", "Connection: close\r\n");
            socket
        })
        .collect();
    for mut socket in sockets {
        let (bytes, end) = read_to_end(&mut socket);
        parse(&bytes, end).assert_is(0..LEN);
    }
    origin.wait_until_closed(SOON).unwrap();
    assert_eq!(origin.bytes_sent("/a"), 200 * LEN);
    assert_eq!(origin.connections(), 200);
}

#[test]
fn an_outage_refuses_connections_until_the_origin_is_back() {
    let origin = origin();
    assert_eq!(get(&origin, "/a", "").status, 200);
    let address = origin.address();
    drop(origin);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let back = Origin::builder().address(address).start();
    back.put("/a", content(SEED, LEN));
    assert_eq!(back.address(), address);
    get(&back, "/a", "").assert_is(0..LEN);
}

#[test]
fn an_origin_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Origin>();
    shared::<crate::origin::Fault>();
}
