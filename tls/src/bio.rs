//! What lies between OpenSSL and the transport: two rings in memory.
//!
//! ```text
//!              out-ring: SSL writes, we read
//!   SSL ==========================> transport
//!   SSL <========================== transport
//!              in-ring: we write, SSL reads
//! ```
//!
//! There are two kinds. [`MemoryRings`] are ours, and what connections use. A
//! [`BioPair`] is OpenSSL's, and what foreign code expects: an engine whose pointers
//! are handed out moves to one, and stays there.
//!
//! The bytes are not copied on the transport's side: [`Rings::in_space`] and
//! [`Rings::out_data`] lend parts of the rings. The loans borrow the rings, hence
//! they end before any call that could move an offset.
//!
//! A [`Transport`] may read the buffer that it is given. So the in-ring is zeroed as
//! far as it is lent, in steps that double: a connection that receives little
//! touches little memory.
//!
//! [`Transport`]: crate::transport::Transport

use openssl::error::ErrorStack;
use openssl_sys::BIO;

mod buffer;
mod memory;
mod pair;

pub(crate) use memory::MemoryRings;
pub(crate) use pair::BioPair;

/// Two rings, one for each direction, of either kind.
#[derive(Debug)]
pub(crate) enum Rings {
    Memory(MemoryRings),
    Pair(BioPair),
}

/// The capacity of the rings of one connection, in bytes.
///
/// A ring of any size works; one that holds a whole record (16 KiB and a few
/// bytes) saves system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// From the transport to OpenSSL.
    pub incoming: usize,
    /// From OpenSSL to the transport.
    pub outgoing: usize,
}

impl RingSizes {
    /// One record of the largest size in each direction: OpenSSL's default.
    pub const RECORD: RingSizes = RingSizes {
        incoming: 17 * 1024,
        outgoing: 17 * 1024,
    };
    /// For bulk transfer: three records out, two in.
    ///
    /// With a fourth record a send would be a little longer than the largest packet
    /// that the kernel makes, of 64 KiB, and its last bytes would go in one of their own.
    pub const BULK: RingSizes = RingSizes {
        incoming: 34 * 1024,
        outgoing: 50 * 1024,
    };
}

impl Default for RingSizes {
    fn default() -> RingSizes {
        RingSizes::RECORD
    }
}

macro_rules! either {
    ($rings:expr, $each:ident => $call:expr) => {
        match $rings {
            Rings::Memory($each) => $call,
            Rings::Pair($each) => $call,
        }
    };
}

impl Rings {
    /// The content of these rings in a pair of OpenSSL's, which counts as read from if
    /// `was_read`.
    pub(crate) fn into_pair(mut self, was_read: bool) -> Result<BioPair, (Rings, ErrorStack)> {
        let Rings::Memory(memory) = &mut self else {
            return match self {
                Rings::Pair(pair) => Ok(pair),
                Rings::Memory(_) => unreachable!("looked at just now"),
            };
        };
        let mut pair = match BioPair::new(memory.sizes()) {
            Ok(pair) => pair,
            Err(error) => return Err((self, error)),
        };
        if was_read {
            pair.note_read();
        }
        pair.write_in(&memory.take_unread());
        while memory.out_pending() > 0 {
            let n = pair.write_out(memory.out_data());
            assert!(n > 0, "the pair is as large");
            memory.consume_out(n);
        }
        if memory.is_in_closed() {
            pair.close_in();
        }
        Ok(pair)
    }

    /// A new reference to the half that faces OpenSSL, for the SSL object to own.
    pub(crate) fn share(&self) -> *mut BIO {
        match self {
            Rings::Memory(rings) => rings.share(),
            Rings::Pair(pair) => pair.share_internal(),
        }
    }

    /// One contiguous piece of the in-ring's free space, empty when the ring is
    /// full or closed. There may be more after this one is committed.
    #[inline]
    pub(crate) fn in_space(&mut self) -> &mut [u8] {
        either!(self, rings => rings.in_space())
    }

    /// Hands the first `n` bytes of the space to OpenSSL.
    ///
    /// # Panics
    ///
    /// Panics if [`Rings::in_space`] did not lend so much.
    #[inline]
    pub(crate) fn commit_in(&mut self, n: usize) {
        either!(self, rings => rings.commit_in(n));
    }

    /// Copies bytes to the in-ring; says how much fitted.
    pub(crate) fn write_in(&mut self, data: &[u8]) -> usize {
        either!(self, rings => rings.write_in(data))
    }

    /// No more bytes will come: OpenSSL reads end of file once the ring is empty.
    pub(crate) fn close_in(&mut self) {
        either!(self, rings => rings.close_in());
    }

    /// Takes out of the in-ring what OpenSSL has not read yet.
    pub(crate) fn take_unread(&mut self) -> Vec<u8> {
        either!(self, rings => rings.take_unread())
    }

    /// One contiguous piece of the out-ring's content; empty when there is none.
    #[inline]
    pub(crate) fn out_data(&mut self) -> &[u8] {
        either!(self, rings => rings.out_data())
    }

    /// Removes the first `n` bytes of [`Rings::out_data`].
    ///
    /// # Panics
    ///
    /// Panics if there were fewer.
    #[inline]
    pub(crate) fn consume_out(&mut self, n: usize) {
        either!(self, rings => rings.consume_out(n));
    }

    /// Bytes in the in-ring that OpenSSL has not read yet.
    #[inline]
    pub(crate) fn in_pending(&self) -> usize {
        either!(self, rings => rings.in_pending())
    }

    /// Bytes in the out-ring that have not been consumed yet.
    #[inline]
    pub(crate) fn out_pending(&self) -> usize {
        either!(self, rings => rings.out_pending())
    }

    /// Bytes that OpenSSL can surely write before the out-ring is full.
    #[inline]
    pub(crate) fn out_free(&self) -> usize {
        either!(self, rings => rings.out_free())
    }

    /// Bytes that OpenSSL last wanted to read and did not find.
    pub(crate) fn read_request(&self) -> usize {
        either!(self, rings => rings.read_request())
    }
}
