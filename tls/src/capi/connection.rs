//! Connections: their making, their plaintext, and what is known of them.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use foreign_types::ForeignTypeRef;
use openssl_sys::{BIO, SSL};

use super::answer::{self, ErrorRecord, Fault, Result, guard};
use super::arguments::{buffer, bytes, copy_out, optional, place};
use super::context::{RawContext, answer};
use crate::bio::RingSizes;
use crate::context::Version;
use crate::crypto::Encoding;
use crate::engine::Engine;

/// The largest ring that can be asked for: OpenSSL counts in `int`.
const RING_MAX: usize = 1 << 30;

// The bits of `state`.
const ESTABLISHED: c_int = 1;
const PEER_CLOSED: c_int = 2;
const CLOSED: c_int = 4;
const FAILED: c_int = 8;
const RESUMED: c_int = 16;

/// `greenling_tls_connection`: an engine, and how a call last failed.
pub struct RawConnection {
    /// A call is under way.
    busy: AtomicBool,
    /// Only for the one who has set `busy`.
    inner: UnsafeCell<Inner>,
}

pub(super) struct Inner {
    pub(super) engine: Engine,
    last: Fault,
}

impl RawConnection {
    pub(super) fn new(engine: Engine) -> RawConnection {
        RawConnection {
            busy: AtomicBool::new(false),
            inner: UnsafeCell::new(Inner {
                engine,
                last: Fault::none(),
            }),
        }
    }

    pub(super) fn into_engine(self) -> Engine {
        self.inner.into_inner().engine
    }
}

impl fmt::Debug for RawConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawConnection").finish_non_exhaustive()
    }
}

/// Runs `body` on what is inside, unless another call does.
///
/// # Safety
///
/// `connection` is null or alive.
unsafe fn enter<T>(
    connection: *const RawConnection,
    body: impl FnOnce(&mut Inner) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's promise.
    let connection = unsafe { connection.as_ref() }.ok_or_else(Fault::null)?;
    if connection.busy.swap(true, Ordering::Acquire) {
        return Err(Fault::new(answer::BUSY, "another call is under way"));
    }
    // SAFETY: whoever has set the flag is alone, until it is cleared below.
    let inner = unsafe { &mut *connection.inner.get() };
    let result = guard(|| body(inner));
    connection.busy.store(false, Ordering::Release);
    result
}

/// Makes a call, and keeps how it failed.
///
/// # Safety
///
/// `connection` is null or alive.
pub(super) unsafe fn with(
    connection: *mut RawConnection,
    body: impl FnOnce(&mut Inner) -> Result<()>,
) -> c_int {
    let call = |inner: &mut Inner| {
        // A panic is to be kept as well.
        let Err(fault) = guard(|| body(inner)) else {
            return Ok(answer::OK);
        };
        let status = fault.status;
        if status < 0 {
            inner.last = fault;
        }
        Ok(status)
    };
    // SAFETY: the caller's promise.
    let status = unsafe { enter(connection, call) };
    status.unwrap_or_else(|fault| fault.status)
}

/// A call that takes bytes of the caller's, and says how many.
///
/// # Safety
///
/// `connection` is null or alive; the rest is as [`bytes`] and [`place`] say.
pub(super) unsafe fn with_bytes(
    connection: *mut RawConnection,
    start: *const u8,
    len: usize,
    taken: *mut usize,
    call: impl FnOnce(&mut Engine, &[u8]) -> Result<usize>,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: the caller's promise.
        let mut taken = unsafe { place(taken) }?;
        taken.put(0);
        // SAFETY: as above.
        let data = unsafe { bytes(start, len) }?;
        taken.put(call(&mut inner.engine, data)?);
        Ok(())
    };
    // SAFETY: as above.
    unsafe { with(connection, body) }
}

