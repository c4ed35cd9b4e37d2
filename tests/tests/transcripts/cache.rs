//! What is kept over the end of a process.

use std::time::Duration;

use expect_test::expect;
use infill_core::{Config, FailureKind};
use infill_tests::sim::Scene;

use super::{KIB, golden};

/// Killed at 512 KiB of 1 MiB, opened again: what was fetched is verified and read, what is missing is asked for where
/// it is read.
#[test]
fn crash_at_half_then_a_seek_past_it() {
    let mut scene = Scene::open_cached(Config::default(), 1024 * KIB);
    let first = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(first, 0, 1024 * KIB, "\"a\"");
    for _ in 0..8 {
        scene.pause(Duration::from_millis(16));
        scene.bytes(first, 64 * KIB);
    }
    scene.kill();
    let main = scene.last_fetch();
    scene.read(1, 0, 64 * KIB);
    scene.latch();
    scene.seek(700 * KIB);
    scene.read(2, 700 * KIB, 64 * KIB);
    let second = scene.last_fetch();
    scene.pause(Duration::from_millis(30));
    scene.part(second, 700 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(second, 324 * KIB);
    scene.ends(second);
    scene.part(main, 512 * KIB, 1024 * KIB, "\"a\"");
    scene.bytes(main, 188 * KIB);
    scene.close();
    golden(
        &scene,
        &expect![[r#"
            @ 0ns
            > Restored 0
            < Sweep all but 0
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
            < Place rs1 generation 1
            < Write rs1 op3 0..65536 cache
            < Opened t1
            < State t1 Downloading 0 B/s
            < Append op4 open 1 http://radio.test/a.mp3 of 1048576, use 1
            > Written rs1 op3
            < Publish rs1 present 0..65536
            > Appended op4
            @ 62ms
            > BytesReceived f2 65536
            < Write rs1 op5 65536..131072 cache
            > Written rs1 op5
            < Publish rs1 present 65536..131072
            < Grant f2 131072
            @ 78ms
            > BytesReceived f2 65536
            < Write rs1 op6 131072..196608 cache
            > Written rs1 op6
            < Publish rs1 present 131072..196608
            @ 94ms
            > BytesReceived f2 65536
            < Write rs1 op7 196608..262144 cache
            > Written rs1 op7
            < Publish rs1 present 196608..262144
            < Grant f2 131072
            < Append op8 extents 1 0..262144
            > Appended op8
            @ 110ms
            > BytesReceived f2 65536
            < Write rs1 op9 262144..327680 cache
            > Written rs1 op9
            < Publish rs1 present 262144..327680
            @ 126ms
            > BytesReceived f2 65536
            < Write rs1 op10 327680..393216 cache
            > Written rs1 op10
            < Publish rs1 present 327680..393216
            < Grant f2 131072
            @ 142ms
            > BytesReceived f2 65536
            < Write rs1 op11 393216..458752 cache
            > Written rs1 op11
            < Publish rs1 present 393216..458752
            @ 158ms
            > BytesReceived f2 65536
            < Write rs1 op12 458752..524288 cache
            > Written rs1 op12
            < Publish rs1 present 458752..524288
            < Grant f2 131072
            < Append op13 extents 1 262144..524288
            > Appended op13
            # killed, and started again
            > Restored 1
            < Sweep all but 1
            > Open t1 http://radio.test/a.mp3
            < OpenResource t1 rs1
            < Place rs1 generation 1
            < Publish rs1 total 1048576 audio/mpeg
            < Publish rs1 claimed 0..524288
            < Verify rs1 op2 0..262144
            < Verify rs1 op3 262144..524288
            < Opened t1
            < FetchRange t1 f4 http://radio.test/a.mp3 bytes=524288- If-Range "a" credit 524288
            < State t1 Connecting 0 B/s
            < Append op5 use 2
            > Verified rs1 op2
            < Publish rs1 verified 0..262144
            > Verified rs1 op3
            < Publish rs1 verified 262144..524288
            > Appended op5
            > Attach t1 rd1 @0
            > ReadRequest rd1 q1 0..65536
            < WakeReader rd1 q1 Readable
            > Seek rd1 @716800
            < FetchRange t1 f6 http://radio.test/a.mp3 bytes=716800- If-Range "a" credit 524288
            > ReadRequest rd1 q2 716800..782336 of rs1
            @ 188ms
            > ResponseStarted f6 206 716800..1048576/1048576 Length(331776) ETag "a" audio/mpeg
            < State t1 Downloading 0 B/s
            > BytesReceived f6 65536
            < Write rs1 op7 716800..782336 cache
            > Written rs1 op7
            < Publish rs1 present 716800..782336
            < WakeReader rd1 q2 Readable
            > BytesReceived f6 65536
            < Write rs1 op8 782336..786432 cache
            < Write rs1 op9 786432..847872 cache
            > Written rs1 op8
            < Publish rs1 present 782336..786432
            < Append op10 extents 1 716800..786432
            > Written rs1 op9
            < Publish rs1 present 786432..847872
            < Grant f6 131072
            > Appended op10
            > BytesReceived f6 65536
            < Write rs1 op11 847872..913408 cache
            > Written rs1 op11
            < Publish rs1 present 847872..913408
            > BytesReceived f6 65536
            < Write rs1 op12 913408..978944 cache
            > Written rs1 op12
            < Publish rs1 present 913408..978944
            < Grant f6 131072
            > BytesReceived f6 65536
            < Write rs1 op13 978944..1044480 cache
            > Written rs1 op13
            < Publish rs1 present 978944..1044480
            > BytesReceived f6 4096
            < Write rs1 op14 1044480..1048576 cache
            > Written rs1 op14
            < Publish rs1 present 1044480..1048576
            < Append op15 extents 1 786432..1048576
            > Appended op15
            > StreamEnded f6
            < State t1 Connecting 0 B/s
            > ResponseStarted f4 206 524288..1048576/1048576 Length(524288) ETag "a" audio/mpeg
            < State t1 Downloading 0 B/s
            > BytesReceived f4 65536
            < Write rs1 op16 524288..589824 cache
            > Written rs1 op16
            < Publish rs1 present 524288..589824
            > BytesReceived f4 65536
            < Write rs1 op17 589824..655360 cache
            > Written rs1 op17
            < Publish rs1 present 589824..655360
            < Grant f4 131072
            > BytesReceived f4 61440
            < Write rs1 op18 655360..716800 cache
            < CancelFetch f4 NotNeeded
            < State t1 Idle 0 B/s
            > Written rs1 op18
            < Publish rs1 present 655360..716800
            < Commit rs1 1048576
            < Sync rs1 op19
            < State t1 Complete 0 B/s
            < Append op20 extents 1 524288..716800, commit 1 1048576
            > FetchFailed f4 Stopped
            > Synced rs1 op19
            > Appended op20
            > Close t1
            < Release rs1
            < Closed t1
        "#]],
    );
}

/// The origin has another version by then: nothing of the old one is mixed with it.
#[test]
fn crash_at_half_and_another_version_at_the_origin() {
    let mut scene = Scene::open_cached(Config::default(), 1024 * KIB);
    let first = scene.last_fetch();
    scene.part(first, 0, 1024 * KIB, "\"a\"");
    scene.bytes(first, 512 * KIB);
    scene.replace(900 * KIB);
    scene.kill();
    let second = scene.last_fetch();
    scene.read(1, 0, 64 * KIB);
    scene.whole(second, "\"b\"");
    scene.bytes(second, 128 * KIB);
    scene.fails(second, FailureKind::Reset);
    scene.close();
    golden(
        &scene,
        &expect![[r#"
        @ 0ns
        > Restored 0
        < Sweep all but 0
        > Open t1 http://radio.test/a.mp3
        < OpenResource t1 rs1
        < FetchRange t1 f2 http://radio.test/a.mp3 bytes=0- credit 524288
        < State t1 Connecting 0 B/s
        > Attach t1 rd1 @0
        > ResponseStarted f2 206 0..1048576/1048576 Length(1048576) ETag "a" audio/mpeg
        > BytesReceived f2 65536
        < Publish rs1 total 1048576 audio/mpeg
        < Place rs1 generation 1
        < Write rs1 op3 0..65536 cache
        < Opened t1
        < State t1 Downloading 0 B/s
        < Append op4 open 1 http://radio.test/a.mp3 of 1048576, use 1
        > Written rs1 op3
        < Publish rs1 present 0..65536
        > Appended op4
        > BytesReceived f2 65536
        < Write rs1 op5 65536..131072 cache
        > Written rs1 op5
        < Publish rs1 present 65536..131072
        < Grant f2 131072
        > BytesReceived f2 65536
        < Write rs1 op6 131072..196608 cache
        > Written rs1 op6
        < Publish rs1 present 131072..196608
        > BytesReceived f2 65536
        < Write rs1 op7 196608..262144 cache
        > Written rs1 op7
        < Publish rs1 present 196608..262144
        < Grant f2 131072
        < Append op8 extents 1 0..262144
        > Appended op8
        > BytesReceived f2 65536
        < Write rs1 op9 262144..327680 cache
        > Written rs1 op9
        < Publish rs1 present 262144..327680
        > BytesReceived f2 65536
        < Write rs1 op10 327680..393216 cache
        > Written rs1 op10
        < Publish rs1 present 327680..393216
        < Grant f2 131072
        > BytesReceived f2 65536
        < Write rs1 op11 393216..458752 cache
        > Written rs1 op11
        < Publish rs1 present 393216..458752
        > BytesReceived f2 65536
        < Write rs1 op12 458752..524288 cache
        > Written rs1 op12
        < Publish rs1 present 458752..524288
        < Grant f2 131072
        < Append op13 extents 1 262144..524288
        > Appended op13
        # killed, and started again
        > Restored 1
        < Sweep all but 1
        > Open t1 http://radio.test/a.mp3
        < OpenResource t1 rs1
        < Place rs1 generation 1
        < Publish rs1 total 1048576 audio/mpeg
        < Publish rs1 claimed 0..524288
        < Verify rs1 op2 0..262144
        < Verify rs1 op3 262144..524288
        < Opened t1
        < FetchRange t1 f4 http://radio.test/a.mp3 bytes=524288- If-Range "a" credit 524288
        < State t1 Connecting 0 B/s
        < Append op5 use 2
        > Verified rs1 op2
        < Publish rs1 verified 0..262144
        > Verified rs1 op3
        < Publish rs1 verified 262144..524288
        > Appended op5
        > Attach t1 rd1 @0
        > ReadRequest rd1 q1 0..65536
        < WakeReader rd1 q1 Readable
        > ResponseStarted f4 200 Length(921600) ETag "b" audio/mpeg
        > BytesReceived f4 65536
        < Publish rs1 failed: the resource changed at the origin; open it again to read the new version; attempt 1, http://radio.test/a.mp3
        < OpenResource t1 rs6
        < Release rs1
        < Remove op7 generation 1
        < Notify t1 Changed
        < Publish rs6 total 921600 audio/mpeg
        < Place rs6 generation 2
        < Write rs6 op8 0..65536 cache
        < State t1 Downloading 0 B/s
        < Append op9 open 2 http://radio.test/a.mp3 of 921600, use 1
        > Removed op7
        > Written rs6 op8
        < Publish rs6 present 0..65536
        > Appended op9
        < Append op10 remove 1
        > Appended op10
        > BytesReceived f4 65536
        < Write rs6 op11 65536..131072 cache
        > Written rs6 op11
        < Publish rs6 present 65536..131072
        < Grant f4 131072
        > FetchFailed f4 Reset
        < Notify t1 Retrying { cause: Error { cause: Reset("in this scene"), url: Some("http://radio.test/a.mp3"), offset: Some(131072), attempt: Some(1), .. }, wait: 0ns }
        < FetchRange t1 f12 http://radio.test/a.mp3 bytes=131072- If-Range "b" attempt 2 credit 524288
        < State t1 Connecting 0 B/s
        < Append op13 extents 2 0..131072
        > Appended op13
        > Close t1
        < CancelFetch f12 Closed
        < Release rs6
        < Closed t1
        > FetchFailed f12 Stopped
    "#]],
    );
}
