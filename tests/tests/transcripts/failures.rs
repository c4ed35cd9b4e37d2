//! What breaks off, falls silent or fails for a while.

use std::time::Duration;

use expect_test::expect;
use infill_core::FailureKind;

use super::{KIB, begun, golden};

#[test]
fn early_close() {
    let mut scene = begun(512 * KIB);
    scene.read(1, 512 * KIB, 64 * KIB);
    scene.fails(scene.last_fetch(), FailureKind::Truncated);
    if scene.fetches() < 2 {
        scene.tick_until_fetch();
    }
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 512 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(second, 512 * KIB);
    scene.ends(second);
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
            @ 78ms
            > BytesReceived f2 65536
            < Write rs1 op5 131072..196608
            > Written rs1 op5
            < Publish rs1 present 131072..196608
            @ 94ms
            > BytesReceived f2 65536
            < Write rs1 op6 196608..262144
            > Written rs1 op6
            < Publish rs1 present 196608..262144
            < Grant f2 131072
            @ 110ms
            > BytesReceived f2 65536
            < Write rs1 op7 262144..327680
            > Written rs1 op7
            < Publish rs1 present 262144..327680
            @ 126ms
            > BytesReceived f2 65536
            < Write rs1 op8 327680..393216
            > Written rs1 op8
            < Publish rs1 present 327680..393216
            < Grant f2 131072
            @ 142ms
            > BytesReceived f2 65536
            < Write rs1 op9 393216..458752
            > Written rs1 op9
            < Publish rs1 present 393216..458752
            @ 158ms
            > BytesReceived f2 65536
            < Write rs1 op10 458752..524288
            > Written rs1 op10
            < Publish rs1 present 458752..524288
            < Grant f2 131072
            > ReadRequest rd1 q1 524288..589824
            > FetchFailed f2 Truncated
            < Notify t1 Retrying { cause: Error { cause: Truncated, url: Some("http://radio.test/a.mp3"), offset: Some(524288), attempt: Some(1), .. }, wait: 0ns }
            < FetchRange t1 f11 http://radio.test/a.mp3 bytes=524288- If-Range "a" attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            @ 188ms
            > ResponseStarted f11 206 524288..1048576/1048576 Length(524288) ETag "a" audio/mpeg
            < State t1 Downloading 4096000 B/s
            > BytesReceived f11 65536
            < Write rs1 op12 524288..589824
            > Written rs1 op12
            < Publish rs1 present 524288..589824
            < Publish rs1 recovered
            < WakeReader rd1 q1 Readable
            > BytesReceived f11 65536
            < Write rs1 op13 589824..655360
            > Written rs1 op13
            < Publish rs1 present 589824..655360
            < Grant f11 131072
            > BytesReceived f11 65536
            < Write rs1 op14 655360..720896
            > Written rs1 op14
            < Publish rs1 present 655360..720896
            > BytesReceived f11 65536
            < Write rs1 op15 720896..786432
            > Written rs1 op15
            < Publish rs1 present 720896..786432
            < Grant f11 131072
            > BytesReceived f11 65536
            < Write rs1 op16 786432..851968
            > Written rs1 op16
            < Publish rs1 present 786432..851968
            > BytesReceived f11 65536
            < Write rs1 op17 851968..917504
            > Written rs1 op17
            < Publish rs1 present 851968..917504
            < Grant f11 131072
            > BytesReceived f11 65536
            < Write rs1 op18 917504..983040
            > Written rs1 op18
            < Publish rs1 present 917504..983040
            > BytesReceived f11 65536
            < Write rs1 op19 983040..1048576
            > Written rs1 op19
            < Publish rs1 present 983040..1048576
            < Grant f11 131072
            < Commit rs1 1048576
            < State t1 Complete 0 B/s
            > StreamEnded f11
            > Close t1
            < Release rs1
            < Closed t1
        "#]],
    );
}

#[test]
fn b8_stall() {
    let mut scene = begun(64 * KIB);
    scene.latch();
    scene.read(1, 64 * KIB, 64 * KIB);
    scene.tick_until_fetch();
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 64 * KIB, 1024 * KIB, "\"a\"");
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
            > ReadRequest rd1 q1 65536..131072 of rs1
            @ 10.046s
            > Tick
            < CancelFetch f2 Stalled
            < Notify t1 Retrying { cause: Error { cause: Stalled(10s), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(1), .. }, wait: 0ns }
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=65536- If-Range "a" fresh attempt 2 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f2 Stopped
            @ 10.076s
            > ResponseStarted f4 206 65536..1048576/1048576 Length(983040) ETag "a" audio/mpeg
            < State t1 Downloading 0 B/s
            > BytesReceived f4 65536
            < Write rs1 op5 65536..131072
            > Written rs1 op5
            < Publish rs1 present 65536..131072
            < Publish rs1 recovered
            < WakeReader rd1 q1 Readable
            > Close t1
            < CancelFetch f4 Closed
            < Release rs1
            < Closed t1
            > FetchFailed f4 Stopped
        "#]],
    );
}

