//! What a server limits itself to.

use std::time::Duration;

/// The limits of one thread's connections, for [`serve`](super::serve()). None by
/// default.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::server::Limits;
/// use std::time::Duration;
/// let limits = Limits::new()
///     .max_connections(1000)
///     .connection_timeout(Duration::from_secs(600));
/// assert_eq!(limits.connections(), Some(1000));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "limits do nothing until something is served within them"]
pub struct Limits {
    pub(super) max_connections: Option<usize>,
    pub(super) connection_timeout: Option<Duration>,
    pub(super) rest_limit: Option<Duration>,
    pub(super) stack_size: Option<usize>,
}

impl Limits {
    /// No limits.
    pub fn new() -> Limits {
        Limits::default()
    }

    /// How many connections there may be; more wait in the kernel's queue. The
    /// one that is waited for counts, so the least is 1.
    pub fn max_connections(mut self, count: usize) -> Limits {
        self.max_connections = Some(count.max(1));
        self
    }

    /// How long one connection may last in all: after that every wait of its
    /// handler ends with `TimedOut`, as in a [`timeout`](crate::time::timeout)
    /// scope.
    pub fn connection_timeout(mut self, limit: Duration) -> Limits {
        self.connection_timeout = Some(limit);
        self
    }

    /// How long a connection may rest at a time; see
    /// [`Connection::rest`](super::Connection::rest).
    pub fn rest_limit(mut self, limit: Duration) -> Limits {
        self.rest_limit = Some(limit);
        self
    }

    /// Stacks of the connections' tasklets, as by
    /// [`Builder::stack_size`](crate::Builder::stack_size).
    pub fn stack_size(mut self, bytes: usize) -> Limits {
        self.stack_size = Some(bytes);
        self
    }

    /// How many connections there may be.
    pub fn connections(&self) -> Option<usize> {
        self.max_connections
    }
}
