//! Our own rings, joined to OpenSSL by a BIO of our own kind (`BIO_meth_new(3)`).
//!
//! ```text
//!   SSL -- BIO -- read  <-- in-ring  <-- transport
//!              -- write --> out-ring --> transport
//! ```
//!
//! Both rings are plain memory of ours. The transport's side, which asks several
//! times for each record whether there is something to do, thus looks at fields
//! instead of calling into libcrypto, and OpenSSL's side is one copy.
//!
//! The rings belong to the BIO, which frees them with its last reference. The
//! owner of [`MemoryRings`] has one for as long as it lives, and an SSL object that
//! uses them another, so it does not matter which of the two goes first. OpenSSL
//! calls back only within calls on that SSL object, for which the engine has to be
//! borrowed as a whole: no loan of a ring is alive then.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl_sys::{BIO, BIO_METHOD};

use super::RingSizes;
use super::buffer::Ring;
use crate::ffi;
use crate::panics::guard_callback;

/// Two rings, one for each direction.
#[derive(Debug)]
pub(crate) struct MemoryRings {
    bio: NonNull<BIO>,
    /// Owned by `bio`.
    rings: NonNull<Both>,
    /// The rings are looked at through shared references: not `Sync`.
    not_sync: PhantomData<*mut Both>,
}

#[derive(Debug)]
struct Both {
    incoming: Ring,
    outgoing: Ring,
    /// No more bytes will be written to the in-ring.
    in_closed: bool,
    /// Bytes that OpenSSL last wanted to read and did not find.
    read_request: usize,
}

// SAFETY: a BIO has no thread affinity, its reference count is atomic, and the rings
// are only touched through the one owner of this value, or by calls that it makes.
unsafe impl Send for MemoryRings {}

impl MemoryRings {
    /// Makes empty rings. A size of zero is raised to one byte.
    pub(crate) fn new(sizes: RingSizes) -> Result<MemoryRings, ErrorStack> {
        let method = method()?;
        let ring = |size: usize| Ring::new(size.max(1)).ok_or_else(ErrorStack::get);
        let (incoming, outgoing) = (ring(sizes.incoming)?, ring(sizes.outgoing)?);
        // SAFETY: the method is complete, and stays for ever.
        let bio = unsafe { openssl_sys::BIO_new(method) };
        let bio = NonNull::new(bio).ok_or_else(ErrorStack::get)?;
        let rings = Box::new(Both {
            incoming,
            outgoing,
            in_closed: false,
            read_request: 0,
        });
        let rings = NonNull::from(Box::leak(rings));
        // SAFETY: the BIO is new and ours; `destroy` frees what it is given here.
        unsafe { openssl_sys::BIO_set_data(bio.as_ptr(), rings.as_ptr().cast()) };
        // SAFETY: as above.
        unsafe { openssl_sys::BIO_set_init(bio.as_ptr(), 1) };
        Ok(MemoryRings {
            bio,
            rings,
            not_sync: PhantomData,
        })
    }

    #[inline]
    fn both(&self) -> &Both {
        // SAFETY: our reference keeps the BIO alive and the BIO the rings. They change
        // only through `both_mut`, or in calls on the SSL object, which its owner
        // cannot make while this loan is alive.
        unsafe { self.rings.as_ref() }
    }

    #[inline]
    fn both_mut(&mut self) -> &mut Both {
        // SAFETY: as above, and `&mut self` keeps other loans away.
        unsafe { self.rings.as_mut() }
    }

    /// A new reference to the BIO, for the SSL object to own.
    pub(super) fn share(&self) -> *mut BIO {
        // SAFETY: our reference keeps the BIO alive during the call.
        let done = unsafe { ffi::BIO_up_ref(self.bio.as_ptr()) };
        assert_eq!(done, 1, "BIO_up_ref only fails when the count overflows");
        self.bio.as_ptr()
    }

    /// The capacity of the rings.
    pub(crate) fn sizes(&self) -> RingSizes {
        RingSizes {
            incoming: self.both().incoming.capacity(),
            outgoing: self.both().outgoing.capacity(),
        }
    }

    /// Whether another connection can use the rings: nothing is left in them, and
    /// end of file was never signalled.
    pub(crate) fn is_reusable(&self) -> bool {
        let both = self.both();
        !both.in_closed && both.incoming.len() == 0 && both.outgoing.len() == 0
    }

