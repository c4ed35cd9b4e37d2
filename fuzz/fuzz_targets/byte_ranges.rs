//! A set of byte ranges does what a bitmap does.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::byte_ranges::run(data));
