//! Ways to read the whole resource through a 64 KiB buffer: the HTTP clients by themselves, and infill over them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use infill_blocking::StoreKind;

use super::{Case, Job};

const BUFFER: usize = 64 * 1024;

type Done = Result<(), Box<dyn std::error::Error>>;

/// ureq into a buffer: the least that its client can do.
pub const UREQ_BUFFER: Case = Case {
    name: "ureq to a buffer",
    against: &[],
    work: |job| count(ureq(&job.url)?, job),
};

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
        let client = infill_blocking::Client::builder()
            .store(StoreKind::temp_dir())
            .build()?;
        count(client.open(job.url.as_str())?, job)
    },
};

fn ureq(url: &str) -> Result<impl Read + use<>, Box<dyn std::error::Error>> {
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
