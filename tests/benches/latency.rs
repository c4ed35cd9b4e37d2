//! Open to the first byte, and a seek into a hole to 64 KiB, at 30 ms of latency; beside the same client's plain request.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use infill_tests::bench::median;
use infill_tests::origin::{Origin, Resource, content};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

const LATENCY: Duration = Duration::from_millis(30);
const LEN: u64 = 16 << 20;
const PIECE: usize = 64 * 1024;
const ROUNDS: usize = 9;

type Timed = Result<Duration, Box<dyn Error>>;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    println!("open to first byte, 30 ms latency (medians of {ROUNDS})");
    println!(
        "{:>14} {:>12} {:>16} {:>14}",
        "rate", "plain ureq", "infill-blocking", "infill-tokio"
    );
    for (name, rate) in [("128 KiB/s", 128 << 10), ("4 MiB/s", 4 << 20)] {
        let origin = origin(rate);
        let url = origin.url("/a.bin");
        let plain = rounds(|| plain_first_byte(&url))?;
        let blocking = rounds(|| blocking_first_byte(&url))?;
        let tokio = rounds(|| runtime.block_on(tokio_first_byte(&url)))?;
        println!("{name:>14} {plain:>9.1} ms {blocking:>13.1} ms {tokio:>11.1} ms");
    }
    println!(
        "seek into a hole to 64 KiB, 30 ms latency, 4 MiB/s, less the 15.6 ms that they need on the wire"
    );
    println!(
        "{:>14} {:>12} {:>16} {:>14} {:>9}",
        "to", "plain ureq", "infill-blocking", "infill-tokio", "requests"
    );
    for (name, to) in
        [("75 % + 64 KiB", LEN / 4 * 3 + (64 << 10)), ("end - 128 KiB", LEN - (128 << 10))]
    {
        let origin = origin(4 << 20);
        let url = origin.url("/a.bin");
        let wire = PIECE as f64 / f64::from(4 << 20) * 1e3;
        let plain = rounds(|| plain_piece(&url, to))?;
        let before = origin.requests("/a.bin").len();
        let blocking = rounds(|| blocking_seek(&url, to))?;
        let tokio = rounds(|| runtime.block_on(tokio_seek(&url, to)))?;
        let requests =
            (origin.requests("/a.bin").len() - before) as f64 / (2 * ROUNDS) as f64 - 1.0;
        println!(
            "{name:>14} {:>9.1} ms {:>13.1} ms {:>11.1} ms {requests:>9.2}",
            plain - wire,
            blocking - wire,
            tokio - wire
        );
    }
    Ok(())
}

fn origin(rate: u64) -> Origin {
    let origin = Origin::builder().latency(LATENCY).rate(rate).start();
    origin.put("/a.bin", Resource::new(content(1, LEN)));
    origin
}

/// The median of some rounds, in milliseconds.
fn rounds(mut once: impl FnMut() -> Timed) -> Result<f64, Box<dyn Error>> {
    let times: Result<Vec<f64>, _> =
        (0..ROUNDS).map(|_| Ok::<_, Box<dyn Error>>(once()?.as_secs_f64() * 1e3)).collect();
    Ok(median(times?))
}

fn plain_first_byte(url: &str) -> Timed {
    let start = Instant::now();
    let agent = infill_blocking::ureq::Agent::new_with_defaults();
    agent.get(url).call()?.into_body().into_reader().read_exact(&mut [0])?;
    Ok(start.elapsed())
}

fn plain_piece(url: &str, from: u64) -> Timed {
    let start = Instant::now();
    let agent = infill_blocking::ureq::Agent::new_with_defaults();
    let request = agent.get(url).header("Range", format!("bytes={from}-"));
    request.call()?.into_body().into_reader().read_exact(&mut vec![0; PIECE])?;
    Ok(start.elapsed())
}

fn blocking_first_byte(url: &str) -> Timed {
    let client = infill_blocking::Client::new()?;
    let start = Instant::now();
    client.open(url)?.read_exact(&mut [0])?;
    Ok(start.elapsed())
}

async fn tokio_first_byte(url: &str) -> Timed {
    let client = infill_tokio::Client::new()?;
    let start = Instant::now();
    client.open(url).await?.read_exact(&mut [0]).await?;
    Ok(start.elapsed())
}

fn blocking_seek(url: &str, to: u64) -> Timed {
    let mut stream = infill_blocking::Client::new()?.open(url)?;
    stream.read_exact(&mut vec![0; PIECE])?;
    let start = Instant::now();
    stream.seek(SeekFrom::Start(to))?;
    stream.read_exact(&mut vec![0; PIECE])?;
    Ok(start.elapsed())
}

async fn tokio_seek(url: &str, to: u64) -> Timed {
    let mut stream = infill_tokio::Client::new()?.open(url).await?;
    stream.read_exact(&mut vec![0; PIECE]).await?;
    let start = Instant::now();
    stream.seek(SeekFrom::Start(to)).await?;
    stream.read_exact(&mut vec![0; PIECE]).await?;
    Ok(start.elapsed())
}
