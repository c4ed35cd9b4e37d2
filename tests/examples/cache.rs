//! Looks after a cache directory: what is in it, whether it is still what it was, what stays and what goes.
//!
//! ```text
//! cargo run --release --example cache -- ls pods
//! ```
//!
//! `--help` lists the commands. They are in `infill_tests::cache_cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    infill_tests::cache_cli::main("cache")
}
