//! Connecting to the first of several addresses that answers (RFC 8305).
//!
//! ```text
//!   start the next address --- connected at once ---------------> take it
//!        ^        |
//!        |        v
//!        |     wait for any attempt in flight
//!        |        |       |      |
//!        +--------+       |      +--- connected ---> take it, close the others
//!     250 ms are over     |
//!        ^                v
//!        +------------ failed: keep the error
//! ```
//!
//! The attempts belong to the caller's frame: no tasklet is started for them,
//! so a kill, a deadline or a panic closes them all at once. One tasklet waits
//! for many sockets by a selector of its own, which the thread's reactor watches
//! like any other descriptor; a single address goes without.

use super::stream::TcpStream;
use crate::error::{WaitError, is_of_the_wait};
use crate::io::source::{Source, Waiting};
use crate::net::addresses::{ToSocketAddrs, resolve};
use crate::net::endpoint::{Endpoint, Spoken};
use crate::net::selector::Selector;
use crate::scheduler::local;
use crate::time;
use crate::wait::reason;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::time::{Duration, Instant};

/// How long an attempt is alone before the next begins; RFC 8305, section 8.
const STAGGER: Duration = Duration::from_millis(250);

/// Attempts at a time: a name may have any number of addresses.
const IN_FLIGHT_MAX: usize = 16;

/// As `to_any`, with a deadline for all of it.
pub(super) fn before(
    address: &impl ToSocketAddrs,
    deadline: Instant,
    location: &'static Location<'static>,
) -> io::Result<TcpStream> {
    if local::get_or_make().is_none() {
        return Err(WaitError::Unwinding.into());
    }
    time::timeout_at(deadline, || to_any(address, location))
        .unwrap_or_else(time::Elapsed::into_inner)
}

/// Resolves a name and connects to one of its addresses.
#[track_caller]
pub(super) fn to_any(
    address: &impl ToSocketAddrs,
    location: &'static Location<'static>,
) -> io::Result<TcpStream> {
    let addresses = resolve(address)?;
    let endpoint = match addresses[..] {
        [only] => to_one(only, location)?,
        _ => Endpoint::watch(race(interleave(addresses), location)?)?,
    };
    endpoint.mode().set_protocol(Spoken::Tcp);
    Ok(TcpStream { endpoint })
}

fn to_one(
    address: SocketAddr,
    location: &'static Location<'static>,
) -> io::Result<Endpoint<net::TcpStream>> {
    let (socket, is_pending) = start(address)?;
    let endpoint = Endpoint::watch(socket)?;
    if is_pending {
        let wait = Waiting::new(&reason::CONNECT, location, None);
        endpoint.source().write_op(wait, outcome)?;
    }
    Ok(endpoint)
}

/// The families in turns, beginning with the one that the resolver prefers.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut mixed = Vec::with_capacity(addresses.len());
    let is_first_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == is_first_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let before = mixed.len();
        mixed.extend(first.next());
        mixed.extend(second.next());
        if mixed.len() == before {
            return mixed;
        }
    }
}

fn race(
    addresses: Vec<SocketAddr>,
    location: &'static Location<'static>,
) -> io::Result<net::TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut flight = Flight::new()?;
    let mut failure = io::Error::from(ErrorKind::InvalidInput);
    loop {
        if flight.has_room()
            && let Some(address) = waiting.next()
        {
            match start(address) {
                Ok((socket, false)) => return Ok(socket),
                Ok((socket, true)) => flight.add(socket)?,
                Err(error) => {
                    failure = error;
                    continue;
                }
            }
        }
        if flight.attempts.is_empty() {
            return Err(failure);
        }
        let another = waiting.len() > 0 && flight.has_room();
        let stagger = another.then(|| Instant::now() + STAGGER);
        match flight.next(stagger, location)? {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(error)) => failure = error,
            // Nobody has answered yet: time for another.
            None => {}
        }
    }
}

/// Begins to connect; true if the connection is not there yet.
fn start(address: SocketAddr) -> io::Result<(net::TcpStream, bool)> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking(),
        Some(Protocol::TCP),
    )?;
    let is_pending = match socket.connect(&address.into()) {
        Ok(()) => false,
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => true,
        // The connection goes on in the background, as with EINPROGRESS.
        Err(error) if error.kind() == ErrorKind::Interrupted => true,
        Err(error) => return Err(error),
    };
    Ok((socket.into(), is_pending))
}

/// What has become of an attempt; `WouldBlock` while that is open.
fn outcome(socket: &net::TcpStream) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotConnected => Err(ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    }
}

/// The attempts in flight, and how to wait for any of them.
struct Flight {
    selector: Source<Selector>,
    attempts: Vec<net::TcpStream>,
}

impl Flight {
    fn new() -> io::Result<Flight> {
        Ok(Flight {
            selector: Source::new(Selector::new()?)?,
            attempts: Vec::new(),
        })
    }

    fn has_room(&self) -> bool {
        self.attempts.len() < IN_FLIGHT_MAX
    }

    fn add(&mut self, socket: net::TcpStream) -> io::Result<()> {
        let selector = self.selector.inner();
        selector.add(&socket, mio::Interest::WRITABLE)?;
        self.attempts.push(socket);
        Ok(())
    }

    /// The next attempt that ends, or none before `until`.
    fn next(
        &mut self,
        until: Option<Instant>,
        location: &'static Location<'static>,
    ) -> io::Result<Option<io::Result<net::TcpStream>>> {
        loop {
            if let Some(ended) = self.take_ended() {
                return Ok(Some(ended));
            }
            let wait = Waiting::new(&reason::CONNECT, location, None).until(until);
            match self.selector.read_op(wait, Selector::take_events) {
                Ok(()) => {}
                Err(error) if is_own_deadline(&error, until) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn take_ended(&mut self) -> Option<io::Result<net::TcpStream>> {
        for at in 0..self.attempts.len() {
            match outcome(&self.attempts[at]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    // Closed, which takes it off the selector as well.
                    drop(self.attempts.swap_remove(at));
                    return Some(Err(error));
                }
                Ok(()) => return Some(Ok(self.attempts.swap_remove(at))),
            }
        }
        None
    }
}

/// Whether `until` has ended a wait, and no scope has done so earlier.
fn is_own_deadline(error: &io::Error, until: Option<Instant>) -> bool {
    error.kind() == ErrorKind::TimedOut
        && is_of_the_wait(error)
        && until.is_some_and(|until| time::deadline().is_none_or(|deadline| until < deadline))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_the_first_one_begins() {
        let v4 = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let v6 = |port| SocketAddr::from(([0; 8], port));
        let mixed = interleave(vec![v6(1), v6(2), v6(3), v4(4), v4(5)]);
        assert_eq!(mixed, [v6(1), v4(4), v6(2), v4(5), v6(3)]);
        let mixed = interleave(vec![v4(1), v4(2), v6(3)]);
        assert_eq!(mixed, [v4(1), v6(3), v4(2)]);
        assert_eq!(interleave(vec![]), []);
    }
}
