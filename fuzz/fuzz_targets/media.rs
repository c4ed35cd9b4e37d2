//! Any bytes as a run's segments: what comes out doesn't depend on how they arrive.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::media::run(data));
