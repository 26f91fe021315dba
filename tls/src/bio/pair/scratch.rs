//! Loans of buffers beside the rings, for AWS-LC, whose BIO pairs lend nothing of
//! themselves.
//!
//! What is lent for writing is copied into the in-ring when it is committed. What is
//! to be sent is copied out of its ring first, and is older than what is in the ring
//! from then on.

use super::{BioPair, clamp};

/// The length of the first loan. The others grow as they are filled.
pub(super) const FIRST_LOAN: usize = 4096;

/// The buffers that are lent.
#[derive(Debug)]
pub(super) struct Loans {
    incoming: Vec<u8>,
    /// The length of the next loan, if the ring has the room.
    wanted: usize,
    outgoing: Vec<u8>,
    /// So much of `outgoing` has been consumed.
    consumed: usize,
}

impl Loans {
    pub(super) fn new() -> Loans {
        Loans {
            incoming: Vec::new(),
            wanted: FIRST_LOAN,
            outgoing: Vec::new(),
            consumed: 0,
        }
    }
}

impl BioPair {
    /// The buffers have no base in the rings.
    pub(super) fn find_base(&mut self) {}

    /// Whether the in-ring has room. A full or closed one leaves an error in
    /// AWS-LC's queue.
    pub(super) fn has_space(&self) -> bool {
        if self.in_free() > 0 {
            return true;
        }
        // Room is told even to nobody; only a write tells a full ring from a closed one.
        let byte = 0_u8;
        // SAFETY: the half is ours and paired; there is one readable byte, and no room.
        unsafe { openssl_sys::BIO_write(self.network.as_ptr(), (&raw const byte).cast(), 1) };
        false
    }

    /// Puts back into the ring what was taken out of it and not consumed.
    pub(crate) fn settle(&mut self) {
        if self.out_lent() == 0 {
            return;
        }
        self.refill();
        let data = std::mem::take(&mut self.loans.outgoing);
        let first = std::mem::take(&mut self.loans.consumed);
        // More than the ring holds was lent only if the ring was filled again since;
        // then the oldest must stay beside it, and all of it does.
        if data.len() - first > self.sizes.outgoing {
            self.loans.outgoing = data;
            self.loans.consumed = first;
            return;
        }
        self.write_out(&data[first..]);
    }

    /// Lends a part of the in-ring's free space, empty when the ring is full or
    /// closed. There may be more after this one is committed.
    pub(crate) fn in_space(&mut self) -> &mut [u8] {
        let len = if self.in_closed {
            0
        } else {
            self.in_free().min(self.loans.wanted)
        };
        if self.loans.incoming.len() < len {
            self.loans.incoming.resize(len, 0);
        }
        &mut self.loans.incoming[..len]
    }

    /// Hands the first `n` bytes of the space to AWS-LC.
    ///
    /// # Panics
    ///
    /// Panics if [`BioPair::in_space`] did not lend so much.
    pub(crate) fn commit_in(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        let lent = self.in_space().len();
        assert!(n <= lent, "committed {n} bytes of a window of {lent}");
        if n == lent && n == self.loans.wanted {
            self.loans.wanted *= 2;
        }
        let start = self.loans.incoming.as_ptr();
        // SAFETY: the half is ours and paired, and `n` bytes of the buffer are there.
        let taken =
            unsafe { openssl_sys::BIO_write(self.network.as_ptr(), start.cast(), clamp(n)) };
        assert_eq!(
            usize::try_from(taken),
            Ok(n),
            "a ring took less than it had lent"
        );
    }

    /// What is to be sent, or a part of it; empty when there is nothing.
    pub(crate) fn out_data(&mut self) -> &[u8] {
        if self.out_lent() == 0 {
            self.refill();
        }
        &self.loans.outgoing[self.loans.consumed..]
    }

    /// Removes the first `n` bytes of [`BioPair::out_data`].
    ///
    /// # Panics
    ///
    /// Panics if the piece was shorter.
    pub(crate) fn consume_out(&mut self, n: usize) {
        if n > self.out_lent() {
            self.refill();
        }
        assert!(n <= self.out_lent(), "consumed more than the ring had lent");
        self.loans.consumed += n;
        if self.out_lent() == 0 {
            self.loans.outgoing.clear();
            self.loans.consumed = 0;
        }
    }

    /// So much was taken out of the ring and not consumed.
    pub(super) fn out_lent(&self) -> usize {
        self.loans.outgoing.len() - self.loans.consumed
    }

    /// Takes all that is in the out-ring behind what was taken before.
    fn refill(&mut self) {
        let pending = self.ring_pending();
        if pending == 0 {
            // Asking an empty ring for data would count as a read request.
            return;
        }
        let old = self.loans.outgoing.len();
        self.loans.outgoing.resize(old + pending, 0);
        let start = self.loans.outgoing[old..].as_mut_ptr();
        // SAFETY: the half is ours and paired; `start` is writable for that many bytes.
        let n =
            unsafe { openssl_sys::BIO_read(self.network.as_ptr(), start.cast(), clamp(pending)) };
        self.loans
            .outgoing
            .truncate(old + usize::try_from(n).unwrap_or(0));
    }
}
