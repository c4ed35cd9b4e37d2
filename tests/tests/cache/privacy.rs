//! What is on the disk is for its owner alone, and holds no secret.

use std::fs;

use infill_tests::{
    origin::Origin,
    runtime::{Runtime, Source},
};

use crate::case::{Case, LEN, SEED, cache_of, files};

both! {
    directories_are_0700_and_files_0600,
    no_secret_is_on_the_disk,
}

#[cfg(unix)]
fn directories_are_0700_and_files_0600(runtime: Runtime) {
    use std::os::unix::fs::PermissionsExt as _;

    let case = Case::new(runtime);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    case.begins_with(300_000);
    case.is_let_go();
    let all = files(&case.root());
    assert!(all.len() >= 3, "lock, journal, data: {all:?}");
    for file in all {
        assert_eq!(mode(&file), 0o600, "{file:?}");
        let dir = file.parent().unwrap();
        assert_eq!(mode(dir), 0o700, "{dir:?}");
    }
    assert_eq!(mode(&case.root()), 0o700);
}

#[cfg(not(unix))]
fn directories_are_0700_and_files_0600(_: Runtime) {}

fn no_secret_is_on_the_disk(runtime: Runtime) {
    let case = Case::new(runtime);
    let elsewhere = Origin::start();
    elsewhere.put("/signed", infill_tests::origin::content(SEED, LEN));
    let to = elsewhere.url("/signed?target=hushhush-target");
    case.origin.on("/moved").redirect(302, to);
    case.on().nth(0).cut_at(LEN / 2);
    let with = |path: &str| case.origin.url(path).replace("//", "//hushhush-user:hushhush-pass@");
    let sources = [
        Source::url(format!("{}?sig=hushhush-query#hushhush-fragment", with("/a")))
            .header("Authorization", "Bearer hushhush-token")
            .header("Cookie", "session=hushhush-cookie")
            .header("X-Secret", "hushhush-value"),
        Source::url(case.origin.url("/moved?sig=hushhush-query")).cache_key("hushhush-key"),
    ];
    {
        let client = case.client();
        for source in sources.clone() {
            let mut stream = client.open(source).unwrap();
            case.reads_on(&mut stream);
        }
        assert_clean(&case);
    }
    // After a compaction, too, and with pins.
    let client = case.client();
    for entry in cache_of(&client).list().unwrap() {
        assert!(!entry.url.contains("hushhush"), "{entry:?}");
        cache_of(&client).pin(&entry.key).unwrap();
    }
    for source in sources {
        case.reads_on(&mut client.open(source).unwrap());
    }
    drop(client);
    drop(case.client());
    case.is_let_go();
    assert_clean(&case);
}

fn assert_clean(case: &Case) {
    let mut seen = 0;
    for file in files(&case.root()) {
        let name = file.to_string_lossy().to_lowercase();
        assert!(!name.contains("hushhush"), "{name}");
        let bytes = fs::read(&file).unwrap().to_ascii_lowercase();
        let found = bytes.windows(8).position(|window| window == b"hushhush");
        assert_eq!(found, None, "{name}");
        seen += bytes.len();
    }
    assert!(seen as u64 > 2 * LEN, "there was something to look at");
}
