//! What is hard on a connection: both directions full at once, refusals in the
//! middle, ends in every place.

mod callbacks;
#[cfg(feature = "greenling")]
mod duplex;
#[allow(unsafe_code, reason = "registers a function with atexit")]
mod exit;
#[allow(unsafe_code, reason = "makes a thread on a stack of its own")]
mod paint;
mod queue;
mod random;
#[cfg(feature = "greenling")]
mod stack;
mod support;