    /// Which rings these are.
    #[cfg(test)]
    pub(crate) fn address(&self) -> usize {
        self.rings.as_ptr().addr()
    }

    #[inline]
    pub(super) fn in_space(&mut self) -> &mut [u8] {
        let both = self.both_mut();
        if both.in_closed {
            return &mut [];
        }
        both.incoming.space()
    }

    #[inline]
    pub(super) fn commit_in(&mut self, n: usize) {
        let both = self.both_mut();
        both.incoming.commit(n);
        both.read_request = 0;
    }

    pub(super) fn write_in(&mut self, data: &[u8]) -> usize {
        let both = self.both_mut();
        if both.in_closed {
            return 0;
        }
        both.read_request = 0;
        both.incoming.write(data)
    }

    pub(crate) fn close_in(&mut self) {
        self.both_mut().in_closed = true;
    }

    pub(super) fn is_in_closed(&self) -> bool {
        self.both().in_closed
    }

    pub(super) fn take_unread(&mut self) -> Vec<u8> {
        let incoming = &mut self.both_mut().incoming;
        let mut unread = Vec::with_capacity(incoming.len());
        incoming.take(usize::MAX, |piece| unread.extend_from_slice(piece));
        unread
    }

    #[inline]
    pub(super) fn out_data(&self) -> &[u8] {
        self.both().outgoing.content()
    }

    #[inline]
    pub(super) fn consume_out(&mut self, n: usize) {
        self.both_mut().outgoing.consume(n);
    }

    #[inline]
    pub(super) fn in_pending(&self) -> usize {
        self.both().incoming.len()
    }

    #[inline]
    pub(super) fn out_pending(&self) -> usize {
        self.both().outgoing.len()
    }

    #[inline]
    pub(super) fn out_free(&self) -> usize {
        self.both().outgoing.free()
    }

    pub(super) fn read_request(&self) -> usize {
        self.both().read_request
    }
}

impl Drop for MemoryRings {
    fn drop(&mut self) {
        // SAFETY: the reference made by `new` is given back, once.
        unsafe { ffi::BIO_free(self.bio.as_ptr()) };
    }
}

/// What OpenSSL calls. Made once, and never freed: BIOs point to it.
fn method() -> Result<*const BIO_METHOD, ErrorStack> {
    struct Method(NonNull<BIO_METHOD>);
    // SAFETY: nobody changes it once it is here, and it has no thread affinity.
    unsafe impl Send for Method {}
    // SAFETY: as above.
    unsafe impl Sync for Method {}

    static METHOD: OnceLock<Method> = OnceLock::new();
    if let Some(method) = METHOD.get() {
        return Ok(method.0.as_ptr());
    }
    // SAFETY: the name is a string constant.
    let made = unsafe { openssl_sys::BIO_meth_new(openssl_sys::BIO_TYPE_NONE, c"rings".as_ptr()) };
    let made = NonNull::new(made).ok_or_else(ErrorStack::get)?;
    // SAFETY: the method is new and ours; each of these stores a function in it.
    let stored = unsafe { ffi::BIO_meth_set_read(made.as_ptr(), Some(read)) == 1 }
        // SAFETY: as above.
        && unsafe { ffi::BIO_meth_set_write(made.as_ptr(), Some(write)) == 1 }
        // SAFETY: as above.
        && unsafe { ffi::BIO_meth_set_ctrl(made.as_ptr(), Some(ctrl)) == 1 }
        // SAFETY: as above.
        && unsafe { ffi::BIO_meth_set_destroy(made.as_ptr(), Some(destroy)) == 1 };
    if !stored {
        return Err(ErrorStack::get());
    }
    // Of two threads that get here at once, one has made a method that nobody uses.
    Ok(METHOD.get_or_init(|| Method(made)).0.as_ptr())
}

/// The rings of a BIO.
///
/// # Safety
///
/// `bio` is one of ours, and no loan of its rings is alive while the result is.
unsafe fn rings_of<'a>(bio: *mut BIO) -> &'a mut Both {
    // SAFETY: the caller says that it is a BIO.
    let rings: *mut Both = unsafe { openssl_sys::BIO_get_data(bio) }.cast();
    // SAFETY: `new` has put them there, and the caller says that nobody looks at them.
    unsafe { &mut *rings }
}

