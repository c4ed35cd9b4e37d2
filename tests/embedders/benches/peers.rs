//! infill beside stream-download: throughput, the time to the first byte, and what comes out after seeks on a healthy
//! server.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use infill_tests::bench::{self, Case, Failure, Job, Setting, cases};
use infill_tests::origin::{Origin, Resource, content, first_difference};
use infill_tokio::StoreKind;
use stream_download::http::HttpStream;
use stream_download::storage::temp::TempStorageProvider;
use stream_download::{Settings, StreamDownload};

type Peer = StreamDownload<TempStorageProvider>;

const THROUGHPUT: Setting = Setting {
    title: "256 MiB from loopback to the reader",
    len: 256 << 20,
    latency: Duration::ZERO,
    rate: None,
    rounds: 5,
};

const FIRST_BYTE: Setting = Setting {
    title: "Open to the first byte: 30 ms latency, 128 KiB/s",
    len: 8 << 20,
    latency: Duration::from_millis(30),
    rate: Some(128 << 10),
    rounds: 5,
};

const PEER: Case = Case {
    name: "stream-download, temp file",
    against: &[cases::REQWEST_FILE.name, cases::INFILL_TOKIO.name],
    work: |job| {
        let job = job.clone();
        let runtime = cases::runtime()?;
        // It reads blocking: on this thread, while its task runs on the workers.
        let stream = runtime.block_on(peer(&job.url))?;
        cases::count(stream, &job)
    },
};

const PEER_FIRST_BYTE: Case = Case {
    name: "stream-download",
    against: &[],
    work: |job| {
        let runtime = cases::runtime()?;
        let stream = runtime.block_on(peer(&job.url))?;
        first_byte(stream)
    },
};

const BLOCKING_FIRST_BYTE: Case = Case {
    name: "infill-blocking",
    against: &[PEER_FIRST_BYTE.name],
    work: |job| first_byte(infill_blocking::Client::new()?.open(job.url.as_str())?),
};

const TOKIO_FIRST_BYTE: Case = Case {
    name: "infill-tokio",
    against: &[PEER_FIRST_BYTE.name],
    work: |job| {
        let runtime = cases::runtime()?;
        first_byte(runtime.block_on(tokio_stream(job))?)
    },
};

fn main() -> ExitCode {
    let throughput = [cases::REQWEST_BUFFER, cases::REQWEST_FILE, cases::INFILL_TOKIO, PEER];
    let first_byte = [PEER_FIRST_BYTE, BLOCKING_FIRST_BYTE, TOKIO_FIRST_BYTE];
    let code = bench::run_all(&[(THROUGHPUT, &throughput), (FIRST_BYTE, &first_byte)]);
    if bench::is_parent()
        && code == ExitCode::SUCCESS
        && let Err(error) = seek_and_read_through()
    {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    code
}

async fn peer(url: &str) -> Result<Peer, Failure> {
    // With the client that infill has, so that neither brings another.
    let client = infill_tokio::reqwest_builder()?.build()?;
    let http = HttpStream::new(client, url.parse()?).await;
    let http = http.map_err(|error| error.to_string())?;
    let storage = TempStorageProvider::new();
    let stream = StreamDownload::from_stream(http, storage, Settings::default()).await;
    stream.map_err(|error| error.to_string().into())
}

async fn tokio_stream(job: &Job) -> Result<infill_tokio::BlockingFileStream, Failure> {
    let client = infill_tokio::Client::builder().store(StoreKind::temp_dir()).build()?;
    Ok(client.open(job.url.as_str()).await?.into_blocking())
}

fn first_byte(mut stream: impl Read) -> Result<(), Failure> {
    stream.read_exact(&mut [0])?;
    Ok(())
}

/// A figure of counts, not of times: reads a little far ahead, goes back to the start and reads all.
#[allow(clippy::print_stdout, reason = "a benchmark's output")]
fn seek_and_read_through() -> Result<(), Failure> {
    const LEN: u64 = 8 << 20;
    let bytes = content(1, LEN);
    let runtime = cases::runtime()?;
    println!("Seek ahead, back, and read through 8 MiB at 4 MiB/s");
    println!("{:<28} {:>11} {:>9}  content", "", "wire / size", "requests");
    for name in ["stream-download", "infill-blocking", "infill-tokio"] {
        let manners = Origin::builder().latency(Duration::from_millis(30));
        let origin = manners.rate(4 << 20).start();
        origin.put("/a", Resource::new(bytes.clone()));
        let url = origin.url("/a");
        // None of them has a cache.
        let job = Job { url: url.clone(), len: LEN, dir: PathBuf::new() };
        let read = match name {
            "stream-download" => through(runtime.block_on(peer(&url))?),
            "infill-blocking" => through(infill_blocking::Client::new()?.open(url)?),
            _ => through(runtime.block_on(tokio_stream(&job))?),
        };
        let verdict = match read {
            Err(error) => format!("fails: {error}"),
            Ok(read) if read[..] == bytes[..] => "right".to_owned(),
            Ok(read) => {
                let wrong = read.iter().zip(&bytes[..]).filter(|(a, b)| a != b).count();
                let at = first_difference(1, 0, &read);
                format!("{wrong} of {} bytes WRONG, first at {at:?}", read.len())
            }
        };
        let wire = origin.bytes_sent("/a") as f64 / LEN as f64;
        let requests = origin.requests("/a").len();
        println!("{name:<28} {wire:>11.3} {requests:>9}  {verdict}");
    }
    Ok(())
}

fn through(mut stream: impl Read + Seek) -> Result<Vec<u8>, Failure> {
    stream.seek(SeekFrom::Start(5 << 20))?;
    stream.read_exact(&mut [0; 4096])?;
    stream.seek(SeekFrom::Start(0))?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    Ok(all)
}
