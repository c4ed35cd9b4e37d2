//! What goes over the wire for a file of 16 MiB: bytes sent by the origin / size, and the requests.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom};

use infill_tests::origin::{Origin, Resource, content, first_difference};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

const LEN: u64 = 16 << 20;
const RATE: u64 = 32 << 20;

/// What a reader does.
#[derive(Clone, Copy)]
enum Way {
    Linear,
    EarlyClose,
    AheadAndBack,
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<28} {:>16} {:>12} {:>9}", "", "runtime", "wire / size", "requests");
    let runtime = tokio::runtime::Runtime::new()?;
    for (name, way) in [
        ("linear", Way::Linear),
        ("early close, resumed", Way::EarlyClose),
        ("seek ahead, back, through", Way::AheadAndBack),
    ] {
        for blocking in [true, false] {
            // A small send buffer: what is on the wire at a cancel is what the origin has sent, not what it queued.
            let origin = Origin::builder().rate(RATE).send_buffer(64 << 10).start();
            origin.put("/a.bin", Resource::new(content(1, LEN)));
            if let Way::EarlyClose = way {
                origin.on("/a.bin").nth(0).cut_at(LEN / 2);
            }
            let url = origin.url("/a.bin");
            if blocking {
                read_blocking(&url, way)?;
            } else {
                runtime.block_on(read_tokio(&url, way))?;
            }
            let ratio = origin.bytes_sent("/a.bin") as f64 / LEN as f64;
            let requests = origin.requests("/a.bin").len();
            let runtime = if blocking { "infill-blocking" } else { "infill-tokio" };
            println!("{name:<28} {runtime:>16} {ratio:>12.4} {requests:>9}");
        }
    }
    Ok(())
}

fn read_blocking(url: &str, way: Way) -> Result<(), Box<dyn Error>> {
    let mut stream = infill_blocking::Client::new()?.open(url)?;
    let mut bytes = Vec::new();
    if let Way::AheadAndBack = way {
        stream.read_exact(&mut vec![0; 64 << 10])?;
        stream.seek(SeekFrom::Start(LEN / 4 * 3))?;
        stream.read_exact(&mut vec![0; 64 << 10])?;
        stream.seek(SeekFrom::Start(0))?;
    }
    stream.read_to_end(&mut bytes)?;
    check(&bytes)
}

async fn read_tokio(url: &str, way: Way) -> Result<(), Box<dyn Error>> {
    let mut stream = infill_tokio::Client::new()?.open(url).await?;
    let mut bytes = Vec::new();
    if let Way::AheadAndBack = way {
        stream.read_exact(&mut vec![0; 64 << 10]).await?;
        stream.seek(SeekFrom::Start(LEN / 4 * 3)).await?;
        stream.read_exact(&mut vec![0; 64 << 10]).await?;
        stream.seek(SeekFrom::Start(0)).await?;
    }
    stream.read_to_end(&mut bytes).await?;
    check(&bytes)
}

fn check(bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    match (bytes.len() as u64, first_difference(1, 0, bytes)) {
        (LEN, None) => Ok(()),
        (len, difference) => Err(format!("{len} bytes, first wrong one: {difference:?}").into()),
    }
}
