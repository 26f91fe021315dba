//! Certificates, requests, revocation lists and their parts, from bytes.

#![no_main]

use greenling_fuzz::objects;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| objects::read(&objects::CERTIFICATES, data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    objects::mutate(&objects::CERTIFICATES, data, size, max_size, seed)
});
