//! Transports: one suite over all of them, and what is particular to some.
//!
//! `suite.rs` is written for any transport; `kinds.rs` says which there are, and
//! whether the programs at the two ends are OS threads, tasklets or coroutines. The
//! pump's own tests of streams run here too, over an object that waits by itself.

mod closing;
mod kinds;
mod objects;
mod plain;
mod polling;
mod starttls;
#[path = "../pump/stream.rs"]
mod stream;
mod suite;
#[path = "../pump/support.rs"]
#[allow(dead_code, reason = "the tests of the pump use the rest")]
mod support;
#[cfg(feature = "greenling")]
mod tasklets;
mod under;
