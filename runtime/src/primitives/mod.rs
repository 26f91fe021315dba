//! What code that several threads share is made of: the real thing, or loom's.
//!
//! Loom runs a test once for every order in which its threads can take turns,
//! and for every value that a load may return. It sees only what its own types
//! do, so the inbox and the channels between threads name theirs here. How to
//! run the models: docs/testing.md. They stand beside the code, in `models`.
//!
//! Counted references are std's in both cases: nothing here relies on the order
//! in which counts change.

#[cfg(not(all(loom, test)))]
mod real {
    pub(crate) use crossbeam_channel::{Receiver, Sender, unbounded};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::{
        Thread, current as current_thread, park as park_thread, park_timeout as park_thread_timeout,
    };
}
#[cfg(not(all(loom, test)))]
pub(crate) use real::*;

#[cfg(all(loom, test))]
mod model;
#[cfg(all(loom, test))]
pub(crate) use model::*;
