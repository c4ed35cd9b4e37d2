//! Ways to read the whole resource through a 64 KiB buffer: the HTTP clients by themselves, and infill over them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use infill_blocking::StoreKind;
use infill_tokio::reqwest;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Case, Failure, Job};

const BUFFER: usize = 64 * 1024;

type Done = Result<(), Failure>;

/// ureq into a buffer: the least that its client can do.
pub const UREQ_BUFFER: Case =
    Case { name: "ureq to a buffer", against: &[], work: |job| count(ureq(&job.url)?, job) };

/// ureq into a file that is then read back: what any cache on disk must do.
pub const UREQ_FILE: Case = Case {
    name: "ureq to a file and back",
    against: &[UREQ_BUFFER.name],
    work: |job| {
        let mut file = tempfile::tempfile()?;
        copy(ureq(&job.url)?, &mut file)?;
        file.seek(SeekFrom::Start(0))?;
        count(file, job)
    },
};

/// infill-blocking through its temporary directory.
pub const INFILL_BLOCKING: Case = Case {
    name: "infill-blocking, temp dir",
    against: &[UREQ_FILE.name, UREQ_BUFFER.name],
    work: |job| {
        let client = infill_blocking::Client::builder().store(StoreKind::temp_dir()).build()?;
        count(client.open(job.url.as_str())?, job)
    },
};

/// reqwest into a buffer: the least that its client can do.
pub const REQWEST_BUFFER: Case = Case {
    name: "reqwest to a buffer",
    against: &[],
    work: |job| {
        block_on(async {
            let mut response = reqwest(&job.url).await?;
            let mut buffer = vec![0; BUFFER];
            let mut total = 0;
            while let Some(frame) = response.chunk().await? {
                for part in frame.chunks(BUFFER) {
                    buffer[..part.len()].copy_from_slice(part);
                    total += part.len() as u64;
                }
            }
            enough(total, job)
        })
    },
};

/// reqwest into a file that is then read back. Writes block the task, which costs less than any way around that.
pub const REQWEST_FILE: Case = Case {
    name: "reqwest to a file and back",
    against: &[REQWEST_BUFFER.name],
    work: |job| {
        block_on(async {
            let mut file = tempfile::tempfile()?;
            let mut response = reqwest(&job.url).await?;
            while let Some(frame) = response.chunk().await? {
                file.write_all(&frame)?;
            }
            file.seek(SeekFrom::Start(0))?;
            count(file, job)
        })
    },
};

/// infill-tokio through its temporary directory.
pub const INFILL_TOKIO: Case = Case {
    name: "infill-tokio, temp dir",
    against: &[REQWEST_FILE.name, REQWEST_BUFFER.name],
    work: |job| {
        block_on(async {
            let client = infill_tokio::Client::builder().store(StoreKind::temp_dir()).build()?;
            count_async(client.open(job.url.as_str()).await?, job).await
        })
    },
};

/// A runtime of two workers, which is how many processors the machine of the figures has.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn block_on(work: impl Future<Output = Done>) -> Done {
    runtime()?.block_on(work)
}

async fn reqwest(url: &str) -> Result<reqwest::Response, Failure> {
    // The same settings as infill's own: no decompression, no proxy.
    let client = infill_tokio::reqwest_builder()?.build()?;
    Ok(client.get(url).send().await?.error_for_status()?)
}

fn ureq(url: &str) -> Result<impl Read + use<>, Failure> {
    let agent = infill_blocking::ureq::Agent::new_with_defaults();
    Ok(agent.get(url).call()?.into_body().into_reader())
}

/// Reads to the end and checks the count.
pub fn count(mut source: impl Read, job: &Job) -> Done {
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        total += count as u64;
    }
    enough(total, job)
}

/// The same, without blocking.
pub async fn count_async(mut source: impl AsyncRead + Unpin, job: &Job) -> Done {
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        let count = source.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        total += count as u64;
    }
    enough(total, job)
}

/// Whether all of the resource was read.
pub fn enough(total: u64, job: &Job) -> Done {
    if total == job.len {
        Ok(())
    } else {
        Err(format!("{total} bytes instead of {}", job.len).into())
    }
}

fn copy(mut source: impl Read, file: &mut File) -> Done {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..count])?;
    }
}
