//! Rings of OpenSSL's own (`BIO_s_bio(3)`), for engines that foreign code works on.
//!
//! ```text
//!              out-ring: SSL writes, we read
//!   SSL -- internal ==========================> network -- transport
//!   SSL -- internal <========================== network -- transport
//!              in-ring: we write, SSL reads
//! ```
//!
//! [`BioPair`] owns one reference to each half. An SSL object that uses the pair
//! holds a reference of its own to the internal half, so neither outlives its
//! memory whatever the order of drops.
//!
//! OpenSSL documents a trap (`BIO_s_bio(3)`): once the reader has drained a ring its
//! offset goes back to zero, and a pointer taken before then commits other bytes. The
//! loans borrow the pair, so that cannot happen. The rings come from `malloc`,
//! uninitialised, so the in-ring is zeroed where it is lent.

use std::ffi::{c_int, c_long};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use openssl::error::ErrorStack;
use openssl_sys::BIO;

use super::RingSizes;
use crate::ffi;

#[cfg(feature = "aws-lc")]
mod scratch;
#[cfg(not(feature = "aws-lc"))]
mod windows;

#[cfg(feature = "aws-lc")]
use scratch::Loans;
#[cfg(not(feature = "aws-lc"))]
use windows::Loans;

/// Two rings, one for each direction.
#[derive(Debug)]
pub(crate) struct BioPair {
    internal: NonNull<BIO>,
    network: NonNull<BIO>,
    sizes: RingSizes,
    loans: Loans,
    /// No more bytes will be written to the in-ring.
    in_closed: bool,
    /// The halves are used through shared references: not `Sync`.
    not_sync: PhantomData<*mut BIO>,
}

// SAFETY: a BIO has no thread affinity, its reference count is atomic, and the
// pair's lock-free state is only touched through the one owner of this value.
unsafe impl Send for BioPair {}

impl BioPair {
    /// Makes a pair with empty rings. A size of zero is raised to one byte.
    pub(crate) fn new(sizes: RingSizes) -> Result<BioPair, ErrorStack> {
        let sizes = RingSizes {
            incoming: sizes.incoming.max(1),
            outgoing: sizes.outgoing.max(1),
        };
        let mut internal = ptr::null_mut();
        let mut network = ptr::null_mut();
        // SAFETY: both out-pointers are valid; each half gets one reference, ours.
        let made = unsafe {
            ffi::BIO_new_bio_pair(&mut internal, sizes.outgoing, &mut network, sizes.incoming)
        };
        let (1, Some(internal), Some(network)) =
            (made, NonNull::new(internal), NonNull::new(network))
        else {
            return Err(ErrorStack::get());
        };
        let mut pair = BioPair::of_halves(internal, network, sizes);
        pair.find_base();
        Ok(pair)
    }

    /// Both halves are ours to use and to free.
    fn of_halves(internal: NonNull<BIO>, network: NonNull<BIO>, sizes: RingSizes) -> BioPair {
        BioPair {
            internal,
            network,
            sizes,
            loans: Loans::new(),
            in_closed: false,
            not_sync: PhantomData,
        }
    }

    /// Shares the internal half of a pair that others made, and takes over their
    /// reference to the other. What is in the in-ring stays there. `None`, and
    /// nothing is taken over, when the halves are not those of a pair.
    ///
    /// # Safety
    ///
    /// Both are alive, or the second is null. If both are halves of pairs, it is the
    /// same pair. Nobody else uses them while the result lives.
    pub(crate) unsafe fn from_raw(internal: NonNull<BIO>, network: *mut BIO) -> Option<BioPair> {
        let network = NonNull::new(network)?;
        let capacity = |half: NonNull<BIO>| {
            // SAFETY: the caller says that it is alive.
            let kind = unsafe { ffi::BIO_method_type(half.as_ptr()) };
            if kind != ffi::BIO_TYPE_BIO {
                return None;
            }
            // SAFETY: as above; the command takes no argument.
            let size = unsafe {
                openssl_sys::BIO_ctrl(
                    half.as_ptr(),
                    ffi::BIO_C_GET_WRITE_BUF_SIZE,
                    0,
                    ptr::null_mut(),
                )
            };
            usize::try_from(size).ok().filter(|size| *size > 0)
        };
        let sizes = RingSizes {
            incoming: capacity(network)?,
            outgoing: capacity(internal)?,
        };
        // SAFETY: alive, as above.
        let shared = unsafe { ffi::BIO_up_ref(internal.as_ptr()) };
        if shared != 1 {
            return None;
        }
        let mut pair = BioPair::of_halves(internal, network, sizes);
        if !pair.has_space() {
            // SAFETY: the half is ours by now; this only looks.
            let full =
                unsafe { ffi::BIO_test_flags(network.as_ptr(), ffi::BIO_FLAGS_SHOULD_RETRY) };
            pair.in_closed = full == 0;
        }
        if !pair.in_closed {
            pair.find_base();
        }
        Some(pair)
    }

