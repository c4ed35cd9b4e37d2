//! Program 4: keeps an episode, and resumes it where it was left, with or without a network.

use std::path::Path;
use std::time::Duration;

use infill_blocking::audio::Audio;
use infill_blocking::{Client, Source};

use crate::Any;

/// What the episodes may take of the disk.
const LIMIT_BYTES: u64 = 2 << 30;

/// Keeps the episode `guid` in `dir`, and plays it from `at` to its end, into `out`.
pub fn resume(
    dir: &Path,
    guid: &str,
    url: &str,
    at: Duration,
    mut out: impl FnMut(f32),
) -> Result<(), Any> {
    let client = Client::builder().cache_dir(dir).cache_limit(LIMIT_BYTES).build()?;
    let source = Source::url(url).cache_key(guid);
    client.download(source.clone()).pin().wait()?;
    let (output, control) = Audio::open_source(&client, source)?.spawn(Duration::from_secs(10));
    control.seek(at);
    for sample in output {
        out(sample);
    }
    control.ended().unwrap_or(Ok(()))?;
    Ok(())
}
