//! The target `vrrp_advert` of `mainstay-fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mainstay_fuzz::run("vrrp_advert", data));
