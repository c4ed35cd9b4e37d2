//! Any ciphertext, key and vector: blocks alone are blocks of the whole, and padding is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::decrypt::run(data));
