//! Waiting of tasklets for each other, on one thread.

#[allow(dead_code, reason = "its users are being written")]
mod grant;
mod wait_queue;

pub use wait_queue::WaitQueue;
