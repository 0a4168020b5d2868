//! The target `client_hello` of `mainstay-fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mainstay_fuzz::run("client_hello", data));
