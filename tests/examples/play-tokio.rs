//! Plays a remote or local audio file while it downloads, with the tokio runtime.
//!
//! ```text
//! cargo run --release --example play-tokio -- https://radio.example/episodes/17.mp3 --wav 17.wav
//! ```
//!
//! `--help` lists the options. They, the report and the display are in `infill_tests::cli`.

use std::io::SeekFrom;
use std::process::ExitCode;

use infill_tests::cli::{self, BLOCK_BYTES, Failure, Options, Position, Session};
use infill_tokio::Client;
use tokio::fs::File;
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    cli::main("play-tokio", run)
}

/// Plays in a runtime of its own.
pub(crate) fn run(options: &Options, session: &Session) -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    runtime.block_on(play(options, session))
}

/// What the command line asks for, as an embedder would write it. `session` looks on.
async fn play(options: &Options, session: &Session) -> Result<(), Failure> {
    let client = client(options)?;
    session.opens();
    let mut stream = session.watch(client.open(options.source()).await?);

    for &to in &options.seek_bytes {
        let seeking = session.seeks(Position::Byte(to));
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        stream.seek(SeekFrom::Start(to)).await?;
        let mut here = (&mut stream).take(BLOCK_BYTES as u64);
        here.read_to_end(&mut bytes).await?;
        seeking.read(&bytes);
    }

    if options.reads_all() {
        stream.seek(SeekFrom::Start(0)).await?;
        copy(&mut stream, options).await?;
    }
    if options.decodes() {
        stream.seek(SeekFrom::Start(0)).await?;
        let (stream, session, options) = (stream.into_blocking(), session.clone(), options.clone());
        // Decoding takes the processor, and waits for bytes: not on a thread that polls tasks.
        let decoding = tokio::task::spawn_blocking(move || session.decode(stream, &options));
        decoding.await.map_err(io::Error::other)??;
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
async fn copy(stream: &mut (impl AsyncRead + Unpin), options: &Options) -> Result<(), Failure> {
    let (path, mut out): (_, Box<dyn AsyncWrite + Unpin>) = match &options.raw {
        Some(path) => {
            let file = File::create(path).await.map_err(Failure::output(path))?;
            (path.as_path(), Box::new(file))
        }
        None => ("nowhere".as_ref(), Box::new(io::sink())),
    };
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = stream.read(&mut block).await?;
        if count == 0 {
            return out.flush().await.map_err(Failure::output(path));
        }
        out.write_all(&block[..count]).await.map_err(Failure::output(path))?;
    }
}
