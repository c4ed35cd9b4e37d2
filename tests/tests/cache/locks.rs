//! One process, one client per directory.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    child::{self, Child},
    cli::Exit,
    runtime::{ErrorKind, Runtime, Settings},
};

use crate::case::{Case, cache_of, eventually, is_lock};

both! {
    d7_a_second_client_is_told_which_lock,
    d7_a_second_process_is_told_which_lock_and_a_killed_one_leaves_none,
    a_client_that_is_dropped_lets_go,
    a_stream_keeps_the_directory_for_its_client,
    what_can_not_be_a_cache_is_named,
}

/// The process that others start: has a cache open until it is killed.
#[test]
#[ignore = "the process that the others start and kill"]
fn holder() {
    child::run(|args| {
        let [runtime, dir, ready] = &args[..] else {
            return Exit::Usage;
        };
        let runtime = if runtime == "tokio" { Runtime::Tokio } else { Runtime::Blocking };
        let client = runtime.client(&Settings::quick().cache(dir));
        fs::write(ready, b"ready").unwrap();
        // Longer than any test; it is killed before.
        thread::sleep(Duration::from_secs(60));
        drop(client);
        Exit::Done
    });
}

fn d7_a_second_client_is_told_which_lock(runtime: Runtime) {
    let case = Case::new(runtime);
    let first = case.client();
    for other in Runtime::ALL {
        let begun = Instant::now();
        let error = other.try_client(&case.settings).unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(1), "at once: {:?}", begun.elapsed());
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        let lock = case.root().join("lock");
        let text = error.to_string();
        assert!(text.contains(lock.to_str().unwrap()) && is_lock(&text), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
    // Another directory is another matter, and so is a client without one.
    runtime.client(&Settings::quick().cache(case.root().join("within")));
    runtime.client(&Settings::quick());
    case.reads_on(&mut first.open(case.url()).unwrap());
}

fn d7_a_second_process_is_told_which_lock_and_a_killed_one_leaves_none(runtime: Runtime) {
    let case = Case::new(runtime);
    case.plays();
    let ready = case.root().with_file_name("ready");
    let args = [runtime.to_string().into(), case.root().into(), ready.clone().into()];
    case.is_let_go();
    let child = Child::start::<std::ffi::OsString>("locks::holder", args);
    eventually("the child is ready", || ready.exists());
    let error = runtime.try_client(&case.settings).unwrap_err();
    assert!(error.to_string().contains(case.root().join("lock").to_str().unwrap()), "{error}");
    assert!(child.kill(), "it ran");
    let mut stream = runtime.client(&case.settings).open(case.url()).unwrap();
    case.reads_on(&mut stream);
    assert_eq!(case.requests().len(), 1, "{}", case.story());
}

fn a_client_that_is_dropped_lets_go(runtime: Runtime) {
    let case = Case::new(runtime);
    for _ in 0..20 {
        let begun = Instant::now();
        drop(case.client());
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}

fn a_stream_keeps_the_directory_for_its_client(runtime: Runtime) {
    let case = Case::new(runtime);
    let client = case.client();
    let mut stream = client.open(case.url()).unwrap();
    let cache = cache_of(&client);
    drop(client);
    runtime.try_client(&case.settings).unwrap_err();
    case.reads_on(&mut stream);
    drop(stream);
    runtime.try_client(&case.settings).unwrap_err();
    assert_eq!(cache.list().unwrap().len(), 1);
    drop(cache);
    drop(case.client());
}

fn what_can_not_be_a_cache_is_named(runtime: Runtime) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"no directory").unwrap();
    // Root may write where modes forbid it, so a path that is a file stands for what can't be written.
    let places: [PathBuf; 2] = [file.clone(), file.join("beneath")];
    for place in places {
        let error = runtime.try_client(&Settings::quick().cache(&place)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert!(error.to_string().contains(place.to_str().unwrap()), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"no directory");
    // Where a directory is in the way of a file.
    for name in ["lock", "_index/journal.bin"] {
        let root = dir.path().join(name.replace('/', "-"));
        fs::create_dir_all(root.join(name)).unwrap();
        let error = runtime.try_client(&Settings::quick().cache(&root)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert!(error.to_string().contains(root.to_str().unwrap()), "{error}");
    }
}
