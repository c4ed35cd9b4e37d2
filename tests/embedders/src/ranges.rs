//! Program 2: ranges in an async application.

use std::io::SeekFrom;

use infill_tokio::Source;
use tokio::io::AsyncSeekExt;

use crate::Any;

/// Reads both ends of `url` at once, then its second half in order; gives the first 16 bytes, the last 128, and how
/// many there were in the second half.
pub async fn ends_and_half(url: &str) -> Result<([u8; 16], [u8; 128], u64), Any> {
    let client = infill_tokio::Client::new()?;
    let source = Source::url(url).header("Authorization", "Bearer x").cache_key("ep-17");
    let stream = client.open(source).await?;
    let len = stream.byte_len().ok_or("no length")?;
    let (mut head, mut tail) = ([0; 16], [0; 128]);
    tokio::try_join!(
        stream.read_at(0, &mut head),
        stream.read_at(len.saturating_sub(128), &mut tail)
    )?;
    let mut reader = stream.new_reader();
    reader.seek(SeekFrom::Start(len / 2)).await?;
    let half = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
    Ok((head, tail, half))
}
