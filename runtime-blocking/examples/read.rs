//! Prints the first and the last bytes of a URL or a file, and what that has cost.
//!
//! `cargo run --example read -- https://radio.example/episodes/17.mp3`

use std::io::{self, Read, Seek, SeekFrom, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = std::env::args().nth(1).ok_or("usage: read <URL or path>")?;
    let mut stream = infill_blocking::Client::new()?.open(source)?;

    let (mut head, mut tail) = (Vec::new(), Vec::new());
    stream.by_ref().take(16).read_to_end(&mut head)?;
    if let Some(len) = stream.byte_len() {
        // The tail is asked for at once; what lies between is not waited for.
        stream.seek(SeekFrom::Start(len.saturating_sub(16)))?;
        stream.read_to_end(&mut tail)?;
    }

    let stats = stream.handle().stats();
    writeln!(io::stdout(), "{head:02x?} .. {tail:02x?}\n{stats:?}")?;
    Ok(())
}
