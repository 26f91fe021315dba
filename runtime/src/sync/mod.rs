//! Waiting of tasklets for each other, on one thread.

mod wait_queue;

pub use wait_queue::WaitQueue;