    /// Copies bytes to the in-ring; says how much fitted.
    pub(crate) fn write_in(&mut self, data: &[u8]) -> usize {
        let mut fed = 0;
        while fed < data.len() {
            let space = self.in_space();
            let n = space.len().min(data.len() - fed);
            if n == 0 {
                break;
            }
            space[..n].copy_from_slice(&data[fed..fed + n]);
            self.commit_in(n);
            fed += n;
        }
        fed
    }

    /// Gives the network half to a new owner; the SSL object keeps the other one.
    pub(crate) fn into_network(mut self) -> *mut BIO {
        self.settle();
        // SAFETY: our reference keeps the half alive during the call.
        let done = unsafe { ffi::BIO_up_ref(self.network.as_ptr()) };
        assert_eq!(done, 1, "BIO_up_ref only fails when the count overflows");
        self.network.as_ptr()
    }

    /// Writes to the out-ring as OpenSSL does; says how much fitted.
    pub(crate) fn write_out(&mut self, data: &[u8]) -> usize {
        if data.is_empty() {
            return 0;
        }
        let (start, len) = (data.as_ptr().cast(), clamp(data.len()));
        // SAFETY: the half is ours and paired; `data` is readable for its length.
        let n = unsafe { openssl_sys::BIO_write(self.internal.as_ptr(), start, len) };
        usize::try_from(n).unwrap_or(0)
    }

    /// The capacity of the rings.
    pub(crate) fn sizes(&self) -> RingSizes {
        self.sizes
    }

    /// The half that faces the transport.
    pub(crate) fn network_ptr(&self) -> *mut BIO {
        self.network.as_ptr()
    }

    /// A new reference to the internal half, for the SSL object to own.
    pub(crate) fn share_internal(&self) -> *mut BIO {
        // SAFETY: our reference keeps the half alive during the call.
        let done = unsafe { ffi::BIO_up_ref(self.internal.as_ptr()) };
        assert_eq!(done, 1, "BIO_up_ref only fails when the count overflows");
        self.internal.as_ptr()
    }

    /// No more bytes will come: OpenSSL reads end of file once the ring is empty.
    pub(crate) fn close_in(&mut self) {
        self.in_closed = true;
        self.ctrl(self.network, ffi::BIO_C_SHUTDOWN_WR);
    }

    /// Whether end of file follows what is in the in-ring.
    pub(crate) fn is_in_closed(&self) -> bool {
        self.in_closed
    }

    /// Takes out of the in-ring what OpenSSL has not read yet.
    pub(crate) fn take_unread(&mut self) -> Vec<u8> {
        let mut unread = vec![0; self.in_pending()];
        if unread.is_empty() {
            return unread;
        }
        let start = unread.as_mut_ptr().cast();
        // SAFETY: the half is ours and paired; `start` is writable for that many bytes.
        let n =
            unsafe { openssl_sys::BIO_read(self.internal.as_ptr(), start, clamp(unread.len())) };
        unread.truncate(usize::try_from(n).unwrap_or(0));
        unread
    }

    /// Has an empty pair count as one that was read from, as the rings before it were:
    /// who makes an engine of it asks that (`BIO_number_read(3)`).
    pub(crate) fn note_read(&mut self) {
        self.write_in(&[0]);
        self.take_unread();
    }

    /// Bytes in the in-ring that OpenSSL has not read yet.
    pub(crate) fn in_pending(&self) -> usize {
        self.ctrl(self.internal, ffi::BIO_CTRL_PENDING)
    }

    /// Bytes in the out-ring that have not been consumed yet.
    pub(crate) fn out_pending(&self) -> usize {
        self.out_lent() + self.ring_pending()
    }

    /// Those of them that are in the ring.
    fn ring_pending(&self) -> usize {
        self.ctrl(self.network, ffi::BIO_CTRL_PENDING)
    }

    /// Bytes that the in-ring has room for.
    #[cfg(feature = "aws-lc")]
    fn in_free(&self) -> usize {
        self.ctrl(self.network, ffi::BIO_C_GET_WRITE_GUARANTEE)
    }

    /// Bytes that OpenSSL can surely write before the out-ring is full.
    pub(crate) fn out_free(&self) -> usize {
        let free = self.ctrl(self.internal, ffi::BIO_C_GET_WRITE_GUARANTEE);
        free.saturating_sub(self.out_lent())
    }

    /// Bytes that OpenSSL last wanted to read and did not find.
    pub(crate) fn read_request(&self) -> usize {
        self.ctrl(self.network, ffi::BIO_C_GET_READ_REQUEST)
    }

