//! The demo shows what it promises, also when it is not looked at.

// Its `main` is not called here.
#[allow(dead_code)]
#[path = "../examples/demo/main.rs"]
mod demo;

#[test]
fn every_scenario_is_identical_through_both_runtimes() {
    let mut out = Vec::new();
    let differences = demo::run(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!((differences, out.matches("  identical").count()), (0, 16), "{out}");
    assert!(out.contains("--example play -- <URL or path>"), "{out}");
}
