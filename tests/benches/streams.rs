//! 200 streams of 1 MiB at once: time, memory and threads, beside the client alone.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use infill_blocking::StoreKind;
use infill_tests::bench::{self, Case, Job, Setting, cases};
use tokio::io::AsyncReadExt;

const STREAMS: usize = 200;

type Done = Result<(), bench::Failure>;

const REQWEST: Case = Case {
    name: "reqwest",
    against: &[],
    work: |job| {
        on_tokio(job, |url, len| async move {
            let client = reqwest_client().await.map_err(|error| error.to_string())?;
            let response = client.get(url).send().await;
            let bytes = response.map_err(|error| error.to_string())?;
            let bytes = bytes.bytes().await.map_err(|error| error.to_string())?;
            (bytes.len() as u64 == len).then_some(()).ok_or_else(|| "short".to_owned())
        })
    },
};

const TOKIO: Case = Case {
    name: "infill-tokio",
    against: &[REQWEST.name],
    work: |job| {
        let store = StoreKind::temp_dir();
        on_tokio(job, move |url, len| {
            let store = store.clone();
            async move {
                let client = client(store).await.map_err(|error| error.to_string())?;
                let mut stream = client.open(url).await.map_err(|error| error.to_string())?;
                let mut buffer = vec![0; 16 << 10];
                let mut total = 0;
                loop {
                    match stream.read(&mut buffer).await.map_err(|error| error.to_string())? {
                        0 => break,
                        count => total += count as u64,
                    }
                }
                (total == len).then_some(()).ok_or_else(|| "short".to_owned())
            }
        })
    },
};

const BLOCKING: Case = Case {
    name: "infill-blocking",
    against: &[REQWEST.name],
    work: |job| {
        let client = infill_blocking::Client::builder().store(StoreKind::temp_dir()).build()?;
        let opened: Result<Vec<_>, _> = urls(job).map(|url| client.open(url)).collect();
        for stream in opened? {
            cases::count(stream, job)?;
        }
        report_threads();
        Ok(())
    },
};

/// One client for all requests, as a program would have it.
async fn reqwest_client()
-> Result<infill_tokio::reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    static CLIENT: tokio::sync::OnceCell<infill_tokio::reqwest::Client> =
        tokio::sync::OnceCell::const_new();
    let make = || async { Ok(infill_tokio::reqwest_builder()?.build()?) };
    CLIENT.get_or_try_init(make).await.cloned()
}

/// One client for all streams, as a program would have it.
async fn client(store: StoreKind) -> Result<infill_tokio::Client, infill_tokio::Error> {
    static CLIENT: tokio::sync::OnceCell<infill_tokio::Client> = tokio::sync::OnceCell::const_new();
    let make = || async { infill_tokio::Client::builder().store(store).build() };
    CLIENT.get_or_try_init(make).await.cloned()
}

fn on_tokio<F>(job: &Job, read: impl Fn(String, u64) -> F) -> Done
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let tasks: Vec<_> = urls(job).map(|url| tokio::spawn(read(url, job.len))).collect();
        report_threads();
        for task in tasks {
            task.await??;
            note_threads();
        }
        report_threads();
        Ok(())
    })
}

fn urls(job: &Job) -> impl Iterator<Item = String> {
    (0..STREAMS).map(move |index| format!("{}?{index}", job.url))
}

static MOST_THREADS: AtomicUsize = AtomicUsize::new(0);

fn note_threads() {
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    MOST_THREADS.fetch_max(threads, Ordering::Relaxed);
}

#[allow(clippy::print_stderr)]
fn report_threads() {
    note_threads();
    eprint!("[{} threads] ", MOST_THREADS.load(Ordering::Relaxed));
}

fn main() -> ExitCode {
    let setting = Setting {
        title: "200 streams of 1 MiB at once",
        len: 1 << 20,
        latency: Duration::ZERO,
        rate: None,
        rounds: 5,
    };
    bench::run(&setting, &[REQWEST, TOKIO, BLOCKING])
}
