//! The target `moved_session` of `mainstay-fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mainstay_fuzz::run("moved_session", data));
