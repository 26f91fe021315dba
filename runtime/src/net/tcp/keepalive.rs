//! How the kernel probes idle connections.

use socket2::SockRef;
use std::io;
use std::time::Duration;

/// How the kernel probes an idle connection, for
/// [`set_keepalive`](super::TcpStream::set_keepalive): after `time` without
/// traffic, every `interval`, until `retries` probes were not answered. What is
/// `None` is the system's default (tcp(7)).
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpKeepalive, TcpListener, TcpStream};
/// use std::time::Duration;
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let stream = TcpStream::connect(listener.local_addr()?)?;
/// let mut keepalive = TcpKeepalive::default();
/// keepalive.time = Some(Duration::from_secs(60));
/// stream.set_keepalive(Some(keepalive))?;
/// assert_eq!(stream.keepalive()?.unwrap().time, keepalive.time);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpKeepalive {
    /// Idle time before the first probe (`TCP_KEEPIDLE`), in whole seconds.
    pub time: Option<Duration>,
    /// Between probes (`TCP_KEEPINTVL`), in whole seconds.
    pub interval: Option<Duration>,
    /// Probes before the connection counts as broken (`TCP_KEEPCNT`).
    pub retries: Option<u32>,
}

impl TcpKeepalive {
    pub(super) fn set(self, socket: SockRef<'_>) -> io::Result<()> {
        let mut wanted = socket2::TcpKeepalive::new();
        if let Some(time) = self.time {
            wanted = wanted.with_time(time);
        }
        if let Some(interval) = self.interval {
            wanted = wanted.with_interval(interval);
        }
        if let Some(retries) = self.retries {
            wanted = wanted.with_retries(retries);
        }
        // Also switches probing on.
        socket.set_tcp_keepalive(&wanted)
    }

    pub(super) fn of(socket: SockRef<'_>) -> io::Result<Option<TcpKeepalive>> {
        if !socket.keepalive()? {
            return Ok(None);
        }
        Ok(Some(TcpKeepalive {
            time: Some(socket.tcp_keepalive_time()?),
            interval: Some(socket.tcp_keepalive_interval()?),
            retries: Some(socket.tcp_keepalive_retries()?),
        }))
    }
}
