//! Channels shared with coroutines of the `may` crate, which never block a thread
//! of its scheduler, and lose nothing when they are cancelled.
//!
//! The suite gives may one worker thread: a wait that blocked it would end nothing
//! any more.

#[allow(unsafe_code, reason = "may calls spawning and cancelling unsafe")]
mod channels;
