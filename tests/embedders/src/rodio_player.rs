//! Program 1: plays a URL with rodio.

use crate::Any;

/// Plays `url` to its end.
pub fn play(url: &str, player: &rodio::Player) -> Result<(), Any> {
    let stream = infill_blocking::Client::new()?.open(url)?;
    let handle = stream.handle();
    player.append(decoder(stream)?);
    player.sleep_until_end();
    handle.error().map_or(Ok(()), |error| Err(error.into()))
}

/// A decoder that knows how long the stream is, so that it can seek.
pub fn decoder(
    stream: infill_blocking::FileStream,
) -> Result<rodio::Decoder<infill_blocking::FileStream>, Any> {
    let mut builder = rodio::Decoder::builder().with_seekable(stream.is_seekable());
    if let Some(len) = stream.byte_len() {
        builder = builder.with_byte_len(len);
    }
    Ok(builder.with_data(stream).build()?)
}
