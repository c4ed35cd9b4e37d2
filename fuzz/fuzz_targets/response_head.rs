//! Any header fields: a head can be read, judged and acted upon.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::response_head::run(data));
