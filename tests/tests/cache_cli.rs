//! The example `cache` as a program: what it shows, what it does, how it ends. And `play --cache`, which fills one.

#![allow(clippy::unwrap_used)] // Scripts of tests: what is unexpected fails them.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use infill_tests::{
    cache_cli,
    child::{self, Child, Ended},
    origin::{Origin, content},
    runtime::{Runtime, Settings},
};

const SEED: u64 = 8;
const LEN: u64 = 1 << 20;

#[test]
#[ignore = "the process that the others start"]
fn program() {
    child::run(|args| {
        cache_cli::run("cache", args, &mut std::io::stdout(), &mut std::io::stderr())
    });
}

/// Runs the program in a process of its own.
fn cache<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Ended {
    Child::start("program", args).wait(Duration::from_secs(20))
}

fn fine(args: &[&str]) -> String {
    let ended = cache(args);
    assert!(ended.status.success() && ended.err.is_empty(), "{args:?}: {ended:?}");
    ended.out
}

/// The one line that it fails with.
fn failure(args: &[&str], code: i32) -> String {
    let ended = cache(args);
    assert_eq!(ended.status.code(), Some(code), "{args:?}: {ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
    ended.err
}

/// A cache with `/whole`, all of it, and `/part`, a quarter of it; the origin is gone.
fn filled(dir: &Path) {
    let origin = Origin::start();
    for path in ["/whole", "/part"] {
        origin.put(path, content(SEED, LEN));
    }
    let client = Runtime::Blocking.client(&Settings::quick().cache(dir));
    client.download(origin.url("/whole?sig=secret")).wait().unwrap();
    origin.on("/part").stall_at(LEN / 4);
    let mut stream = client.open(origin.url("/part")).unwrap();
    stream.check_at(SEED, 0, LEN / 4);
    drop((stream, client));
    free(dir);
}

/// Waits until nobody has the directory any more.
fn free(dir: &Path) {
    let begun = Instant::now();
    let is_free = || fs::File::open(dir.join("lock")).unwrap().try_lock().is_ok();
    while !is_free() {
        assert!(begun.elapsed() < Duration::from_secs(2), "the lock is held on");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The rows of the table without their keys' and URLs' beginnings.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

fn key_of<'a>(text: &'a str, name: &str) -> &'a str {
    let row = rows(text).into_iter().find(|row| row.last().is_some_and(|url| url.ends_with(name)));
    row.unwrap_or_else(|| panic!("{name}: {text}"))[0]
}

#[test]
fn a_cache_is_listed_kept_and_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("pods");
    filled(&root);
    let at = root.to_str().unwrap();

    let listed = fine(&["ls", at]);
    let table = rows(&listed);
    assert_eq!(table[0], ["KEY", "STORED", "SIZE", "HERE", "STATE", "URL"]);
    let (part, whole) = (&table[1], &table[2]);
    assert_eq!(part[1..=6], ["256.0", "KiB", "1.0", "MiB", "25.0%", "partial"], "{listed}");
    assert_eq!(whole[1..=6], ["1.0", "MiB", "1.0", "MiB", "100.0%", "complete"], "{listed}");
    assert_eq!(listed.lines().last(), Some("2 entries, 1.2 MiB"));
    assert!(!listed.contains("secret"), "{listed}");

    let (part, whole) = (key_of(&listed, "/part"), key_of(&listed, "/whole"));
    assert_eq!(part.len(), 12, "{listed}");
    let unambiguous = if part[..3] == whole[..3] { part } else { &part[..3] };
    let pinned = fine(&["pin", at, unambiguous]);
    assert!(pinned.starts_with(part) && pinned.contains("  pinned  "), "{pinned}");
    assert!(fine(&["ls", at]).contains("25.0%  partial, pinned"));

    let verified = fine(&["verify", at]);
    assert_eq!(verified.matches("  good: ").count(), 2, "{verified}");
    let cleared = fine(&["clear", at]);
    assert_eq!(cleared, "removed 1 entry, 1.0 MiB; 1 entry pinned, 256.0 KiB, left\n");
    assert!(fine(&["unpin", at, part]).contains("  unpinned  "));
    assert!(fine(&["rm", at, &part.to_uppercase()]).contains("  removed  "));
    assert_eq!(fine(&["ls", at]).lines().last(), Some("0 entries, 0 B"));
    assert_eq!(fine(&["clear", at]), "removed 0 entries, 0 B\n");
}

#[test]
fn damage_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let at = dir.path().to_str().unwrap();
    let listed = fine(&["ls", at]);
    let whole = key_of(&listed, "/whole");
    let asset = fs::read_dir(dir.path()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.file_name()?.to_str()?.starts_with(whole).then_some(path)
    });
    let file = fs::read_dir(asset.unwrap()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes[5] ^= 1;
    fs::write(&file, bytes).unwrap();
    let ended = cache(["verify", at, whole]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.out.contains("DAMAGED: 256.0 KiB lost, 768.0 KiB good"), "{ended:?}");
    assert_eq!(ended.out.lines().count(), 2, "{ended:?}");
    assert!(fine(&["ls", at]).contains("75.0%  partial"));
}

#[test]
fn what_can_not_be_done_is_named_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("pods");
    filled(&root);
    let at = root.to_str().unwrap();
    assert!(failure(&["list", at], 2).contains("there is no command \"list\""));
    assert!(failure(&["rm", at], 2).contains("rm needs a key"));
    assert!(failure(&["rm", at, "xyz"], 1).contains("no key begins with \"xyz\""));

    let nothing = dir.path().join("nothing");
    let text = failure(&["ls", nothing.to_str().unwrap()], 1);
    assert!(text.contains("holds no cache") && text.contains("nothing"), "{text}");
    assert!(!nothing.exists(), "looking makes none");
    let text = failure(&["clear", dir.path().to_str().unwrap()], 1);
    assert!(text.contains("holds no cache"), "{text}");

    let client = Runtime::Tokio.client(&Settings::quick().cache(&root));
    let text = failure(&["ls", at], 1);
    let lock = root.join("lock");
    assert!(text.contains("lock") && text.contains(lock.to_str().unwrap()), "{text}");
    drop(client);
}

#[test]
fn help_is_help() {
    let help = fine(&["--help"]);
    assert!(help.contains("--example cache -- <command> <directory> [key ...]"), "{help}");
}
