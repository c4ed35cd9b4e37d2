//! Every row of the fault catalogue that a client of files can meet, A1-A28, B1-B30 and D1-D17, is named by a test
//! (`fn a14_...`), or stands here with the reason why there is none. The fault origin's own tests don't count: they
//! show that it can misbehave, not that anyone copes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Rows without a test, and why.
const NOT_APPLICABLE: [(&str, &str); 1] = [(
    "b16",
    "HTTP/2 only: its framing belongs to the h2 crate, which fails a body whose DATA frames don't add up to its \
     content-length; to the core that is a body that broke, as in b1 and b7",
)];

/// Where tests are looked for, from the workspace's root.
const PLACES: [&str; 6] = [
    "core/src",
    "runtime-blocking/src",
    "runtime-blocking/tests",
    "runtime-tokio/src",
    "runtime-tokio/tests",
    "tests/tests",
];

#[test]
fn every_row_has_a_test_or_a_reason() {
    let named = named_rows();
    let excused: BTreeMap<_, _> = NOT_APPLICABLE.into_iter().collect();
    for row in rows() {
        let tests = named.get(&row).map_or(0, BTreeSet::len);
        match excused.get(row.as_str()) {
            None => assert!(tests > 0, "no test is named after {row}, and no reason given"),
            Some(reason) => {
                assert_eq!(tests, 0, "{row} has tests by now: its reason is stale");
                assert!(reason.len() > 40, "{row}: that is no reason");
            }
        }
    }
}

#[test]
fn every_row_that_is_named_exists() {
    let rows: BTreeSet<_> = rows().collect();
    for (row, tests) in named_rows() {
        assert!(rows.contains(&row), "{row} is no row: {tests:?}");
    }
    for (row, _) in NOT_APPLICABLE {
        assert!(rows.contains(row), "{row} is no row");
    }
}

#[test]
fn names_are_found_and_nothing_else() {
    let found = |line| row_of(line).map(|(row, _)| row);
    assert_eq!(found("    fn b7_a_reset_is_resumed(runtime: Runtime) {"), Some("b7".into()));
    assert_eq!(found("async fn a14_416() {"), Some("a14".into()));
    assert_eq!(found("fn b13_b15_an_encoded_body()"), Some("b13".into()));
    assert_eq!(found("fn d16_what_is_open_stays()"), Some("d16".into()));
    for line in ["// fn a1_x", "fn a_14()", "fn a14()", "fn b7x_y()", "fn c7_y()", "a1_x,"] {
        assert_eq!(found(line), None, "{line}");
    }
}

fn rows() -> impl Iterator<Item = String> {
    let a = (1..=28).map(|n| format!("a{n}"));
    a.chain((1..=30).map(|n| format!("b{n}"))).chain((1..=17).map(|n| format!("d{n}")))
}

/// The functions that are named after rows, by row. One may name several: `b13_b15_...`.
fn named_rows() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.expect("the package lies in the workspace");
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in PLACES.iter().flat_map(|place| rust_files(&root.join(place))) {
        // This file's examples are no tests of rows.
        if file.ends_with(file!()) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file can be read");
        for (first, name) in text.lines().filter_map(row_of) {
            let others = name.split('_').skip(1).map_while(row_name);
            for row in std::iter::once(first).chain(others) {
                named.entry(row).or_default().insert(name.clone());
            }
        }
    }
    named
}

fn rust_files(place: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(place).into_iter().flatten() {
        let path = entry.expect("a directory can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The row that the function of this line is named after first, and its name.
fn row_of(line: &str) -> Option<(String, String)> {
    let line = line.trim_start();
    let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    let (row, _) = name.split_once('_')?;
    Some((row_name(row)?, name.to_owned()))
}

fn row_name(word: &str) -> Option<String> {
    let number = word.strip_prefix(['a', 'b', 'd'])?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| word.to_owned())
}