/// A call that fills a buffer of the caller's, and says how far.
///
/// # Safety
///
/// `connection` is null or alive; the rest is as [`buffer`] and [`place`] say.
pub(super) unsafe fn with_buffer(
    connection: *mut RawConnection,
    start: *mut u8,
    len: usize,
    taken: *mut usize,
    call: impl FnOnce(&mut Engine, &mut [u8]) -> Result<usize>,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: the caller's promise.
        let mut taken = unsafe { place(taken) }?;
        taken.put(0);
        // SAFETY: as above.
        let buf = unsafe { buffer(start, len) }?;
        taken.put(call(&mut inner.engine, buf)?);
        Ok(())
    };
    // SAFETY: as above.
    unsafe { with(connection, body) }
}

/// Looks, without a trace.
///
/// # Safety
///
/// `connection` is null or alive.
pub(super) unsafe fn look<T>(
    connection: *const RawConnection,
    otherwise: T,
    body: impl FnOnce(&mut Inner) -> T,
) -> T {
    // SAFETY: the caller's promise.
    unsafe { enter(connection, |inner| Ok(body(inner))) }.unwrap_or(otherwise)
}

pub(super) unsafe extern "C" fn connection_new(
    context: *const RawContext,
    name: *const c_char,
    incoming: usize,
    outgoing: usize,
    connection: *mut *mut RawConnection,
    error: *mut ErrorRecord,
) -> c_int {
    let body = || {
        // SAFETY: null or the caller's to write.
        let mut place = unsafe { place(connection) }?;
        place.put(ptr::null_mut());
        // SAFETY: null or alive, as the header says.
        let context = unsafe { context.as_ref() }.ok_or_else(Fault::null)?;
        // SAFETY: a string of the caller's.
        let name = unsafe { optional(name) }?;
        if incoming > RING_MAX || outgoing > RING_MAX {
            return Err(Fault::misuse("rings of more than a gigabyte"));
        }
        let or = |size: usize, usual| if size == 0 { usual } else { size };
        let rings = RingSizes {
            incoming: or(incoming, RingSizes::RECORD.incoming),
            outgoing: or(outgoing, RingSizes::RECORD.outgoing),
        };
        let engine = Engine::new(context.context(), name, rings)?;
        place.put(super::connection_into_raw(engine));
        Ok(())
    };
    // SAFETY: a record of the caller's.
    unsafe { answer(error, body) }
}

pub(super) unsafe extern "C" fn connection_free(connection: *mut RawConnection) -> c_int {
    // SAFETY: null or alive, as the header says.
    if let Err(fault) = unsafe { enter(connection, |_| Ok(())) } {
        return fault.status;
    }
    // SAFETY: the caller gives the object back; no call is under way.
    let connection = unsafe { Box::from_raw(connection) };
    let freed = guard(|| {
        drop(connection);
        Ok(())
    });
    freed.map_or_else(|fault| fault.status, |()| answer::OK)
}

pub(super) unsafe extern "C" fn connection_into_raw(
    connection: *mut RawConnection,
    ssl: *mut *mut SSL,
    network: *mut *mut BIO,
) -> c_int {
    // SAFETY: null or alive, as the header says.
    if let Err(fault) = unsafe { enter(connection, |_| Ok(())) } {
        return fault.status;
    }
    let taken = guard(|| {
        // SAFETY: null or the caller's to write.
        let mut ssl = unsafe { place(ssl) }?;
        // SAFETY: as above.
        let mut network = unsafe { place(network) }?;
        // SAFETY: the caller gives the object back; no call is under way.
        let engine = unsafe { super::connection_from_raw(connection) };
        let pointers = engine.into_raw();
        ssl.put(pointers.0);
        network.put(pointers.1);
        Ok(())
    });
    taken.map_or_else(|fault| fault.status, |()| answer::OK)
}

pub(super) unsafe extern "C" fn connection_from_raw(
    ssl: *mut SSL,
    network: *mut BIO,
    connection: *mut *mut RawConnection,
    error: *mut ErrorRecord,
) -> c_int {
    let body = || {
        // SAFETY: null or the caller's to write.
        let mut place = unsafe { place(connection) }?;
        place.put(ptr::null_mut());
        if ssl.is_null() || network.is_null() {
            return Err(Fault::null());
        }
        // SAFETY: the caller gives both objects, as the header says.
        let engine = unsafe { Engine::from_raw(ssl, network) }?;
        place.put(super::connection_into_raw(engine));
        Ok(())
    };
    // SAFETY: a record of the caller's.
    unsafe { answer(error, body) }
}

