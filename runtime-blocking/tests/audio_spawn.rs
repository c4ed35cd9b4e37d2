//! The output never blocks; seeks, ends, failures and drops reach the thread, also while it is blocked.
#![cfg(feature = "symphonia")]

#[path = "audio_support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use infill_blocking::audio::{Audio, Control, Output};
use infill_core::ErrorKind;

use support::{Pcm, Remote, fixture, outage, plain, source};

const PATIENCE: Duration = Duration::from_secs(20);

fn spawned(name: &str, ahead: Duration) -> (Output, Control, Remote, Pcm) {
    spawned_with_gate(name, ahead, u64::MAX)
}

/// Reads at or past the byte `gate` wait.
fn spawned_with_gate(name: &str, ahead: Duration, gate: u64) -> (Output, Control, Remote, Pcm) {
    let bytes = fixture(name);
    let (source, remote) = source(&bytes);
    let audio = Audio::open(source).expect("a fixture opens");
    remote.shut_from(gate);
    let (output, control) = audio.spawn(ahead);
    let whole = plain(&bytes).expect("a fixture decodes");
    (output, control, remote, whole)
}

/// The next sample that is not silence for want of data.
fn heard(output: &mut Output, control: &Control) -> Option<f32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let sample = output.next();
        if sample.is_none() || !control.starving() {
            return sample;
        }
        assert_eq!(sample, Some(0.0));
        assert!(Instant::now() < deadline, "nothing came");
    }
}

