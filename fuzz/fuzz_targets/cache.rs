//! Write, crash, reopen: the cache's store on a disk that loses, tears, fails and lies.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::cache::run(data));
