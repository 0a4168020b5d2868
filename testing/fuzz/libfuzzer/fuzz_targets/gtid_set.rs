//! The target `gtid_set` of `mainstay-fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mainstay_fuzz::run("gtid_set", data));