/// A frame that was begun is finished before a seek shows.
fn skip_frame(output: &mut Output) {
    for _ in 0..output.channels() {
        assert!(output.next().is_some(), "no end");
    }
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_whole_file_comes_out_and_ends() {
    let (mut output, control, _remote, whole) = spawned("tone.wav", Duration::from_millis(200));
    assert_eq!((output.rate(), usize::from(output.channels())), (whole.rate, whole.channels));
    assert_eq!(control.ended(), None);
    let mut samples = Vec::new();
    while let Some(sample) = heard(&mut output, &control) {
        samples.push(sample);
    }
    assert!(samples == whole.samples);
    assert_eq!(control.ended(), Some(Ok(())));
    assert!(!control.starving());
    assert_eq!(control.position().as_secs(), 2);
    assert_eq!(output.next(), None);
}

#[test]
fn a_loop_over_the_output_leaves_its_end_behind() {
    let (output, control, remote, whole) = spawned("tone.wav", Duration::from_secs(10));
    control.seek(Duration::from_secs(1));
    let rest = whole.frames() - whole.rate as usize;
    let played = output.filter(|_| !control.starving()).count();
    assert_eq!(played, rest);
    assert_eq!(control.ended(), Some(Ok(())));
    eventually("the thread ends", || remote.is_closed());
}

#[test]
fn silence_while_starved_in_whole_frames() {
    let (mut output, control, remote, whole) =
        spawned_with_gate("tone.flac", Duration::from_millis(50), 40_000);
    eventually("it starves", || {
        assert_eq!(output.by_ref().take(10_000).count(), 10_000);
        control.starving() && remote.is_waiting()
    });
    let position = control.position();
    let started = Instant::now();
    for _ in 0..100_000 {
        assert!(output.next().is_some());
    }
    assert!(started.elapsed() < Duration::from_secs(2), "it does not block");
    assert_eq!(control.position(), position, "silence does not count");
    // The left channel goes on with the left channel.
    remote.open_gate();
    let mut frame = 0;
    while frame == 0 {
        let pair = [output.next().expect("no end"), output.next().expect("no end")];
        if !control.starving() {
            frame = (control.position().as_secs_f64() * 44_100.0).round() as usize - 1;
            assert!(pair == whole.samples[frame * 2..frame * 2 + 2]);
        }
    }
}

#[test]
fn a_seek_while_blocked_supersedes_the_read() {
    let (mut output, control, remote, whole) =
        spawned_with_gate("tone.flac", Duration::from_secs(60), 180_000);
    eventually("the thread blocks", || {
        skip_frame(&mut output);
        remote.is_waiting()
    });
    // FLAC is sought by bisection: the middle of the file must be readable.
    for to in [Duration::from_millis(500), Duration::from_millis(250)] {
        control.seek(to);
        assert_eq!(control.position(), to, "at once");
        let sample = heard(&mut output, &control);
        let frame = (to.as_secs_f64() * 44_100.0).round() as usize;
        assert_eq!(sample, Some(whole.samples[frame * 2]), "queued samples are dropped");
        assert_eq!(output.next(), Some(whole.samples[frame * 2 + 1]));
        eventually("it blocks again", || remote.is_waiting());
    }
    // To a place that can't be read, and back.
    control.seek(Duration::from_secs(5));
    eventually("it blocks there", || {
        skip_frame(&mut output);
        control.starving() && remote.is_waiting()
    });
    assert_eq!(control.position(), Duration::from_secs(5));
    control.seek(Duration::ZERO);
    assert_eq!(heard(&mut output, &control), Some(whole.samples[0]));
}

#[test]
fn many_seeks_in_a_row_end_at_the_last() {
    let (mut output, control, _remote, whole) = spawned("tone-cbr.mp3", Duration::from_secs(1));
    for step in 0..500_u32 {
        control.seek(Duration::from_millis(u64::from(step * 7 % 5000)));
        skip_frame(&mut output);
    }
    control.seek(Duration::from_secs(3));
    assert_eq!(control.position(), Duration::from_secs(3));
    for expected in &whole.samples[3 * 44_100 * 2..][..5_000] {
        assert_eq!(heard(&mut output, &control), Some(*expected));
    }
}

#[test]
fn a_failure_ends_it_and_a_seek_tries_again() {
    let (mut output, control, remote, whole) = spawned("tone.flac", Duration::from_millis(10));
    remote.fail_from(100_000, u32::MAX);
    while heard(&mut output, &control).is_some() {}
    assert_eq!(control.ended(), Some(Err(outage())));
    remote.fail_from(100_000, 0);
    let at = control.position();
    control.seek(at);
    assert_eq!(control.ended(), None);
    let frame = (at.as_secs_f64() * 44_100.0).round() as usize;
    assert_eq!(heard(&mut output, &control), Some(whole.samples[frame * 2]));
    while heard(&mut output, &control).is_some() {}
    assert_eq!(control.ended(), Some(Ok(())));
    control.seek(Duration::ZERO);
    assert_eq!(heard(&mut output, &control), Some(whole.samples[0]));
}

#[test]
fn it_decodes_no_further_ahead_than_asked() {
    let (mut output, control, remote, _whole) = spawned("tone.flac", Duration::from_millis(500));
    assert!(heard(&mut output, &control).is_some());
    std::thread::sleep(Duration::from_millis(100));
    let last = remote.take_reads().into_iter().map(|(_, end)| end).max();
    assert!(last < Some(120_000), "{last:?} of 238292 bytes, for half a second of six");
}

#[test]
fn dropping_the_output_ends_a_blocked_thread() {
    let (mut output, control, remote, _whole) =
        spawned_with_gate("tone.flac", Duration::from_secs(60), 60_000);
    eventually("the thread blocks", || {
        skip_frame(&mut output);
        remote.is_waiting()
    });
    let started = Instant::now();
    drop(output);
    assert!(remote.is_closed());
    assert_eq!(control.ended(), None);
    control.seek(Duration::ZERO);
    drop(control);
    eventually("all is gone", || remote.is_alone());
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn dropping_the_output_ends_an_idle_thread() {
    let (mut output, control, remote, _whole) = spawned("tone.wav", Duration::from_millis(10));
    assert!(heard(&mut output, &control).is_some());
    drop(control);
    drop(output);
    eventually("all is gone", || remote.is_alone());
}

#[test]
fn closing_the_source_from_outside_is_a_failure() {
    let (mut output, control, remote, _whole) = spawned("tone.flac", Duration::from_millis(10));
    infill_blocking::audio::SourceControl::close(&remote);
    while heard(&mut output, &control).is_some() {}
    let end = control.ended().and_then(Result::err);
    assert_eq!(end.map(|error| error.kind()), Some(ErrorKind::Closed));
}
