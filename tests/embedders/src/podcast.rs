//! Program 4: resumes an episode where it was left.

use std::time::Duration;

use infill_blocking::Source;
use infill_blocking::audio::Audio;

use crate::Any;

/// Plays the episode `guid` from `at` to its end, into `out`.
pub fn resume(guid: &str, url: &str, at: Duration, mut out: impl FnMut(f32)) -> Result<(), Any> {
    let client = infill_blocking::Client::builder().build()?;
    let source = Source::url(url).cache_key(guid);
    let (output, control) = Audio::open_source(&client, source)?.spawn(Duration::from_secs(10));
    control.seek(at);
    for sample in output {
        out(sample);
    }
    control.ended().unwrap_or(Ok(()))?;
    Ok(())
}
