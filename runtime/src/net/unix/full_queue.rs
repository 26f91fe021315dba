//! Sending datagrams to a receiver whose queue may be full.
//!
//! `sendto(2)` says `EAGAIN` for two reasons: the sender's own buffer is full,
//! which its readiness tells of, or the receiver's queue, which is no matter of
//! the sender's readiness, unless it is connected to that receiver. So a second
//! socket is connected to it for as long as a sender waits, and both are
//! watched:
//!
//! ```text
//!   sendto: EAGAIN --> probe = socket connected to the receiver
//!                      selector = { the sender, the probe }
//!                      take events, sendto; EAGAIN -> park on the selector
//! ```
//!
//! The probe sends nothing, and the receiver learns nothing of it.

use crate::io::source::{Source, Waiting};
use crate::net::endpoint::Endpoint;
use crate::net::selector::Selector;
use crate::wait::reason;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::panic::Location;

pub(super) fn send_to(
    sender: &Endpoint<UnixDatagram>,
    bytes: &[u8],
    address: &SockAddr,
    location: &'static Location<'static>,
) -> io::Result<usize> {
    // What one receiver says must not keep datagrams from others, so it is no
    // news for the sender's readiness.
    let sent = sender.write(location, |socket| Ok(send(socket, bytes, address)))?;
    match sent {
        Err(error) if error.kind() == ErrorKind::WouldBlock && !sender.mode().is_nonblocking() => {
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
    let source = sender.source();
    source.try_write_op(|socket| Ok(send(socket, bytes, address)))?
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
    let probe = Socket::new(Domain::UNIX, Type::DGRAM.nonblocking(), None)?;
    let selector = Selector::new()?;
    selector.add_writer(sender.socket())?;
    match probe.connect(address) {
        Ok(()) => selector.add_writer(&probe)?,
        // It is connected to somebody. If to the sender, its queue takes
        // everything, and the sender's buffer is what is full.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
    }
    let wait = Waiting::new(&reason::IO_WRITE, location, sender.mode().write_limit());
    Source::new(selector)?.read_op(wait, |selector| {
        sender.check_open()?;
        match selector.take_events() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => send(sender.socket(), bytes, address),
        }
    })
}