/// `BIO_read(3)`: what there is; 0 at the end of file.
unsafe extern "C" fn read(bio: *mut BIO, target: *mut c_char, length: c_int) -> c_int {
    guard_callback(-1, || {
        // SAFETY: OpenSSL passes a BIO of this kind, within a call that its owner makes.
        let both = unsafe { rings_of(bio) };
        // SAFETY: the BIO is alive.
        unsafe { openssl_sys::BIO_clear_retry_flags(bio) };
        both.read_request = 0;
        let length = usize::try_from(length).unwrap_or(0);
        if target.is_null() || length == 0 {
            return 0;
        }
        if both.incoming.len() == 0 {
            if both.in_closed {
                return 0;
            }
            both.read_request = length.min(both.incoming.capacity());
            // SAFETY: the BIO is alive.
            unsafe { openssl_sys::BIO_set_retry_read(bio) };
            return -1;
        }
        let mut to = target.cast::<u8>();
        count(both.incoming.take(length, |piece| {
            // SAFETY: OpenSSL passes room for `length` bytes, none of it in our rings,
            // and the pieces are no longer than that together.
            unsafe { to.copy_from_nonoverlapping(piece.as_ptr(), piece.len()) };
            // SAFETY: as above.
            to = unsafe { to.add(piece.len()) };
        }))
    })
}

/// `BIO_write(3)`: as much as fits.
unsafe extern "C" fn write(bio: *mut BIO, source: *const c_char, length: c_int) -> c_int {
    guard_callback(-1, || {
        // SAFETY: as for `read`.
        let both = unsafe { rings_of(bio) };
        // SAFETY: the BIO is alive.
        unsafe { openssl_sys::BIO_clear_retry_flags(bio) };
        let length = usize::try_from(length).unwrap_or(0);
        if source.is_null() || length == 0 {
            return 0;
        }
        #[allow(clippy::disallowed_methods, reason = "the pointer is not null")]
        // SAFETY: OpenSSL passes `length` readable bytes.
        let source = unsafe { std::slice::from_raw_parts(source.cast::<u8>(), length) };
        let written = both.outgoing.write(source);
        if written == 0 {
            // SAFETY: the BIO is alive.
            unsafe { openssl_sys::BIO_set_retry_write(bio) };
            return -1;
        }
        count(written)
    })
}

/// `BIO_ctrl(3)`: commands that are not known are answered by 0.
unsafe extern "C" fn ctrl(bio: *mut BIO, command: c_int, _: c_long, _: *mut c_void) -> c_long {
    if command == openssl_sys::BIO_CTRL_FLUSH {
        // The transport sends what is there.
        return 1;
    }
    if command != openssl_sys::BIO_CTRL_EOF && command != ffi::BIO_CTRL_PENDING {
        return 0;
    }
    guard_callback(0, || {
        // SAFETY: as for `read`.
        let both = unsafe { rings_of(bio) };
        let unread = both.incoming.len();
        if command == openssl_sys::BIO_CTRL_EOF {
            c_long::from(both.in_closed && unread == 0)
        } else {
            c_long::try_from(unread).unwrap_or(c_long::MAX)
        }
    })
}

/// `BIO_free(3)`, of the last reference.
unsafe extern "C" fn destroy(bio: *mut BIO) -> c_int {
    guard_callback(0, || {
        // SAFETY: OpenSSL passes a BIO of this kind.
        let rings = unsafe { openssl_sys::BIO_get_data(bio) };
        if let Some(rings) = NonNull::new(rings.cast::<Both>()) {
            // SAFETY: as above; nobody frees them twice.
            unsafe { openssl_sys::BIO_set_data(bio, ptr::null_mut()) };
            // SAFETY: they come from a box, and the last one who knew them is the BIO.
            drop(unsafe { Box::from_raw(rings.as_ptr()) });
        }
        1
    })
}

/// A length as C takes it; OpenSSL asked for no more.
fn count(n: usize) -> c_int {
    c_int::try_from(n).unwrap_or(c_int::MAX)
}

#[cfg(test)]
mod tests;
