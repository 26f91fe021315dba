//! A server as others see it while it runs.

use super::report::{Counters, ServerReport};
use crate::thread::Shutdown;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// What is known of a server while it runs, and of how it ended.
pub(super) type Counted = Arc<OnceLock<Vec<Arc<Counters>>>>;

/// A [`Server`](super::Server) as seen from elsewhere, on any thread.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) shutdown: Shutdown,
    pub(super) counted: Counted,
}

impl ServerHandle {
    /// The addresses that were bound before the handle was made, ports included.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops the server, within its limits.
    ///
    /// # Scheduling
    ///
    /// Never switches, and does not wait for the end.
    pub fn stop(&self) {
        self.shutdown.trigger();
    }

    /// The signal to stop, for stopping with other limits or waiting for it.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// What has become of the connections so far. The counters of a running server
    /// change while they are read.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn report(&self) -> ServerReport {
        let counters = self.counted.get();
        counters.map_or_else(ServerReport::default, |counters| ServerReport::of(counters))
    }
}
