//! The modules of the core lie in layers: each uses its own layer and the ones beneath, and there is no circle.
//!
//! It reads what the sources name after `crate::`, resolves what `lib.rs` exports to where it is defined, and leaves
//! unit tests aside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The layers, lowest first. Events and actions are plain data, the words in which everything above them speaks; only
/// the machine, which turns one into the other, is at the top.
const LAYERS: &[&[&str]] = &[
    // Newtypes.
    &["id", "time", "byte_range"],
    // Values and rules that stand alone.
    &["byte_ranges", "error", "config", "hls", "http", "link", "backoff", "space", "timers"],
    // One resource, one body, one reader, one place to ask; and the words for what happens to them.
    &[
        "view", "event", "action", "catalog", "journal", "cached", "sealing", "syncing",
        "resource", "transfer", "reader", "endpoint",
    ],
    // What to fetch next, and who may.
    &["schedule", "slots", "out", "cache"],
    // The policies, and what is lent to them.
    &["flight", "context", "track"],
    &["machine"],
];

type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn a_module_uses_its_own_layer_and_those_beneath() {
    let uses = uses();
    for (module, used) in &uses {
        for below in used {
            let (from, to) = (layer(module), layer(below));
            assert!(to <= from, "{module} (layer {from}) uses {below} (layer {to})");
        }
    }
    let listed: BTreeSet<_> = LAYERS.iter().flat_map(|layer| layer.iter()).copied().collect();
    let there: BTreeSet<_> = uses.keys().map(String::as_str).collect();
    assert_eq!(listed, there, "the map of layers and core/src differ");
}

#[test]
fn no_module_uses_itself_through_others() {
    let uses = uses();
    assert!(uses["machine"].contains("track"), "nothing was read: {uses:?}");
    for module in uses.keys() {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&String> = uses[module].iter().collect();
        while let Some(used) = next.pop() {
            assert_ne!(used, module, "{module} uses itself through {seen:?}");
            if seen.insert(used) {
                next.extend(&uses[used]);
            }
        }
    }
}

#[test]
fn the_reader_of_sources_reads() {
    let exports = BTreeMap::from([("Thing".to_owned(), "thing".to_owned())]);
    let text = "use crate::{\n    Thing, other::{A, B},\n};\n// crate::comment\nfn f(x: crate::third::X) {}\n\
                #[cfg(test)]\nmod tests {\n    use crate::fourth::Y;\n}\n";
    let names: Vec<_> = named(&code(text), &exports).into_iter().collect();
    assert_eq!(names, ["other", "thing", "third"]);
    assert_eq!(climbs(&code("use super::super::x;\nuse super::y;\n")), 2);
}

fn layer(module: &str) -> usize {
    let at = LAYERS.iter().position(|layer| layer.contains(&module));
    at.unwrap_or_else(|| panic!("core/src has a module `{module}`: give it a layer in this test"))
}

/// Which module uses which.
fn uses() -> Uses {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let exports = exports(&fs::read_to_string(root.join("lib.rs")).expect("core/src/lib.rs"));
    let mut uses = Uses::new();
    collect(&root, &[], &exports, &mut uses);
    uses.remove("lib");
    uses
}

fn collect(folder: &Path, path: &[String], exports: &BTreeMap<String, String>, uses: &mut Uses) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let file = entry.expect("a readable folder").path();
        let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let mut inner = path.to_vec();
        if name != "mod" {
            inner.push(name.clone());
        }
        if file.is_dir() {
            collect(&file, &inner, exports, uses);
        } else if !name.ends_with("tests") {
            let code = code(&fs::read_to_string(&file).expect("UTF-8"));
            let place = file.display();
            assert!(climbs(&code) < inner.len() || name == "lib", "{place} climbs out by `super`");
            let used = uses.entry(inner[0].clone()).or_default();
            used.extend(named(&code, exports));
            used.remove(&inner[0]);
        }
    }
}

/// The text without comments and without what follows the first `#[cfg(test)]`.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let code = lines.map(|line| line.split("//").next().unwrap_or_default());
    code.collect::<Vec<_>>().join("\n")
}

/// How many modules up the longest chain of `super::` goes.
fn climbs(code: &str) -> usize {
    let mut most = 0;
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        rest = &rest[at..];
        let mut count = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, count) = (after, count + 1);
        }
        most = most.max(count);
    }
    most
}

/// What `lib.rs` exports, and the module that each name comes from.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for statement in code(lib).split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else {
            continue;
        };
        let (module, names) = path.split_once("::").expect("a path of two");
        for name in names.split([',', '{', '}']).map(str::trim) {
            exports.insert(name.to_owned(), module.trim().to_owned());
        }
    }
    assert!(exports.len() > 20, "lib.rs was not understood: {exports:?}");
    exports
}

/// The modules that `code` names after `crate::`.
fn named(code: &str, exports: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        for name in first_names(after) {
            found.insert(exports.get(&name).cloned().unwrap_or(name));
        }
    }
    found
}

/// The first name of a path, or of each path in a group of them.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(word(&group[start..at]));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> String {
    let text = text.trim_start();
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}
