//! Where bytes are asked for: beyond what is there, at the tail, at the end.

use std::time::Duration;

use expect_test::expect;
use infill_core::Config;
use infill_tests::sim::Scene;

use super::{KIB, begun, golden};

#[test]
fn seek_beyond_what_is_there() {
    let mut scene = begun(128 * KIB);
    scene.latch();
    scene.seek(700_000);
    scene.read(1, 700_000, 64 * KIB);
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 700_000, 1024 * KIB, "\"a\"");
    scene.bytes(second, 64 * KIB);
    scene.close();
    golden(
        &scene,
        &expect![[r#"
            @ 0ns
            > Open t1 http://radio.test/a.mp3
            < OpenResource t1 rs1
            < FetchRange t1 f2 http://radio.test/a.mp3 bytes=0- credit 524288
            < State t1 Connecting 0 B/s
            > Attach t1 rd1 @0
            @ 30ms
            > ResponseStarted f2 206 0..1048576/1048576 Length(1048576) ETag "a" audio/mpeg
            @ 46ms
            > BytesReceived f2 65536
            < Publish rs1 total 1048576 audio/mpeg
            < Write rs1 op3 0..65536
            < Opened t1
            < State t1 Downloading 0 B/s
            > Written rs1 op3
            < Publish rs1 present 0..65536
            @ 62ms
            > BytesReceived f2 65536
            < Write rs1 op4 65536..131072
            > Written rs1 op4
            < Publish rs1 present 65536..131072
            < Grant f2 131072
            > Seek rd1 @700000
            < FetchRange t1 f5 http://radio.test/a.mp3 bytes=700000- If-Range "a" credit 524288
            > ReadRequest rd1 q1 700000..765536 of rs1
            @ 92ms
            > ResponseStarted f5 206 700000..1048576/1048576 Length(348576) ETag "a" audio/mpeg
            > BytesReceived f5 65536
            < Write rs1 op6 700000..765536
            > Written rs1 op6
            < Publish rs1 present 700000..765536
            < WakeReader rd1 q1 Readable
            > Close t1
            < CancelFetch f5 Closed
            < CancelFetch f2 Closed
            < Release rs1
            < Closed t1
            > FetchFailed f5 Stopped
            > FetchFailed f2 Stopped
        "#]],
    );
}

#[test]
fn tail_probe_beside_the_main_transfer() {
    let mut scene = begun(64 * KIB);
    let main = scene.last_fetch();
    scene.latch();
    let tail = 1024 * KIB - 8 * KIB;
    scene.seek(tail);
    scene.read(1, tail, 8 * KIB);
    let probe = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(probe, tail, 1024 * KIB, "\"a\"");
    scene.bytes(main, 64 * KIB);
    scene.bytes(probe, 8 * KIB);
    scene.ends(probe);
    scene.seek(128 * KIB);
    scene.bytes(main, 64 * KIB);
    scene.close();
    golden(
        &scene,
        &expect![[r#"
            @ 0ns
            > Open t1 http://radio.test/a.mp3
            < OpenResource t1 rs1
            < FetchRange t1 f2 http://radio.test/a.mp3 bytes=0- credit 524288
            < State t1 Connecting 0 B/s
            > Attach t1 rd1 @0
            @ 30ms
            > ResponseStarted f2 206 0..1048576/1048576 Length(1048576) ETag "a" audio/mpeg
            @ 46ms
            > BytesReceived f2 65536
            < Publish rs1 total 1048576 audio/mpeg
            < Write rs1 op3 0..65536
            < Opened t1
            < State t1 Downloading 0 B/s
            > Written rs1 op3
            < Publish rs1 present 0..65536
            > Seek rd1 @1040384
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=1040384- If-Range "a" credit 524288
            > ReadRequest rd1 q1 1040384..1048576 of rs1
            @ 76ms
            > ResponseStarted f4 206 1040384..1048576/1048576 Length(8192) ETag "a" audio/mpeg
            > BytesReceived f2 65536
            < Write rs1 op5 65536..131072
            > Written rs1 op5
            < Publish rs1 present 65536..131072
            < Grant f2 131072
            > BytesReceived f4 8192
            < Write rs1 op6 1040384..1048576
            > Written rs1 op6
            < Publish rs1 present 1040384..1048576
            < WakeReader rd1 q1 Readable
            > StreamEnded f4
            > Seek rd1 @131072
            > BytesReceived f2 65536
            < Write rs1 op7 131072..196608
            > Written rs1 op7
            < Publish rs1 present 131072..196608
            > Close t1
            < CancelFetch f2 Closed
            < Release rs1
            < Closed t1
            > FetchFailed f2 Stopped
        "#]],
    );
}

#[test]
fn a14_416_at_the_end() {
    let mut scene = Scene::open(Config::default(), 128 * KIB);
    let first = scene.last_fetch();
    let fields = [
        ("Content-Range", format!("bytes 0-{}/*", 128 * KIB - 1)),
        ("Content-Length", (128 * KIB).to_string()),
        ("ETag", "\"a\"".to_owned()),
    ];
    scene.head(first, 206, &fields);
    scene.starts_at(first, 0);
    scene.bytes(first, 128 * KIB);
    scene.read(1, 128 * KIB, 64 * KIB);
    scene.ends(first);
    if scene.fetches() < 2 {
        scene.tick_until_fetch();
    }
    let second = scene.last_fetch();
    let fields =
        [("Content-Range", format!("bytes */{}", 128 * KIB)), ("Content-Length", "0".to_owned())];
    scene.head(second, 416, &fields);
    scene.close();
    golden(
        &scene,
        &expect![[r#"
            @ 0ns
            > Open t1 http://radio.test/a.mp3
            < OpenResource t1 rs1
            < FetchRange t1 f2 http://radio.test/a.mp3 bytes=0- credit 524288
            < State t1 Connecting 0 B/s
            > Attach t1 rd1 @0
            > ResponseStarted f2 206 0..131072/* Length(131072) ETag "a"
            > BytesReceived f2 65536
            < Write rs1 op3 0..65536
            < Opened t1
            < State t1 Downloading 0 B/s
            > Written rs1 op3
            < Publish rs1 present 0..65536
            > BytesReceived f2 65536
            < Write rs1 op4 65536..131072
            > Written rs1 op4
            < Publish rs1 present 65536..131072
            < Grant f2 131072
            > ReadRequest rd1 q1 131072..196608
            < CancelFetch f2 NotNeeded
            < FetchRange t1 f5 http://radio.test/a.mp3 bytes=131072- If-Range "a" credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f2 Stopped
            > StreamEnded f2
            > ResponseStarted f5 416 */131072 Length(0)
            < CancelFetch f5 NotNeeded
            < Publish rs1 total 131072
            < WakeReader rd1 q1 End
            < Commit rs1 131072
            < State t1 Complete 0 B/s
            > FetchFailed f5 Stopped
            > Close t1
            < Release rs1
            < Closed t1
        "#]],
    );
}
