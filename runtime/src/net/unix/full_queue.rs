//! Sending datagrams to a receiver whose queue may be full.
//!
//! `sendto(2)` says `EAGAIN` for two reasons: the sender's own buffer is full,
//! or the receiver's queue. The sender's readiness tells of the first, and of
//! another queue, if it is connected to another receiver. So its buffer is asked
//! for itself, and for the queue a second socket is connected to the receiver
//! for as long as a sender waits:
//!
//! ```text
//!   sendto: EAGAIN --> probe = socket connected to the receiver
//!                      watch the probe, and the sender while it is full, too
//!          +---------> sendto: done, or
//!          |           EAGAIN: buffer not full and probe writable?
//!          +---- yes ----------+  no: park until an event comes
//!          +----------------------------------------------+
//! ```
//!
//! The probe sends nothing, and the receiver learns nothing of it.

use crate::io::source::{Source, Waiting};
use crate::net::endpoint::Endpoint;
use crate::net::selector::Selector;
use crate::wait::reason;
use mio::Interest;
use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::panic::Location;

pub(super) fn send_to(
    sender: &Endpoint<UnixDatagram>,
    bytes: &[u8],
    address: &SockAddr,
    location: &'static Location<'static>,
) -> io::Result<usize> {
    if sender.mode().is_nonblocking() {
        return try_send_to(sender, bytes, address);
    }
    sender.source().give_way_when_due();
    match try_send_to(sender, bytes, address) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            wait_and_send(sender, bytes, address, location)
        }
        sent => sent,
    }
}

pub(super) fn try_send_to(
    sender: &Endpoint<UnixDatagram>,
    bytes: &[u8],
    address: &SockAddr,
) -> io::Result<usize> {
    // What one receiver says must not keep datagrams from others. So it is no
    // news for the sender's readiness; nor is that asked, which is the peer's
    // if there is one.
    sender
        .source()
        .try_anyway(|socket| send(socket, bytes, address))
}

fn send(socket: &UnixDatagram, bytes: &[u8], address: &SockAddr) -> io::Result<usize> {
    SockRef::from(socket).send_to(bytes, address)
}

fn wait_and_send(
    sender: &Endpoint<UnixDatagram>,
    bytes: &[u8],
    address: &SockAddr,
    location: &'static Location<'static>,
) -> io::Result<usize> {
    let blocked = Blocked {
        sender,
        probe: Socket::new(Domain::UNIX, Type::DGRAM.nonblocking(), None)?,
        interest: Cell::new(Interest::READABLE),
    };
    blocked.probe(address)?;
    let selector = Selector::new()?;
    selector.add(&blocked.probe, Interest::WRITABLE)?;
    selector.add(sender.socket(), blocked.interest.get())?;
    let wait = Waiting::new(&reason::IO_WRITE, location, sender.mode().limits().write());
    Source::new(selector)?.read_op(wait, |selector| {
        sender.check_open()?;
        match selector.take_events() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => blocked.send(bytes, address, selector),
        }
    })
}

/// A datagram that found something full.
struct Blocked<'a> {
    sender: &'a Endpoint<UnixDatagram>,
    probe: Socket,
    /// Of the sender: reading is, since closing shows as that.
    interest: Cell<Interest>,
}

impl Blocked<'_> {
    /// Connects the probe to the receiver.
    fn probe(&self, address: &SockAddr) -> io::Result<()> {
        match self.probe.connect(address) {
            // It is connected to somebody. If to the sender, its queue takes
            // everything, and the sender's buffer is what was full.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
            result => result,
        }
    }

    /// Sends, or sees to it that an event comes when it is worth a try again.
    fn send(&self, bytes: &[u8], address: &SockAddr, selector: &Selector) -> io::Result<usize> {
        loop {
            match send(self.sender.socket(), bytes, address) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                sent => return sent,
            }
            let sender_is_full = is_full(self.sender.socket())?;
            self.watch_sender(sender_is_full, selector)?;
            // Asking also has the receiver tell the probe of its next read.
            if !is_writable(&self.probe)? || sender_is_full {
                return Err(ErrorKind::WouldBlock.into());
            }
            // Meanwhile there is room again; or else another socket receives
            // at the address now, of which this probe knows nothing.
            self.probe(address)?;
        }
    }

    /// A sender that is writable must not be watched for that: an attempt that
    /// fails for the receiver's sake is an event, and there would be no end.
    fn watch_sender(&self, is_full: bool, selector: &Selector) -> io::Result<()> {
        let interest = match is_full {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        if self.interest.replace(interest) == interest {
            return Ok(());
        }
        selector.change(self.sender.socket(), interest)
    }
}

/// Whether the socket's own buffer takes no more, whatever its peer's queue does.
#[cfg(target_os = "linux")]
fn is_full(socket: &UnixDatagram) -> io::Result<bool> {
    let size = SockRef::from(socket).send_buffer_size()?;
    Ok(crate::sys::unsent(socket.as_fd())? >= size)
}

/// Elsewhere readiness is all that can be asked for.
#[cfg(not(target_os = "linux"))]
fn is_full(socket: &UnixDatagram) -> io::Result<bool> {
    Ok(!is_writable(socket)?)
}

fn is_writable(socket: &impl AsFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket, PollFlags::OUT)];
    rustix::event::poll(&mut asked, Some(&Timespec::default()))?;
    Ok(!asked[0].revents().is_empty())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    #[test]
    fn a_full_peer_is_no_full_buffer() {
        let name = format!("greenling-full-queue-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let _deaf = UnixDatagram::bind_addr(&address).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect_addr(&address).unwrap();
        sender.set_nonblocking(true).unwrap();
        while sender.send(b"x").is_ok() {}
        assert!(!is_writable(&sender).unwrap());
        assert!(!is_full(&sender).unwrap());
        // A peer that is connected to the sender takes what fits into its buffer.
        let (sender, _peer) = UnixDatagram::pair().unwrap();
        sender.set_nonblocking(true).unwrap();
        while sender.send(&[0; 60_000]).is_ok() {}
        assert!(is_full(&sender).unwrap());
    }
}
