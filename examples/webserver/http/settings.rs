//! The limits of a connection, shared by all connections of a server.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

/// Knows whether the server is about to stop.
pub trait Draining: Debug + Send + Sync {
    /// Whether every response is to be the last one of its connection.
    fn is_draining(&self) -> bool;
}

impl Draining for AtomicBool {
    fn is_draining(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

/// What a peer may cost, and whether the server is about to stop.
#[derive(Debug)]
pub struct Settings {
    /// Longest request head in bytes, request line included; longer ones get 431.
    pub head_max: usize,
    /// Longest request target in bytes; longer ones get 414.
    pub target_max: usize,
    /// Longest request body in bytes; longer ones get 413.
    pub body_max: u64,
    /// How much of a body that the handler left unread is read and thrown away to keep the
    /// connection. A longer rest costs less by closing.
    pub discard_max: u64,
    /// Asked for each response.
    pub draining: Box<dyn Draining>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            head_max: 16 * 1024,
            target_max: 8 * 1024,
            body_max: 1 << 30,
            discard_max: 256 * 1024,
            draining: Box::new(AtomicBool::new(false)),
        }
    }
}
