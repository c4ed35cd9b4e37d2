//! 256 MiB from loopback to the reader, through the cache, beside the same through the temporary directory.

use std::process::ExitCode;
use std::time::Duration;

use infill_tests::bench::{self, Case, Failure, Job, Setting, cases};

use super::wait_closed;

pub(super) fn run() -> ExitCode {
    let setting = Setting {
        title: "256 MiB through the cache",
        len: 256 << 20,
        latency: Duration::ZERO,
        rate: None,
        rounds: 9,
    };
    let cases = [
        cases::INFILL_BLOCKING,
        BLOCKING,
        BLOCKING_CLOSED,
        cases::INFILL_TOKIO,
        TOKIO,
        TOKIO_CLOSED,
    ];
    bench::run(&setting, &cases)
}

const BLOCKING: Case = Case {
    name: "infill-blocking, cache",
    against: &[cases::INFILL_BLOCKING.name],
    work: read_blocking,
};

const BLOCKING_CLOSED: Case = Case {
    name: "the same until closed",
    against: &[cases::INFILL_BLOCKING.name],
    work: |job| read_blocking(job).and_then(|()| wait_closed(&job.dir)),
};

const TOKIO: Case =
    Case { name: "infill-tokio, cache", against: &[cases::INFILL_TOKIO.name], work: read_tokio };

const TOKIO_CLOSED: Case = Case {
    name: "the same till closed",
    against: &[cases::INFILL_TOKIO.name],
    // Its runtime waits for what is under way, but no longer.
    work: |job| {
        cases::runtime()?.block_on(async {
            count_tokio(job).await?;
            wait_closed(&job.dir)
        })
    },
};

fn read_blocking(job: &Job) -> Result<(), Failure> {
    let client = infill_blocking::Client::builder().cache_dir(&job.dir).build()?;
    cases::count(client.open(job.url.as_str())?, job)
}

fn read_tokio(job: &Job) -> Result<(), Failure> {
    cases::runtime()?.block_on(count_tokio(job))
}

async fn count_tokio(job: &Job) -> Result<(), Failure> {
    let client = infill_tokio::Client::builder().cache_dir(&job.dir).build()?;
    cases::count_async(client.open(job.url.as_str()).await?, job).await
}