pub(super) unsafe extern "C" fn handshake(connection: *mut RawConnection) -> c_int {
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, |inner| Ok(inner.engine.handshake()?)) }
}

pub(super) unsafe extern "C" fn decide(connection: *mut RawConnection) -> c_int {
    let body = |inner: &mut Inner| {
        let none = || Fault::misuse("no question is open that Rust code answers");
        let question = inner.engine.question().ok_or_else(none)?;
        inner.engine.answer(question.decide())?;
        Ok(())
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn read(
    connection: *mut RawConnection,
    start: *mut u8,
    len: usize,
    taken: *mut usize,
) -> c_int {
    let body = |engine: &mut Engine, buf: &mut [u8]| Ok(engine.read(buf)?);
    // SAFETY: null or alive, and the caller's to read or write, as the header says.
    unsafe { with_buffer(connection, start, len, taken, body) }
}

pub(super) unsafe extern "C" fn peek(
    connection: *mut RawConnection,
    start: *mut u8,
    len: usize,
    taken: *mut usize,
) -> c_int {
    let body = |engine: &mut Engine, buf: &mut [u8]| Ok(engine.peek(buf)?);
    // SAFETY: null or alive, and the caller's to read or write, as the header says.
    unsafe { with_buffer(connection, start, len, taken, body) }
}

pub(super) unsafe extern "C" fn write(
    connection: *mut RawConnection,
    start: *const u8,
    len: usize,
    taken: *mut usize,
) -> c_int {
    let body = |engine: &mut Engine, data: &[u8]| Ok(engine.write(data)?);
    // SAFETY: null or alive, and the caller's to read or write, as the header says.
    unsafe { with_bytes(connection, start, len, taken, body) }
}

pub(super) unsafe extern "C" fn shutdown(connection: *mut RawConnection) -> c_int {
    // SAFETY: null or alive, as the header says.
    unsafe {
        with(connection, |inner| {
            inner.engine.shutdown()?;
            Ok(())
        })
    }
}

pub(super) unsafe extern "C" fn pending(connection: *const RawConnection) -> usize {
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, 0, |inner| inner.engine.pending()) }
}

pub(super) unsafe extern "C" fn state(connection: *const RawConnection) -> c_int {
    let body = |inner: &mut Inner| {
        let engine = &inner.engine;
        [
            (engine.is_established(), ESTABLISHED),
            (engine.is_peer_closed(), PEER_CLOSED),
            (engine.is_closed(), CLOSED),
            (engine.failure().is_some(), FAILED),
            (engine.is_session_reused(), RESUMED),
        ]
        .into_iter()
        .filter(|(is, _)| *is)
        .fold(0, |bits, (_, bit)| bits | bit)
    };
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, 0, body) }
}

pub(super) unsafe extern "C" fn last_error(
    connection: *const RawConnection,
    error: *mut ErrorRecord,
) -> c_int {
    // SAFETY: null or alive, as the header says.
    let last = unsafe { enter(connection, |inner| Ok(inner.last.clone())) };
    let fault = last.unwrap_or_else(|fault| fault);
    // SAFETY: null or the caller's to write.
    if let Ok(mut place) = unsafe { place(error) } {
        place.put(fault.record());
    }
    fault.status
}

pub(super) unsafe extern "C" fn alpn(
    connection: *mut RawConnection,
    start: *mut u8,
    size: usize,
    len: *mut usize,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: null or the caller's to write.
        let mut len = unsafe { place(len) }?;
        // SAFETY: as above.
        let to = unsafe { buffer(start, size) }?;
        copy_out(inner.engine.alpn_protocol().unwrap_or(&[]), to, &mut len)
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn peer_certificate(
    connection: *mut RawConnection,
    start: *mut u8,
    size: usize,
    len: *mut usize,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: null or the caller's to write.
        let mut len = unsafe { place(len) }?;
        // SAFETY: as above.
        let to = unsafe { buffer(start, size) }?;
        let der = match inner.engine.peer_certificate() {
            Some(certificate) => certificate.encode(Encoding::Der)?,
            None => Vec::new(),
        };
        copy_out(&der, to, &mut len)
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn version(connection: *const RawConnection) -> c_int {
    let body = |inner: &mut Inner| match inner.engine.version() {
        // OpenSSL answers with what it offers.
        _ if !inner.engine.is_established() => 0,
        #[cfg(feature = "legacy")]
        Some(Version::Tls10) => 0x0301,
        #[cfg(feature = "legacy")]
        Some(Version::Tls11) => 0x0302,
        Some(Version::Tls12) => 0x0303,
        Some(Version::Tls13) => 0x0304,
        None => 0,
    };
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, 0, body) }
}

