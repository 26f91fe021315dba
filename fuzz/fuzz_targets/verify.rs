//! Chains of certificates, from bytes, given to a store that verifies them.

#![no_main]

use greenling_fuzz::objects;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| objects::verify(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    objects::mutate(&objects::PATHS, data, size, max_size, seed)
});
