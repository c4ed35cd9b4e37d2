//! Any text as a playlist: read or refused, and what is read makes sense.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::playlist::run(data));