pub(super) unsafe extern "C" fn cipher(connection: *const RawConnection) -> *const c_char {
    let body = |inner: &mut Inner| {
        let cipher = inner.engine.ssl().current_cipher();
        cipher.map_or(c"".as_ptr(), |cipher| {
            // SAFETY: the suite is a constant of the library, and so is its name.
            unsafe { openssl_sys::SSL_CIPHER_get_name(cipher.as_ptr()) }
        })
    };
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, c"".as_ptr(), body) }
}

pub(super) unsafe extern "C" fn ssl_pointer(connection: *mut RawConnection) -> *mut SSL {
    // SAFETY: null or alive, as the header says.
    unsafe {
        look(connection, ptr::null_mut(), |inner| {
            inner.engine.as_ssl_ptr()
        })
    }
}

pub(super) unsafe extern "C" fn network_bio_pointer(connection: *mut RawConnection) -> *mut BIO {
    // SAFETY: null or alive, as the header says.
    unsafe {
        look(connection, ptr::null_mut(), |inner| {
            inner.engine.network_bio_ptr()
        })
    }
}

/// What `strerror` is for `errno`: a constant text for every code.
pub(super) unsafe extern "C" fn status_text(status: c_int) -> *const c_char {
    let text: &CStr = match status {
        answer::OK => c"done",
        answer::WANT_READ => c"needs more ciphertext from the peer",
        answer::WANT_APP => c"needs a decision of the application",
        answer::CLOSED => c"the peer has closed its side",
        answer::TOO_SMALL => c"the buffer is too small",
        answer::NULL => c"a null pointer where none is allowed",
        answer::MISUSE => c"the call cannot work like that",
        answer::BUSY => c"another call on the connection is under way",
        answer::PANIC => c"panic inside",
        answer::CONFIG => c"a file or option cannot be used",
        answer::TRUNCATED => c"the connection was cut",
        answer::CLOSED_BEFORE_HELLO => c"the peer went away before it said anything",
        answer::PLAIN_HTTP => c"the peer speaks plain HTTP",
        answer::PEER_ALERT => c"the peer sent a fatal alert",
        answer::CERTIFICATE => c"the peer's certificate was refused",
        answer::OPENSSL => c"OpenSSL failed",
        answer::UNSUPPORTED => c"not supported",
        answer::OTHER => c"another failure",
        _ => c"no code of this API",
    };
    text.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ContextBuilder;

    #[test]
    fn one_call_at_a_time_and_no_panic_leaves() {
        let context = ContextBuilder::client().build().expect("context");
        let rings = RingSizes::default();
        let engine = Engine::new(&context, Some("localhost"), rings).expect("engine");
        let connection = super::super::connection_into_raw(engine);
        let inside = |_: &mut Inner| {
            // SAFETY: alive; this is the call that must not get in.
            assert_eq!(unsafe { handshake(connection) }, answer::BUSY);
            // SAFETY: as above.
            assert_eq!(unsafe { connection_free(connection) }, answer::BUSY);
            panic!("in a callback")
        };
        // SAFETY: alive.
        assert_eq!(unsafe { with(connection, inside) }, answer::PANIC);
        // SAFETY: alive; null is no place to put words.
        let last = unsafe { last_error(connection, ptr::null_mut()) };
        assert_eq!(last, answer::PANIC);
        // SAFETY: alive.
        assert_eq!(unsafe { handshake(connection) }, answer::WANT_READ);
        // SAFETY: nobody uses it any more.
        assert_eq!(unsafe { connection_free(connection) }, answer::OK);
    }
}
