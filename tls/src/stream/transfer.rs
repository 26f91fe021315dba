//! Moving ciphertext, without ever waiting for it.
//!
//! Each way has two forms. Most transports are lent a part of a ring. One whose
//! calls may switch to another tasklet gets a copy, so that neither the ring nor
//! the engine is held meanwhile; the sending and receiving locks see to it that
//! nobody else moves the same bytes.

use std::io::{self, ErrorKind};

use super::TlsStream;
use crate::engine::Engine;
use crate::error::Error;
use crate::transport::Transport;

/// The most that is copied at once for a transport that may suspend.
const COPY_MAX: usize = 16 * 1024;

/// How many reads and transfers may succeed in a row before other tasklets get a turn.
const SPREE_MAX: u8 = 32;

/// How far sending got.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Everything,
    /// The transport has no room.
    Blocked,
}

/// How receiving went.
pub(super) enum Received {
    /// Some bytes, the end, or a full ring: the engine has something to do.
    Something,
    Blocked,
}

impl<T: Transport> TlsStream<T> {
    /// Sends what is there. Needs the sending lock.
    pub(super) fn send(&self) -> Result<Sent, Error> {
        loop {
            if let Some(error) = &*self.send_error.borrow() {
                let error = error.clone();
                self.with_engine(discard_output)?;
                return Err(error);
            }
            let sent = if T::MAY_SUSPEND {
                self.send_copy()?
            } else {
                self.send_lent()?
            };
            let result = match sent {
                Some(result) => result,
                None => match self.flush_below() {
                    Ok(()) => return Ok(Sent::Everything),
                    Err(error) => Err(error),
                },
            };
            match result {
                Ok(()) => self.count_success(),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(Sent::Blocked),
                    ErrorKind::Interrupted => {}
                    _ => {
                        self.send_error.replace(Some(Error::Io(error)));
                    }
                },
            }
        }
    }

    /// Has the transport send what it has taken.
    fn flush_below(&self) -> io::Result<()> {
        // Its calls may unwind.
        self.held_below.set(true);
        let flushed = self.get_ref().try_flush();
        let blocked = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
        self.held_below.set(flushed.as_ref().is_err_and(blocked));
        flushed
    }

    /// Counts a transfer that did not have to wait, or a read that begins.
    pub(super) fn count_success(&self) {
        if self.nonblocking.get() {
            return;
        }
        let spree = self.spree.get() + 1;
        if spree < SPREE_MAX {
            self.spree.set(spree);
        } else {
            self.spree.set(0);
            self.get_ref().give_way();
        }
    }

    /// One `try_send` straight from the ring; `None` when it is empty.
    fn send_lent(&self) -> Result<Option<io::Result<()>>, Error> {
        self.with_engine(|engine| {
            let data = engine.out_data();
            if data.is_empty() {
                return None;
            }
            let len = data.len();
            let sent = self.get_ref().try_send(data);
            Some(check_count(sent, len).map(|n| engine.consume_out(n)))
        })
    }

    /// One `try_send` of a copy, with the engine free for other tasklets.
    fn send_copy(&self) -> Result<Option<io::Result<()>>, Error> {
        let data = self.with_engine(|engine| {
            let data = engine.out_data();
            data[..data.len().min(COPY_MAX)].to_vec()
        })?;
        if data.is_empty() {
            return Ok(None);
        }
        // If this unwinds, nobody knows how much has gone.
        let unknown = UnknownCount(self);
        let sent = self.get_ref().try_send(&data);
        std::mem::forget(unknown);
        match check_count(sent, data.len()) {
            // Only this tasklet takes bytes out, so the first `n` are still these.
            Ok(n) => {
                self.with_engine(|engine| consume_pieces(engine, n))?;
                Ok(Some(Ok(())))
            }
            Err(error) => Ok(Some(Err(error))),
        }
    }

    /// Bytes that can and should be sent; at least one if the transport has taken
    /// some that it has not sent.
    pub(super) fn unsent(&self) -> Result<usize, Error> {
        if self.send_error.borrow().is_some() {
            return Ok(0);
        }
        let below = usize::from(self.held_below.get());
        self.with_engine(|engine| engine.out_pending().max(below))
    }

    /// One `try_recv`. Needs the receiving lock.
    pub(super) fn receive(&self) -> Result<Received, Error> {
        let result = if T::MAY_SUSPEND {
            self.receive_copy()?
        } else {
            self.receive_lent()?
        };
        match result {
            Some(Ok(0)) => {
                self.ended.set(true);
                self.with_engine(Engine::close_in)?;
            }
            None | Some(Ok(_)) => {}
            Some(Err(error)) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(Received::Blocked),
                ErrorKind::Interrupted => return self.receive(),
                _ => {
                    let error = Error::Io(error);
                    self.receive_error.replace(Some(error.clone()));
                    return Err(error);
                }
            },
        }
        self.received.set(self.received.get().wrapping_add(1));
        Ok(Received::Something)
    }

    /// One `try_recv` straight into the ring; `None` when it is full.
    fn receive_lent(&self) -> Result<Option<io::Result<usize>>, Error> {
        self.with_engine(|engine| {
            let space = engine.in_space();
            if space.is_empty() {
                return None;
            }
            let len = space.len();
            Some(match self.get_ref().try_recv(space) {
                Ok(n) if n > len => Err(lying()),
                Ok(n) => {
                    engine.commit_in(n);
                    Ok(n)
                }
                Err(error) => Err(error),
            })
        })
    }

    /// One `try_recv` into a buffer of its own, with the engine free for others.
    fn receive_copy(&self) -> Result<Option<io::Result<usize>>, Error> {
        let len = self.with_engine(|engine| engine.in_space().len())?;
        if len == 0 {
            return Ok(None);
        }
        let mut copy = vec![0; len.min(COPY_MAX)];
        match self.get_ref().try_recv(&mut copy) {
            Ok(n) if n > copy.len() => Ok(Some(Err(lying()))),
            Ok(n) => {
                // Only this tasklet fills the ring, so the room is still there.
                let fed = self.with_engine(|engine| engine.feed(&copy[..n]))?;
                debug_assert_eq!(fed, n);
                Ok(Some(Ok(n)))
            }
            Err(error) => Ok(Some(Err(error))),
        }
    }
}

/// Marks the sending side as unusable if `try_send` unwinds.
struct UnknownCount<'a, T: Transport>(&'a TlsStream<T>);

impl<T: Transport> Drop for UnknownCount<'_, T> {
    fn drop(&mut self) {
        let error = Error::local("a send was cut off, so nobody knows how much has gone");
        self.0.send_error.replace(Some(error));
    }
}

/// A transport that claims to have moved more than it was given, or nothing.
fn lying() -> io::Error {
    io::Error::other("the transport reported an impossible count")
}

fn check_count(sent: io::Result<usize>, len: usize) -> io::Result<usize> {
    match sent {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
        Ok(n) if n > len => Err(lying()),
        other => other,
    }
}

/// Consumes `n` bytes, which may span the pieces in which they are lent: a spill
/// may have begun since.
fn consume_pieces(engine: &mut Engine, mut n: usize) {
    while n > 0 {
        let piece = engine.out_data().len().min(n);
        engine.consume_out(piece);
        n -= piece;
    }
}

/// Empties the out-ring, which nobody will ever send.
#[cold]
#[inline(never)]
fn discard_output(engine: &mut Engine) {
    while engine.drain(&mut [0; 512]) > 0 {}
}
