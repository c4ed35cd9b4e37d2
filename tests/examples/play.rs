//! Plays a remote or local audio file while it downloads, with the threaded runtime.
//!
//! ```text
//! cargo run --release --example play -- https://radio.example/episodes/17.mp3 --wav 17.wav
//! ```
//!
//! `--help` lists the options. They, the report and the display are in `infill_tests::cli`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use infill_blocking::Client;
use infill_tests::cli::{self, BLOCK_BYTES, Failure, Options, Position, Session};

fn main() -> ExitCode {
    cli::main("play", play)
}

/// What the command line asks for, as an embedder would write it. `session` looks on.
pub(crate) fn play(options: &Options, session: &Session) -> Result<(), Failure> {
    let client = client(options)?;
    session.opens();
    let mut stream = session.watch(client.open(options.source())?);

    for &to in &options.seek_bytes {
        let seeking = session.seeks(Position::Byte(to));
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        stream.seek(SeekFrom::Start(to))?;
        Read::by_ref(&mut stream).take(BLOCK_BYTES as u64).read_to_end(&mut bytes)?;
        seeking.read(&bytes);
    }

    if options.reads_all() {
        stream.seek(SeekFrom::Start(0))?;
        copy(&mut stream, options)?;
    }
    if options.decodes() {
        stream.seek(SeekFrom::Start(0))?;
        session.decode(stream, options)?;
    }
    Ok(())
}

fn client(options: &Options) -> Result<Client, Failure> {
    let mut builder = Client::builder();
    if let Some(bytes) = options.read_ahead {
        builder = builder.read_ahead(bytes);
    }
    if let Some(time) = options.give_up {
        builder = builder.give_up_after(time);
    }
    if let Some(dir) = &options.cache {
        builder = builder.cache_dir(dir);
    }
    if let Some(bytes) = options.cache_limit {
        builder = builder.cache_limit(bytes);
    }
    Ok(builder.build()?)
}

/// From where the stream is to its end, into `--raw` or nowhere.
fn copy(stream: &mut impl Read, options: &Options) -> Result<(), Failure> {
    let (path, mut out): (_, Box<dyn Write>) = match &options.raw {
        Some(path) => {
            let file = File::create(path).map_err(Failure::output(path))?;
            (path.as_path(), Box::new(file))
        }
        None => ("nowhere".as_ref(), Box::new(io::sink())),
    };
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = stream.read(&mut block)?;
        if count == 0 {
            return Ok(());
        }
        out.write_all(&block[..count]).map_err(Failure::output(path))?;
    }
}
