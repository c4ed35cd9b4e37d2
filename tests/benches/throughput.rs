//! 256 MiB from loopback to the reader, through the temporary directory, beside the same HTTP clients alone.

use std::process::ExitCode;
use std::time::Duration;

use infill_tests::bench::{self, Setting, cases};

fn main() -> ExitCode {
    let setting = Setting {
        title: "256 MiB from loopback to the reader",
        len: 256 << 20,
        latency: Duration::ZERO,
        rate: None,
        rounds: 7,
    };
    bench::run(
        &setting,
        &[
            cases::UREQ_BUFFER,
            cases::UREQ_FILE,
            cases::INFILL_BLOCKING,
            cases::REQWEST_BUFFER,
            cases::REQWEST_FILE,
            cases::INFILL_TOKIO,
        ],
    )
}
