//! Writes a remote or local file to standard output while it downloads.
//!
//! ```text
//! cargo run --release --example read-tokio -- https://radio.example/episodes/17.mp3 > 17.mp3
//! ```

use infill_tokio::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: read-tokio URL")?;
    let mut stream = Client::new()?.open(url).await?;
    let handle = stream.handle();
    eprintln!("{} bytes of {:?}", stream.byte_len().unwrap_or(0), stream.content_type());
    let copied = tokio::io::copy(&mut stream, &mut tokio::io::stdout()).await;
    eprintln!("{:?}", handle.stats());
    copied?;
    Ok(())
}