    fn ctrl(&self, half: NonNull<BIO>, command: c_int) -> usize {
        // SAFETY: `half` is one of ours, and these commands take no argument.
        let answer: c_long =
            unsafe { openssl_sys::BIO_ctrl(half.as_ptr(), command, 0, ptr::null_mut()) };
        usize::try_from(answer).unwrap_or(0)
    }
}

impl Drop for BioPair {
    fn drop(&mut self) {
        for half in [self.network, self.internal] {
            // SAFETY: each half is given back once: the reference made by `new`.
            unsafe { ffi::BIO_free(half.as_ptr()) };
        }
    }
}

/// A length as C takes it. Rings are far smaller than 2 GiB.
fn clamp(n: usize) -> c_int {
    c_int::try_from(n).unwrap_or(c_int::MAX)
}

#[cfg(test)]
mod tests {
    #[cfg(not(feature = "aws-lc"))]
    use super::windows::FIRST_LOAN;
    use super::*;

    /// What OpenSSL does on its half, by the plain calls.
    fn internal_write(pair: &BioPair, data: &[u8]) -> c_int {
        // SAFETY: the half is alive and `data` is readable.
        unsafe {
            openssl_sys::BIO_write(
                pair.internal.as_ptr(),
                data.as_ptr().cast(),
                clamp(data.len()),
            )
        }
    }

    fn internal_read(pair: &BioPair, len: usize) -> Vec<u8> {
        let mut data = vec![0; len];
        // SAFETY: the half is alive and `data` is writable.
        let n = unsafe {
            openssl_sys::BIO_read(pair.internal.as_ptr(), data.as_mut_ptr().cast(), clamp(len))
        };
        data.truncate(usize::try_from(n).unwrap_or(0));
        data
    }

    fn feed(pair: &mut BioPair, mut data: &[u8]) {
        while !data.is_empty() {
            let space = pair.in_space();
            let n = space.len().min(data.len());
            assert!(n > 0, "ring full");
            space[..n].copy_from_slice(&data[..n]);
            pair.commit_in(n);
            data = &data[n..];
        }
    }

    #[test]
    fn carries_bytes_both_ways_around_the_end_of_the_ring() {
        for size in [1, 2, 17, 64, 4096, 5000] {
            let mut pair = BioPair::new(RingSizes {
                incoming: size,
                outgoing: size,
            })
            .expect("memory");
            let mut next = 0u8;
            let mut expected = 0u8;
            for round in 0..200 {
                let n = 1 + round % size;
                let free = size - pair.in_pending();
                let data: Vec<u8> = (0..n.min(free))
                    .map(|i| next.wrapping_add(i as u8))
                    .collect();
                next = next.wrapping_add(data.len() as u8);
                feed(&mut pair, &data);
                for byte in internal_read(&pair, 1 + round % 3) {
                    assert_eq!(byte, expected);
                    expected = expected.wrapping_add(1);
                }
                assert_eq!(internal_write(&pair, &[round as u8]), 1);
                assert_eq!(pair.out_data(), [round as u8]);
                pair.consume_out(1);
                assert!(pair.out_data().is_empty());
            }
        }
    }

    #[cfg(not(feature = "aws-lc"))]
    #[test]
    fn lends_a_large_ring_in_growing_parts_of_zeroes() {
        let mut pair = BioPair::new(RingSizes::RECORD).expect("memory");
        assert!(pair.in_space().iter().all(|byte| *byte == 0));
        assert_eq!(pair.in_space().len(), FIRST_LOAN);
        feed(&mut pair, &[1; FIRST_LOAN / 2]);
        assert_eq!(internal_read(&pair, FIRST_LOAN).len(), FIRST_LOAN / 2);
        assert_eq!(pair.in_space().len(), FIRST_LOAN);
        feed(&mut pair, &[1; FIRST_LOAN]);
        assert_eq!(pair.in_space().len(), FIRST_LOAN);
        feed(&mut pair, &[2; FIRST_LOAN]);
        assert_eq!(pair.in_space().len(), 2 * FIRST_LOAN);
        feed(&mut pair, &[3; 17 * 1024 - 2 * FIRST_LOAN]);
        assert!(pair.in_space().is_empty());
        assert_eq!(pair.in_pending(), 17 * 1024);
        assert_eq!(internal_read(&pair, 17 * 1024).len(), 17 * 1024);
        assert_eq!(pair.in_space().len(), 17 * 1024);
    }

    #[test]
    fn a_closed_pair_lends_nothing() {
        let mut pair = BioPair::new(RingSizes::RECORD).expect("memory");
        assert!(!pair.in_space().is_empty());
        pair.close_in();
        assert!(pair.in_space().is_empty());
    }

    #[test]
    #[should_panic(expected = "committed 5000 bytes")]
    fn does_not_commit_more_than_it_lent() {
        let mut pair = BioPair::new(RingSizes::RECORD).expect("memory");
        let _ = pair.in_space();
        pair.commit_in(5000);
    }
}
