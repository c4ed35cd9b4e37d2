//! The two listeners: one for each runtime, doing the same.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Instant;

use infill_blocking::FileStream;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::local::samples;
use super::scenario::{STALL_TIMEOUT, Scenario, VISIT_BYTES};

/// What a listener got.
pub(crate) struct Heard {
    /// What it read where it looked.
    pub(crate) visited: Vec<(u64, Vec<u8>)>,
    /// All samples.
    pub(crate) pcm: Vec<f32>,
    /// All bytes.
    pub(crate) raw: Vec<u8>,
    /// From the beginning of opening to the first byte.
    pub(crate) first_byte_ms: u128,
    /// From the beginning of opening to the last sample.
    pub(crate) total_ms: u128,
}

/// Listens on threads.
pub(crate) fn blocking(scenario: &Scenario, url: &str, cache: Option<&Path>) -> io::Result<Heard> {
    let mut client = infill_blocking::Client::builder().stall_timeout(STALL_TIMEOUT);
    if let Some(dir) = cache {
        client = client.cache_dir(dir);
    }
    let client = client.build()?;
    let began = Instant::now();
    let mut stream = client.open(url)?;
    stream.read_exact(&mut [0])?;
    let first_byte_ms = began.elapsed().as_millis();

    let mut visited = Vec::new();
    for at in scenario.visits() {
        let mut bytes = Vec::new();
        stream.seek(SeekFrom::Start(at))?;
        let mut here = Read::by_ref(&mut stream).take(VISIT_BYTES as u64);
        here.read_to_end(&mut bytes)?;
        visited.push((at, bytes));
    }
    decode(stream, began, first_byte_ms, visited)
}

/// Listens in tasks.
pub(crate) async fn on_tokio(
    scenario: &Scenario,
    url: &str,
    cache: Option<&Path>,
) -> io::Result<Heard> {
    let mut client = infill_tokio::Client::builder().stall_timeout(STALL_TIMEOUT);
    if let Some(dir) = cache {
        client = client.cache_dir(dir);
    }
    let client = client.build()?;
    let began = Instant::now();
    let mut stream = client.open(url).await?;
    stream.read_exact(&mut [0]).await?;
    let first_byte_ms = began.elapsed().as_millis();

    let mut visited = Vec::new();
    for at in scenario.visits() {
        let mut bytes = Vec::new();
        stream.seek(SeekFrom::Start(at)).await?;
        let mut here = (&mut stream).take(VISIT_BYTES as u64);
        here.read_to_end(&mut bytes).await?;
        visited.push((at, bytes));
    }
    let stream = stream.into_blocking();
    let decoding = move || decode(stream, began, first_byte_ms, visited);
    tokio::task::spawn_blocking(decoding).await?
}

/// Decodes all of it, then reads all its bytes.
fn decode(
    stream: FileStream,
    began: Instant,
    first_byte_ms: u128,
    visited: Vec<(u64, Vec<u8>)>,
) -> io::Result<Heard> {
    let mut reader = stream.new_reader();
    let pcm = samples(stream)?;
    let total_ms = began.elapsed().as_millis();
    let mut raw = Vec::new();
    reader.read_to_end(&mut raw)?;
    Ok(Heard { visited, pcm, raw, first_byte_ms, total_ms })
}
