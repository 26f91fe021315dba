//! Plain bytes over a transport, as an application sends them before TLS and after.

use std::io::{self, ErrorKind};

use greenling_tls::{Interest, Transport};

/// Repeats `attempt` until it does not have to wait.
fn until_done<T: Transport, R>(
    transport: &T,
    interest: Interest,
    mut attempt: impl FnMut(&T) -> io::Result<R>,
) -> io::Result<R> {
    loop {
        match attempt(transport) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                transport.wait(interest, None)?;
            }
            done => return done,
        }
    }
}

/// Sends all of `data`.
pub(crate) fn send(transport: &impl Transport, mut data: &[u8]) {
    while !data.is_empty() {
        let sent = until_done(transport, Interest::WRITE, |t| t.try_send(data));
        data = &data[sent.expect("send")..];
    }
    until_done(transport, Interest::WRITE, Transport::try_flush).expect("flush");
}

/// Receives what is there, into `buf`.
pub(crate) fn receive(transport: &impl Transport, buf: &mut [u8]) -> io::Result<usize> {
    until_done(transport, Interest::READ, |t| t.try_recv(buf))
}

/// Receives as many bytes as `start` has too few of `len`.
pub(crate) fn receive_rest(transport: &impl Transport, start: Vec<u8>, len: usize) -> Vec<u8> {
    let mut all = start;
    let mut buf = [0; 256];
    while all.len() < len {
        let room = buf.len().min(len - all.len());
        let n = receive(transport, &mut buf[..room]).expect("receive");
        assert_ne!(n, 0, "ended after {all:?}");
        all.extend_from_slice(&buf[..n]);
    }
    all
}
