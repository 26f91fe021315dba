//! The engine and the pump under hostile conditions.
//!
//! Nearly everything here runs in memory, on one thread, from a seed: a failure
//! is repeated by running the test again.

mod cut;
mod engine;
#[cfg(feature = "greenling")]
mod green;
mod idle;
#[cfg(feature = "may")]
mod may;
mod sockets;
mod stream;
mod support;

/// What `stream.rs` has its streams over: here the scripted transport itself.
mod under {
    pub(crate) type Under = crate::support::Scripted;

    pub(crate) fn under(scripted: Under) -> Under {
        scripted
    }
}
