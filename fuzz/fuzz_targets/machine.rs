//! Any events in any order: the machine stays in its contract and comes to rest.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::machine::run(data));
