//! What functions answer: a code, and for failures a number and a text.

use std::any::Any;
use std::borrow::Cow;
use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::{EngineError, Want};
use crate::error::Error;

// The numbers of the header's enum.
pub(super) const OK: c_int = 0;
pub(super) const WANT_READ: c_int = 1;
pub(super) const WANT_APP: c_int = 2;
pub(super) const CLOSED: c_int = 3;
pub(super) const TOO_SMALL: c_int = 4;
pub(super) const NULL: c_int = -1;
pub(super) const MISUSE: c_int = -2;
pub(super) const BUSY: c_int = -3;
pub(super) const PANIC: c_int = -4;
pub(super) const CONFIG: c_int = -5;
pub(super) const TRUNCATED: c_int = -6;
pub(super) const CLOSED_BEFORE_HELLO: c_int = -7;
pub(super) const PLAIN_HTTP: c_int = -8;
pub(super) const PEER_ALERT: c_int = -9;
pub(super) const CERTIFICATE: c_int = -10;
pub(super) const OPENSSL: c_int = -11;
pub(super) const UNSUPPORTED: c_int = -12;
pub(super) const OTHER: c_int = -13;

/// The size of the text of [`ErrorRecord`], with its final NUL.
const TEXT_SIZE: usize = 240;

/// `struct greenling_tls_error`.
#[repr(C)]
pub(super) struct ErrorRecord {
    status: c_int,
    reserved: c_int,
    detail: u64,
    text: [c_char; TEXT_SIZE],
}

/// Why a function did not do what it is for. Those with a positive status are no
/// failures.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) status: c_int,
    detail: u64,
    text: Cow<'static, str>,
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(super) fn new(status: c_int, text: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            status,
            detail: 0,
            text: text.into(),
        }
    }

    /// A pointer is null that may not be.
    pub(super) fn null() -> Fault {
        Fault::new(NULL, "a null pointer where none is allowed")
    }

    pub(super) fn misuse(text: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(MISUSE, text)
    }

    /// Nothing has gone wrong yet.
    pub(super) fn none() -> Fault {
        Fault::new(OK, "")
    }

    pub(super) fn record(&self) -> ErrorRecord {
        let mut record = ErrorRecord {
            status: self.status,
            reserved: 0,
            detail: self.detail,
            text: [0; TEXT_SIZE],
        };
        // Cut between characters; the last byte stays NUL.
        let end = self.text.floor_char_boundary(TEXT_SIZE - 1);
        let bytes = self.text.as_bytes()[..end].iter();
        for (to, from) in record.text.iter_mut().zip(bytes) {
            // A NUL inside would end the text.
            *to = from.cast_signed() as c_char;
        }
        record
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let (status, detail) = match &error {
            Error::Truncated => (TRUNCATED, 0),
            Error::ClosedBeforeHello => (CLOSED_BEFORE_HELLO, 0),
            Error::PlainHttp => (PLAIN_HTTP, 0),
            Error::Peer(alert) => (PEER_ALERT, u64::from(alert.code())),
            // Verify codes are small and not negative.
            Error::Certificate(verify) => (CERTIFICATE, verify.code().unsigned_abs().into()),
            Error::Local(_) => (MISUSE, 0),
            Error::Config(_) => (CONFIG, 0),
            Error::Ssl(entries) => (OPENSSL, entries.first().map_or(0, |entry| entry.code())),
            Error::Unsupported(_) => (UNSUPPORTED, 0),
            // Waits and sockets are not ours here.
            _ => (OTHER, 0),
        };
        Fault {
            status,
            detail,
            text: error.to_string().into(),
        }
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Fault {
        match error {
            EngineError::Want(Want::App) => Fault::new(WANT_APP, Want::App.to_string()),
            EngineError::Want(want) => Fault::new(WANT_READ, want.to_string()),
            EngineError::Closed => Fault::new(CLOSED, "peer closed the connection"),
            EngineError::Failed(error) => error.into(),
        }
    }
}

/// Runs the body of a function that C code calls. A panic ends here: one may not
/// unwind into C.
pub(super) fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the body borrowed is a connection whose call has failed, or options that
    // are of no use without it.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panicked(payload)))
}

fn panicked(payload: Box<dyn Any + Send>) -> Fault {
    let words = if let Some(words) = payload.downcast_ref::<&str>() {
        Some((*words).to_owned())
    } else {
        payload.downcast_ref::<String>().cloned()
    };
    // Somebody else's payload may panic again when it is dropped.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    let words = words.as_deref().unwrap_or("without words");
    Fault::new(PANIC, format!("panic: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(fault: &Fault) -> String {
        let record = fault.record();
        let bytes = record.text.map(|byte| byte as u8);
        let text = CStr::from_bytes_until_nul(&bytes).expect("a final NUL");
        text.to_str().expect("whole characters").to_owned()
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = Fault::misuse("ü".repeat(200));
        assert_eq!(text(&long), "ü".repeat(119));
        assert_eq!(text(&Fault::misuse("short")), "short");
    }

    #[test]
    fn panics_become_codes() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in a destructor");
            }
        }
        let caught = guard::<()>(|| panic!("number {}", 7)).expect_err("a panic");
        assert_eq!(
            (caught.status, text(&caught).as_str()),
            (PANIC, "panic: number 7")
        );
        let bomb = guard::<()>(|| std::panic::resume_unwind(Box::new(Bomb)));
        assert_eq!(bomb.expect_err("a panic").status, PANIC);
    }
}