#[test]
fn give_up_and_try_again() {
    let mut scene = begun(64 * KIB);
    scene.latch();
    scene.fails(scene.last_fetch(), FailureKind::Reset);
    scene.read(1, 64 * KIB, 64 * KIB);
    while scene.answers() == 0 {
        let before = scene.fetches();
        assert!(scene.tick(), "a wait without a deadline:\n{}", scene.transcript());
        if scene.fetches() > before {
            scene.fails(scene.last_fetch(), FailureKind::Connect);
        }
    }
    let before = scene.fetches();
    scene.read(2, 64 * KIB, 64 * KIB);
    if scene.fetches() == before {
        scene.tick_until_fetch();
    }
    let last = scene.last_fetch();
    scene.part(last, 64 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(last, 64 * KIB);
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
            @ 10.046s
            > Tick
            @ 20.046s
            > Tick
            < CancelFetch f4 Stalled
            < Notify t1 Retrying { cause: Error { cause: Stalled(20s), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(2), .. }, wait: 279.474478ms }
            < State t1 Waiting 279.474478ms 0 B/s
            > FetchFailed f4 Stopped
            @ 20.325474478s
            > Tick
            < FetchRange t1 f5 http://radio.test/a.mp3 bytes=65536- If-Range "a" fresh attempt 3 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f5 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(3), .. }, wait: 798.020282ms }
            < State t1 Waiting 798.020282ms 0 B/s
            @ 21.12349476s
            > Tick
            < FetchRange t1 f6 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 4 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f6 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(4), .. }, wait: 1.524192737s }
            < State t1 Waiting 1.524192737s 0 B/s
            @ 22.647687497s
            > Tick
            < FetchRange t1 f7 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 5 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f7 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(5), .. }, wait: 2.713425085s }
            < State t1 Waiting 2.713425085s 0 B/s
            @ 25.361112582s
            > Tick
            < FetchRange t1 f8 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 6 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f8 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(6), .. }, wait: 6.174352305s }
            < State t1 Waiting 6.174352305s 0 B/s
            @ 31.535464887s
            > Tick
            < FetchRange t1 f9 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 7 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f9 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(7), .. }, wait: 10.861318085s }
            < State t1 Waiting 10.861318085s 0 B/s
            @ 42.396782972s
            > Tick
            < FetchRange t1 f10 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 8 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f10 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(8), .. }, wait: 17.14011051s }
            < State t1 Waiting 17.14011051s 0 B/s
            @ 59.536893482s
            > Tick
            < FetchRange t1 f11 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 9 credit 524288
            < State t1 Connecting 0 B/s
            > FetchFailed f11 Connect
            < Notify t1 Retrying { cause: Error { cause: Connect("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(65536), attempt: Some(9), .. }, wait: 42.533537355s }
            < State t1 Waiting 42.533537355s 0 B/s
            @ 60.046s
            > Tick
            < Publish rs1 failed: no connection to the origin: in this scene; at byte 65536, attempt 9, http://radio.test/a.mp3
            < WakeReader rd1 q1 failed: no connection to the origin: in this scene; at byte 65536, attempt 9, http://radio.test/a.mp3
            < State t1 Failed 0 B/s
            > ReadRequest rd1 q2 65536..131072 of rs1
            < State t1 Waiting 42.024430837s 0 B/s
            @ 102.070430837s
            > Tick
            < FetchRange t1 f12 http://radio.test/a.mp3 bytes=65536- If-Range "a" attempt 10 credit 524288
            < State t1 Connecting 0 B/s
            > ResponseStarted f12 206 65536..1048576/1048576 Length(983040) ETag "a" audio/mpeg
            < State t1 Downloading 0 B/s
            > BytesReceived f12 65536
            < Write rs1 op13 65536..131072
            > Written rs1 op13
            < Publish rs1 present 65536..131072
            < Publish rs1 recovered
            < WakeReader rd1 q2 Readable
            > Close t1
            < CancelFetch f12 Closed
            < Release rs1
            < Closed t1
            > FetchFailed f12 Stopped
        "#]],
    );
}
