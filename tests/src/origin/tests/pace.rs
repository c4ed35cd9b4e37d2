//! B9-B11 and latency on the wire. Upper bounds are loose: a busy machine is late, never early.

use super::*;
use crate::origin::Outcome;

#[test]
fn latency_delays_the_head() {
    let origin = Origin::builder().latency(Duration::from_millis(60)).start();
    origin.put("/a", content(SEED, LEN));
    let (answer, took) = timed(|| get(&origin, "/a", ""));
    answer.assert_is(0..LEN);
    assert!(took >= Duration::from_millis(60) && took < Duration::from_millis(300), "{took:?}");
    origin.on("/a").nth(1).latency(Duration::from_millis(20));
    let (_, took) = timed(|| get(&origin, "/a", ""));
    assert!(took >= Duration::from_millis(80), "{took:?}");
    origin.adjust(&Origin::builder());
    assert!(timed(|| get(&origin, "/a", "")).1 < Duration::from_millis(60));
}

#[test]
fn b9_rates_are_kept_smoothly() {
    let origin = origin();
    origin.on("/a").nth(0).rate(100_000);
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "Connection: close\r\n");
    let start = Instant::now();
    let mut buffer = [0; 4096];
    let (mut bytes, mut reads, mut widest) = (0, 0, Duration::ZERO);
    let mut last = start;
    loop {
        let n = socket.read(&mut buffer).unwrap();
        if n == 0 {
            break;
        }
        bytes += n;
        reads += 1;
        widest = widest.max(last.elapsed());
        last = Instant::now();
    }
    let took = start.elapsed();
    assert!(bytes > 10_000 && reads > 8, "{bytes} bytes in {reads} reads");
    assert!(took > Duration::from_millis(80) && took < Duration::from_millis(400), "{took:?}");
    assert!(widest < Duration::from_millis(80), "{widest:?}");
}

#[test]
fn a_total_rate_is_shared() {
    let origin = Origin::builder().total_rate(200_000).start();
    origin.put("/a", content(SEED, LEN));
    let (_, took) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| get(&origin, "/a", "").assert_is(0..LEN));
            }
        });
    });
    assert!(took > Duration::from_millis(85), "{took:?}");
    let (_, alone) = timed(|| get_range(&origin, "0-999").assert_is(0..1000));
    assert!(alone < took, "{alone:?}");
}

#[test]
fn b9_b10_pauses_and_trickles() {
    let origin = origin();
    let rest = Duration::from_millis(20);
    origin.on("/a").nth(0).pause_at(500, rest).pause_at(100, rest);
    origin.on("/a").nth(1).trickle_from(9990, 2, rest / 2);
    origin.on("/a").nth(2).trickle_head(100, rest / 2);
    let (paused, took) = timed(|| get(&origin, "/a", ""));
    paused.assert_is(0..LEN);
    assert!(took >= 2 * rest, "{took:?}");
    let (trickled, took) = timed(|| get(&origin, "/a", ""));
    trickled.assert_is(0..LEN);
    assert!(took >= 5 * rest / 2, "{took:?}");
    let (head, took) = timed(|| get(&origin, "/a", ""));
    head.assert_is(0..LEN);
    assert!(took >= rest, "{took:?}");
}

#[test]
fn b10_a_trickle_is_seen_byte_by_byte() {
    let origin = origin();
    origin.on("/a").trickle(1, Duration::from_millis(5));
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    let start = Instant::now();
    origin.wait_for(SOON, |stats| stats.bytes_sent("/a") >= 8).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(35));
    drop(socket);
    origin.wait_until_closed(SOON).unwrap();
    assert_eq!(origin.requests("/a")[0].outcome, Outcome::Broken);
}

#[test]
fn a_client_that_leaves_ends_a_long_pause() {
    let origin = origin();
    origin.on("/a").pause_at(10, Duration::from_secs(60));
    assert_eq!(request(&origin, "GET", "/a", "", SILENCE).end, End::Silence);
    origin.wait_until_closed(Duration::from_millis(500)).unwrap();
}

#[test]
fn b11_a_slow_reader_is_cut_off() {
    let origin = Origin::builder().send_buffer(64 * 1024).start();
    let size = 32 << 20;
    origin.put("/a", content(SEED, size));
    origin.on("/a").send_timeout(Duration::from_millis(50));
    let mut socket = connect(&origin);
    ask(&mut socket, "GET", "/a", "");
    origin.wait_for(SOON, |stats| stats.exchanges.len() == 1 && stats.running("/a") == 0).unwrap();
    let sent = origin.bytes_sent("/a");
    assert!(sent > 0 && sent < size, "{sent}");
    origin.wait_until_closed(SOON).unwrap();
    let (bytes, end) = read_to_end(&mut socket);
    assert_eq!(end, End::Reset);
    assert!((bytes.len() as u64) < size);
    assert_eq!(origin.requests("/a")[0].outcome, Outcome::Broken);
}
