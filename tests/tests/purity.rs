//! The core is pure: no IO crate beneath it, no unsafe code in it, no clock, thread, file or socket named in it.
//!
//! `core/clippy.toml` bans calls; this also holds where clippy doesn't run, and it looks at the dependencies.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that the core may stand on. All of them compute, and do no more: buffers, randomness from a seed, dates,
/// ranges, digests, records, URLs. `url` brings Unicode's tables (`idna`, `icu_*`) along; `sha2` brings what hashes have
/// in common, and asks the processor what it can (`cpufeatures`).
const COMPUTES: &[&str] = &[
    "aes",
    "bincode",
    "block-buffer",
    "bytes",
    "cbc",
    "cfg-if",
    "chrono",
    "cipher",
    "cpubits",
    "cpufeatures",
    "crypto-common",
    "digest",
    "fastrand",
    "form_urlencoded",
    "httpdate",
    "hybrid-array",
    "icu_collections",
    "icu_locale_core",
    "icu_normalizer",
    "icu_normalizer_data",
    "icu_properties",
    "icu_properties_data",
    "icu_provider",
    "idna",
    "idna_adapter",
    "infill-core",
    "inout",
    "litemap",
    "m3u8-rs",
    "memchr",
    "minimal-lexical",
    "nom",
    "num-traits",
    "percent-encoding",
    "potential_utf",
    "serde",
    "serde_core",
    "sha2",
    "smallvec",
    "stable_deref_trait",
    "tinystr",
    "typenum",
    "url",
    "utf8_iter",
    "utf_types",
    "writeable",
    "xxhash-rust",
    "yoke",
    "zerofrom",
    "zerotrie",
    "zerovec",
];

/// Procedural macros of the above, and what they are made of: they run in the compiler alone.
const IN_THE_COMPILER: &[&str] = &[
    "displaydoc",
    "proc-macro2",
    "quote",
    "serde_derive",
    "syn",
    "synstructure",
    "unicode-ident",
    "yoke-derive",
    "zerofrom-derive",
    "zerovec-derive",
];

/// What no source file of the core names, tests and comments included.
const IMPURE: &[&str] = &[
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "HashMap",
    "HashSet",
    "RandomState",
    "thread_rng",
];

#[test]
fn the_core_stands_on_crates_that_only_compute() {
    let tree = dependencies("{p}");
    assert!(tree.len() > 5, "no tree: {tree:?}");
    for line in &tree {
        let name = line.split_whitespace().next().unwrap_or_default();
        let known = COMPUTES.contains(&name) || IN_THE_COMPILER.contains(&name);
        assert!(known, "{line} is new beneath infill-core: if it does no IO, list it here");
    }
    for direct in ["bytes", "httpdate", "url"] {
        let found = tree.iter().any(|line| line.starts_with(&format!("{direct} ")));
        assert!(found, "{direct} is gone: is this the tree of infill-core? {tree:?}");
    }
}

#[test]
fn randomness_comes_from_a_seed_alone() {
    let tree = dependencies("{p} [{f}]");
    let fastrand = tree.iter().find(|line| line.starts_with("fastrand "));
    let fastrand = fastrand.expect("the core's generator");
    assert!(fastrand.contains("[]"), "with `std`, fastrand seeds itself: {fastrand}");
}

#[test]
fn the_core_forbids_unsafe_code_and_names_nothing_impure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    let files = sources(&root);
    assert!(files.len() > 20, "only {} files in {}", files.len(), root.display());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            for word in IMPURE {
                let place = format!("{}:{}", file.display(), number + 1);
                assert!(!line.contains(word), "{place}: {word} has no place in the core");
            }
        }
    }
}

/// The normal dependencies of the core, itself included, each as `format` says.
fn dependencies(format: &str) -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "infill-core"])
        .args(["--edges", "normal", "--prefix", "none", "--format", format])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let tree = String::from_utf8(output.stdout).expect("cargo writes text");
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.append(&mut sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
