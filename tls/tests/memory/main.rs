//! TLS between buffers in memory, as Python's `ssl` has it.
//!
//! Ported by meaning: CPython 3.13 `Lib/test/test_ssl.py` (MemoryBIOTests,
//! SSLObjectTests, the `bio` tests of SimpleBackgroundTests, test_bad_server_hostname)
//! and pyOpenSSL `tests/test_ssl.py` (TestMemoryBIO). The name of the original stands
//! above each port. `tests/interop/memory_bio.rs` has the same calls played by Python
//! itself.

#![cfg(not(feature = "aws-lc"))]

mod authorities;
mod bio;
mod callbacks;
mod certificates;
mod ends;
mod objects;
mod pipe;
mod support;
