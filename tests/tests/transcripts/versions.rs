//! Answers that are not what was asked for: everything, or another version.

use expect_test::expect;

use super::{KIB, golden, resumed};

#[test]
fn everything_for_a_range() {
    let mut scene = resumed(64 * KIB, true);
    let second = scene.last_fetch();
    scene.whole(second, "\"a\"");
    scene.bytes(second, 256 * KIB);
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
            > FetchFailed f2 Reset
            < Notify t1 Retrying { cause: Error { cause: Reset("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(1), .. }, wait: 0ns }
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            > ReadRequest rd1 q1 65536..131072 of rs1
            @ 76ms
            > ResponseStarted f4 200 Length(1048576) ETag "a" audio/mpeg
            > BytesReceived f4 65536
            < Notify t1 RangesIgnored
            < State t1 Downloading 0 B/s
            > BytesReceived f4 65536
            < Write rs1 op5 65536..131072
            > Written rs1 op5
            < Publish rs1 present 65536..131072
            < Publish rs1 recovered
            < WakeReader rd1 q1 Readable
            < Grant f4 131072
            > BytesReceived f4 65536
            < Write rs1 op6 131072..196608
            > Written rs1 op6
            < Publish rs1 present 131072..196608
            > BytesReceived f4 65536
            < Write rs1 op7 196608..262144
            > Written rs1 op7
            < Publish rs1 present 196608..262144
            < Grant f4 131072
            > Close t1
            < CancelFetch f4 Closed
            < Release rs1
            < Closed t1
            > FetchFailed f4 Stopped
        "#]],
    );
}

#[test]
fn etag_changes_before_the_first_read() {
    let mut scene = resumed(64 * KIB, false);
    let second = scene.last_fetch();
    scene.replace(900 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 128 * KIB);
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
            > FetchFailed f2 Reset
            < Notify t1 Retrying { cause: Error { cause: Reset("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(1), .. }, wait: 0ns }
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            > ReadRequest rd1 q1 65536..131072
            @ 76ms
            > ResponseStarted f4 200 Length(921600) ETag "b" audio/mpeg
            > BytesReceived f4 65536
            < Publish rs1 failed: the resource changed at the origin; open it again to read the new version; attempt 2, http://radio.test/a.mp3
            < OpenResource t1 rs5
            < Release rs1
            < Notify t1 Changed
            < Publish rs5 total 921600 audio/mpeg
            < Write rs5 op6 0..65536
            < State t1 Downloading 0 B/s
            > Written rs5 op6
            < Publish rs5 present 0..65536
            < Publish rs5 recovered
            > BytesReceived f4 65536
            < Write rs5 op7 65536..131072
            > Written rs5 op7
            < Publish rs5 present 65536..131072
            < WakeReader rd1 q1 Readable
            < Grant f4 131072
            > Close t1
            < CancelFetch f4 Closed
            < Release rs5
            < Closed t1
            > FetchFailed f4 Stopped
        "#]],
    );
}

#[test]
fn etag_changes_after_the_first_read() {
    let mut scene = resumed(64 * KIB, true);
    let second = scene.last_fetch();
    scene.replace(900 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 64 * KIB);
    scene.reopen();
    scene.read(2, 64 * KIB, 64 * KIB);
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
            > FetchFailed f2 Reset
            < Notify t1 Retrying { cause: Error { cause: Reset("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(1), .. }, wait: 0ns }
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            > ReadRequest rd1 q1 65536..131072 of rs1
            @ 76ms
            > ResponseStarted f4 200 Length(921600) ETag "b" audio/mpeg
            > BytesReceived f4 65536
            < Publish rs1 failed: the resource changed at the origin; open it again to read the new version; attempt 2, http://radio.test/a.mp3
            < OpenResource t1 rs5
            < Release rs1
            < Notify t1 Changed
            < Publish rs5 total 921600 audio/mpeg
            < Write rs5 op6 0..65536
            < WakeReader rd1 q1 failed: the resource changed at the origin; open it again to read the new version; at byte 65536, attempt 2, http://radio.test/a.mp3
            < CancelFetch f4 NotNeeded
            < State t1 Idle 0 B/s
            > Written rs5 op6
            < Publish rs5 present 0..65536
            < Publish rs5 recovered
            > FetchFailed f4 Stopped
            > ReadRequest rd1 q2 65536..131072
            < FetchRange t1 f7 http://radio.test/a.mp3 bytes=65536- If-Range "b" attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            > BytesReceived f4 65536
            > Close t1
            < WakeReader rd1 q2 failed: the stream is closed; attempt 2, http://radio.test/a.mp3
            < CancelFetch f7 Closed
            < Release rs5
            < Closed t1
            > FetchFailed f7 Stopped
        "#]],
    );
}
