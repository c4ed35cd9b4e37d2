//! 1,000 random seeks with 4 KiB reads in a complete file of 64 MiB, beside `read_at` on a file.

use std::error::Error;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use infill_blocking::StoreKind;
use infill_tests::bench::median;
use infill_tests::origin::{Origin, Resource, content};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

const LEN: u64 = 64 << 20;
const SEEKS: usize = 1_000;
const PIECE: usize = 4096;
const ROUNDS: usize = 5;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let bytes = content(1, LEN);
    let origin = Origin::start();
    origin.put("/a.bin", Resource::new(bytes.clone()));
    let url = origin.url("/a.bin");
    let mut file = tempfile::tempfile()?;
    file.write_all(&bytes)?;
    let runtime = tokio::runtime::Runtime::new()?;

    let client = infill_blocking::Client::builder().store(StoreKind::temp_dir()).build()?;
    let mut on_disk = client.open(url.as_str())?;
    std::io::copy(&mut on_disk, &mut std::io::sink())?;
    let client = infill_blocking::Client::builder().store(StoreKind::memory(128 << 20)).build()?;
    let mut in_memory = client.open(url.as_str())?;
    std::io::copy(&mut in_memory, &mut std::io::sink())?;
    let mut on_tokio = runtime.block_on(async {
        let client = infill_tokio::Client::builder().store(StoreKind::temp_dir()).build()?;
        let mut stream = client.open(url.as_str()).await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
        Ok::<_, Box<dyn Error>>(stream)
    })?;

    println!(
        "1,000 random seeks + 4 KiB in a complete 64 MiB: median ns a seek (of {ROUNDS} rounds, in turn)"
    );
    let mut figures = [const { Vec::new() }; 4];
    for round in 0..ROUNDS as u64 {
        let offsets = offsets(round);
        figures[0].push(each(&offsets, |at, buffer| Ok(file.read_exact_at(buffer, at)?))?);
        figures[1].push(each(&offsets, |at, buffer| {
            on_disk.seek(SeekFrom::Start(at))?;
            Ok(on_disk.read_exact(buffer)?)
        })?);
        figures[2].push(each(&offsets, |at, buffer| {
            in_memory.seek(SeekFrom::Start(at))?;
            Ok(in_memory.read_exact(buffer)?)
        })?);
        let times = runtime.block_on(async {
            let mut times = Vec::new();
            let mut buffer = vec![0; PIECE];
            for at in offsets {
                let start = Instant::now();
                on_tokio.seek(SeekFrom::Start(at)).await?;
                on_tokio.read_exact(&mut buffer).await?;
                times.push(start.elapsed().as_nanos() as f64);
            }
            Ok::<_, Box<dyn Error>>(median(times))
        })?;
        figures[3].push(times);
    }
    let [file, disk, memory, tokio] = figures.map(median);
    println!("File::read_at {file:.0}");
    for (name, figure) in
        [("blocking, temp dir", disk), ("blocking, memory", memory), ("tokio, temp dir", tokio)]
    {
        println!("{name} {figure:.0}: {:.2}x", figure / file);
    }
    Ok(())
}

fn offsets(seed: u64) -> Vec<u64> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..SEEKS).map(|_| rng.u64(0..LEN - PIECE as u64)).collect()
}

/// The median time of one seek and read.
fn each(
    offsets: &[u64],
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut buffer = vec![0; PIECE];
    let mut times = Vec::with_capacity(offsets.len());
    for at in offsets {
        let start = Instant::now();
        read(*at, &mut buffer)?;
        let took: Duration = start.elapsed();
        times.push(took.as_nanos() as f64);
    }
    Ok(median(times))
}
