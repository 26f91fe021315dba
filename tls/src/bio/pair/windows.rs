//! Loans of the rings themselves (`BIO_nread0` and `BIO_nwrite0` of `BIO_s_bio(3)`).

use std::ffi::c_char;
use std::ptr::{self, NonNull};

use super::{BioPair, clamp};
use crate::ffi;

/// The least part of a fresh ring that is zeroed and lent.
pub(super) const FIRST_LOAN: usize = 4096;

/// A loan shorter than this is extended if the ring has the room.
const LEAST_LOAN: usize = 1024;

/// What is known about the parts of the rings that are lent.
#[derive(Debug)]
pub(super) struct Loans {
    /// Start of the in-ring.
    base: NonNull<u8>,
    /// So much of the in-ring, from its start, has been initialised.
    initialised: usize,
    /// The last loan came back full: the next one may be larger.
    was_filled: bool,
}

impl Loans {
    pub(super) fn new() -> Loans {
        Loans {
            base: NonNull::dangling(),
            initialised: 0,
            was_filled: false,
        }
    }
}

impl BioPair {
    /// Finds where the in-ring begins. Only an empty ring tells that, so what is in
    /// it is taken out and put back.
    pub(super) fn find_base(&mut self) {
        let content = self.take_unread();
        if let Some((base, _)) = self.raw_space() {
            self.loans.base = base;
        }
        let fed = self.write_in(&content);
        assert_eq!(fed, content.len(), "the ring held these bytes before");
    }

    /// Whether the in-ring has room. A full or closed one leaves an error in
    /// OpenSSL's queue.
    pub(super) fn has_space(&self) -> bool {
        self.raw_space().is_some()
    }

    /// All that is to be sent is in the ring.
    pub(crate) fn settle(&mut self) {}

    /// Nothing of it is anywhere else.
    pub(super) fn out_lent(&self) -> usize {
        0
    }

    /// One contiguous piece of the in-ring's free space, empty when the ring is
    /// full or closed. There may be a second piece after this one is committed.
    pub(crate) fn in_space(&mut self) -> &mut [u8] {
        let Some((start, len)) = self.raw_space() else {
            return &mut [];
        };
        let offset = self.offset_of(start);
        let ready = self.loans.initialised.saturating_sub(offset);
        if ready < len && (ready < LEAST_LOAN || self.loans.was_filled) {
            self.initialise(offset, len);
        }
        let len = len.min(self.loans.initialised - offset);
        // SAFETY: OpenSSL says that `len` bytes from `start` are inside the ring and
        // free; they are initialised; the borrow of `self` keeps every other access
        // to the ring away while the slice lives.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// Hands the first `n` bytes of the space to OpenSSL.
    ///
    /// # Panics
    ///
    /// Panics if [`BioPair::in_space`] did not lend so much.
    pub(crate) fn commit_in(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        let lent = self.raw_space().map_or(0, |(start, len)| {
            len.min(self.loans.initialised.saturating_sub(self.offset_of(start)))
        });
        assert!(n <= lent, "committed {n} bytes of a window of {lent}");
        self.loans.was_filled = n == lent;
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: `n` bytes of free space are there and initialised, see above.
        let taken = unsafe { ffi::BIO_nwrite(self.network.as_ptr(), &mut start, clamp(n)) };
        assert_eq!(
            usize::try_from(taken),
            Ok(n),
            "a ring took less than it had lent"
        );
    }

    /// One contiguous piece of the out-ring's content; empty when there is none.
    pub(crate) fn out_data(&mut self) -> &[u8] {
        // Asking an empty ring for data would count as a read request.
        if self.out_pending() == 0 {
            return &[];
        }
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: the half is ours and paired; the pointer is written on success.
        let len = unsafe { ffi::BIO_nread0(self.network.as_ptr(), &mut start) };
        match (usize::try_from(len), NonNull::new(start.cast::<u8>())) {
            (Ok(len), Some(start)) => {
                #[allow(clippy::disallowed_methods, reason = "the pointer is not null")]
                // SAFETY: OpenSSL wrote these `len` bytes of the ring, and nothing
                // changes them while `self` is borrowed.
                unsafe {
                    std::slice::from_raw_parts(start.as_ptr(), len)
                }
            }
            _ => &[],
        }
    }

    /// Removes the first `n` bytes of [`BioPair::out_data`].
    ///
    /// # Panics
    ///
    /// Panics if the piece was shorter.
    pub(crate) fn consume_out(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: the half is ours and paired; OpenSSL limits `n` to what is there.
        let taken = unsafe { ffi::BIO_nread(self.network.as_ptr(), &mut start, clamp(n)) };
        assert_eq!(
            usize::try_from(taken),
            Ok(n),
            "consumed more than the ring had lent"
        );
    }

    /// The first contiguous free piece of the in-ring, initialised or not.
    fn raw_space(&self) -> Option<(NonNull<u8>, usize)> {
        // A full or closed ring would leave an error in OpenSSL's queue.
        if self.in_closed {
            return None;
        }
        let mut start: *mut c_char = ptr::null_mut();
        // SAFETY: the half is ours and paired; the pointer is written on success.
        let len = unsafe { ffi::BIO_nwrite0(self.network.as_ptr(), &mut start) };
        let len = usize::try_from(len).ok().filter(|len| *len > 0)?;
        Some((NonNull::new(start.cast())?, len))
    }

    fn offset_of(&self, start: NonNull<u8>) -> usize {
        start.as_ptr().addr() - self.loans.base.as_ptr().addr()
    }

    /// Zeroes some of the free space of `len` bytes at `offset`, from where the
    /// initialised part ends.
    fn initialise(&mut self, offset: usize, len: usize) {
        let start = self.loans.initialised.max(offset);
        let end = (offset + len).min(start + start.max(FIRST_LOAN));
        // SAFETY: `start` is within the ring, whose base this is.
        let from = unsafe { self.loans.base.add(start) };
        // SAFETY: `start..end` is inside the free space that OpenSSL reported.
        unsafe { from.write_bytes(0, end - start) };
        self.loans.initialised = end;
    }
}
