//! Fetching without playing.

use std::{
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    origin::content,
    runtime::{CacheState, Cause, ErrorKind, Runtime, Settings, State},
};

use crate::case::{BLOCK, Case, LEN, SEED, cache_of, eventually, only};

both! {
    a_download_is_complete_when_it_is_waited_for,
    a_dropped_download_stops_and_keeps_what_came,
    a_pinned_download_is_pinned,
    a_prefetch_takes_the_beginning,
    playback_comes_first,
    a_download_that_fails_says_why,
    without_a_cache_there_is_no_download,
    a_closed_download_stops,
}

fn a_download_is_complete_when_it_is_waited_for(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = case.client();
    case.on().nth(0).cut_at(400_000);
    let download = client.download(case.url());
    let handle = download.handle();
    download.wait().unwrap();
    let entry = only(&cache_of(&client));
    assert_eq!((entry.stored, entry.state), (LEN, CacheState::Complete));
    assert_eq!((entry.percent(), entry.pinned), (Some(100.0), false));
    assert_eq!(handle.stats().bytes_fetched, LEN);
    drop(client);
    case.plays();
    assert_eq!((case.requests().len(), case.sent()), (2, LEN), "{}", case.story());
}

fn a_dropped_download_stops_and_keeps_what_came(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(300_000);
    let client = case.client();
    let download = client.download(case.url());
    let handle = download.handle();
    eventually("something came", || handle.stats().bytes_fetched == 300_000);
    drop(download);
    eventually("it has stopped", || case.origin.open_connections() == 0);
    eventually("it is closed", || !only(&cache_of(&client)).open);
    let entry = only(&cache_of(&client));
    assert_eq!((entry.stored, entry.state), (300_000, CacheState::Partial));
    drop(client);
    case.client().download(case.url()).wait().unwrap();
    assert_eq!(case.sent(), LEN, "{}", case.story());
}

fn a_pinned_download_is_pinned(runtime: Runtime) {
    let case = Case::new(runtime);
    case.client().download(case.url()).pin().wait().unwrap();
    let client = case.client();
    assert!(only(&cache_of(&client)).pinned, "also in the next life");
    cache_of(&client).clear().unwrap();
    assert_eq!(only(&cache_of(&client)).stored, LEN);
}

fn a_prefetch_takes_the_beginning(runtime: Runtime) {
    let len = 4 << 20;
    let case = Case::of(runtime, len);
    case.on().rate(16 << 20);
    case.client().prefetch(case.url(), 300_000).wait().unwrap();
    let client = case.client();
    let stored = only(&cache_of(&client)).stored;
    assert!((300_000..300_000 + 2 * BLOCK).contains(&stored), "{stored}");
    case.on().from(1).stall_before_head();
    let mut stream = client.open(case.url()).unwrap();
    stream.check_at(SEED, 0, 300_000);
    drop((stream, client));
    // More than there is, is all there is.
    case.origin.heal_all();
    case.client().prefetch(case.url(), u64::MAX).wait().unwrap();
    assert_eq!(only(&cache_of(&case.client())).stored, len);
}

fn playback_comes_first(runtime: Runtime) {
    let case = Case::of(runtime, 4 << 20).with(|config| config.connections_per_host = 1);
    case.on().rate(2 << 20);
    case.origin.put("/b", content(SEED, LEN));
    let client = case.client();
    let download = client.download(case.url());
    let handle = download.handle();
    eventually("it has begun", || handle.stats().bytes_fetched > 100_000);
    let begun = Instant::now();
    let mut stream = client.open(case.origin.url("/b")).unwrap();
    stream.check_at(SEED, 0, LEN);
    // All of the download would take two seconds.
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    drop(stream);
    download.wait().unwrap();
}

fn a_download_that_fails_says_why(runtime: Runtime) {
    let case = Case::new(runtime).impatient();
    let client = case.client();
    let error = client.download(case.origin.url("/none")).wait().unwrap_err();
    assert_eq!(error.http_status(), Some(404), "{error}");
    assert_eq!(cache_of(&client).list().unwrap(), []);
    case.on().nth(0).cut_at(100_000);
    case.on().from(1).status(503);
    let error = client.download(case.url()).wait().unwrap_err();
    assert_eq!(error.http_status(), Some(503), "{error}");
    let error = client.download("no/such/file.mp3").wait().unwrap_err();
    assert!(matches!(error.cause(), Cause::Unsupported(_) | Cause::Caller(_)), "{error}");
    case.origin.heal_all();
    client.download(case.url()).wait().unwrap();
    assert_eq!(only(&cache_of(&client)).stored, LEN);
}

fn without_a_cache_there_is_no_download(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = runtime.client(&Settings::quick());
    let error = client.download(case.url()).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("cache_dir"), "what to do: {error}");
}

fn a_closed_download_stops(runtime: Runtime) {
    let case = Case::new(runtime);
    case.on().nth(0).stall_at(100_000);
    let client = case.client();
    let download = client.download(case.url());
    let handle = download.handle();
    let closing = thread::spawn({
        let handle = handle.clone();
        move || {
            thread::sleep(Duration::from_millis(50));
            handle.close();
        }
    });
    let error = download.wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert_eq!(handle.progress().state, State::Closed);
    closing.join().unwrap();
}
