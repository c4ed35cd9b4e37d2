//! Any bytes as a journal, and any damage to one: what is read was written, and what lies before the damage is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| infill_tests::fuzz::journal::run(data));
