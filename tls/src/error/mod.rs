//! The one error type of the crate.
//!
//! A failed TLS connection has a cause worth telling apart: the transport, the
//! peer, a certificate, this program, or a cut that may be an attack. Each has
//! its own variant, so that callers decide by `match` and not by message text.
//!
//! [`Error`] converts to [`io::Error`] with the matching [`io::ErrorKind`], and
//! an [`io::Error`] that carries one converts back, so nothing is lost when a
//! stream is used through [`std::io::Read`].

use std::borrow::Cow;
use std::fmt;
use std::io;

use openssl::error::ErrorStack;

use crate::callbacks::Rejection;
use crate::config_error::ConfigError;

mod alert;
mod entry;
mod handshake;
mod verify;

pub use alert::Alert;
pub use entry::SslErrorEntry;
pub use handshake::HandshakeError;
pub use verify::VerifyError;

/// Why a TLS operation failed.
///
/// Only [`Error::TimedOut`] and an [`Error::Io`] of kind `WouldBlock` leave the
/// connection usable; every other error met by a connection is permanent and is
/// reported again by later calls.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL.Error")]
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The transport failed.
    #[doc(alias = "SysCallError")]
    Io(io::Error),
    /// The transport ended without the peer's `close_notify`: what was read may
    /// be incomplete (RFC 8446, section 6.1).
    #[doc(alias = "SSL_R_UNEXPECTED_EOF_WHILE_READING")]
    Truncated,
    /// The peer went away before it sent a single byte. Port scans and health
    /// checks do that; it is seldom worth a log line.
    ClosedBeforeHello,
    /// The peer spoke plain HTTP. Nothing was sent to it, so a server can still
    /// answer in plain text.
    #[doc(alias = "SSL_R_HTTP_REQUEST")]
    PlainHttp,
    /// So many bytes arrived in plain ahead of a handshake that was to protect the
    /// connection from then on (STARTTLS): somebody has put them there.
    Injected(usize),
    /// The peer ended the connection with a fatal alert.
    Peer(Alert),
    /// The peer's certificate was refused.
    #[doc(alias = "SSL_R_CERTIFICATE_VERIFY_FAILED")]
    Certificate(VerifyError),
    /// A callback of this program refused the connection.
    Rejected(Rejection),
    /// The program used the API in a way that cannot work.
    Local(Cow<'static, str>),
    /// A certificate, key, name, option or other input cannot be used. Met while
    /// contexts and identities are made, for the name given to a client's connection,
    /// and by all functions of [`crypto`](crate::crypto).
    Config(ConfigError),
    /// OpenSSL failed for any other reason: its error queue, oldest entry first.
    Ssl(Vec<SslErrorEntry>),
    /// A deadline passed. The connection is intact and can be used again.
    TimedOut,
    /// OpenSSL, or the version of it in use, cannot do this.
    Unsupported(Cow<'static, str>),
}

impl Error {
    /// The [`io::ErrorKind`] that this error has as an [`io::Error`].
    pub fn io_kind(&self) -> io::ErrorKind {
        match self {
            Error::Io(error) => error.kind(),
            Error::Truncated | Error::ClosedBeforeHello => io::ErrorKind::UnexpectedEof,
            Error::PlainHttp | Error::Injected(_) | Error::Certificate(_) | Error::Ssl(_) => {
                io::ErrorKind::InvalidData
            }
            Error::Peer(_) => io::ErrorKind::ConnectionAborted,
            Error::Rejected(_) => io::ErrorKind::PermissionDenied,
            Error::Local(_) => io::ErrorKind::InvalidInput,
            Error::Config(config) => config.io_kind(),
            Error::TimedOut => io::ErrorKind::TimedOut,
            Error::Unsupported(_) => io::ErrorKind::Unsupported,
        }
    }

    /// A misuse by the program, in words.
    pub(crate) fn local(what: impl Into<Cow<'static, str>>) -> Error {
        Error::Local(what.into())
    }

    /// Something that OpenSSL cannot do, in words.
    pub(crate) fn unsupported(what: impl Into<Cow<'static, str>>) -> Error {
        Error::Unsupported(what.into())
    }

    /// Whether a later call on the same connection can succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::TimedOut => true,
            Error::Io(error) => error.kind() == io::ErrorKind::WouldBlock || is_of_a_wait(error),
            _ => false,
        }
    }
}

/// Whether a wait for the transport has ended without what it waited for: it was
/// cancelled, or an error was thrown at the tasklet. The stream is as it was.
#[cfg(feature = "greenling")]
fn is_of_a_wait(error: &io::Error) -> bool {
    crate::waits::has_ended(error)
}

/// Without tasklets no wait ends in that way.
#[cfg(not(feature = "greenling"))]
fn is_of_a_wait(_: &io::Error) -> bool {
    false
}

impl Clone for Error {
    /// The copy of an [`Error::Io`] keeps the operating system's code or, where
    /// there is none, the kind and the message.
    fn clone(&self) -> Self {
        match self {
            Error::Io(error) => Error::Io(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            }),
            Error::Truncated => Error::Truncated,
            Error::ClosedBeforeHello => Error::ClosedBeforeHello,
            Error::PlainHttp => Error::PlainHttp,
            Error::Injected(bytes) => Error::Injected(*bytes),
            Error::Peer(alert) => Error::Peer(*alert),
            Error::Certificate(verify) => Error::Certificate(verify.clone()),
            Error::Rejected(rejection) => Error::Rejected(rejection.clone()),
            Error::Local(what) => Error::Local(what.clone()),
            Error::Config(config) => Error::Config(config.clone()),
            Error::Ssl(entries) => Error::Ssl(entries.clone()),
            Error::TimedOut => Error::TimedOut,
            Error::Unsupported(what) => Error::Unsupported(what.clone()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => write!(f, "transport: {error}"),
            Error::Truncated => f.write_str("connection cut without close_notify"),
            Error::ClosedBeforeHello => f.write_str("peer closed before the handshake began"),
            Error::PlainHttp => f.write_str("peer speaks plain HTTP on a TLS port"),
            Error::Injected(bytes) => {
                write!(f, "{bytes} bytes arrived in plain ahead of the handshake")
            }
            Error::Peer(alert) => write!(f, "peer sent a fatal alert: {alert}"),
            Error::Certificate(verify) => write!(f, "certificate refused: {verify}"),
            Error::Rejected(rejection) => rejection.fmt(f),
            Error::Local(what) => write!(f, "misuse: {what}"),
            Error::Config(config) => config.fmt(f),
            Error::Ssl(entries) if entries.is_empty() => f.write_str("OpenSSL gave no reason"),
            Error::Ssl(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{entry}")?;
                }
                Ok(())
            }
            Error::TimedOut => f.write_str("timed out"),
            Error::Unsupported(what) => write!(f, "not supported: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::Config(config) => Some(config),
            Error::Rejected(rejection) => rejection.cause().map(|cause| cause as _),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::Io(error) => error,
            other => io::Error::new(other.io_kind(), other),
        }
    }
}

impl From<io::Error> for Error {
    /// Takes a carried [`Error`] out again. A deadline that passed is
    /// [`Error::TimedOut`]; the kernel's own `ETIMEDOUT` is a dead connection
    /// and stays [`Error::Io`].
    fn from(error: io::Error) -> Error {
        let timed_out = error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
        match error.downcast::<Error>() {
            Ok(carried) => carried,
            Err(_) if timed_out => Error::TimedOut,
            Err(error) => Error::Io(error),
        }
    }
}

impl From<ErrorStack> for Error {
    fn from(stack: ErrorStack) -> Error {
        Error::Ssl(stack.errors().iter().map(SslErrorEntry::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_a_round_trip_through_io_error() {
        let cases = [
            (Error::Truncated, io::ErrorKind::UnexpectedEof),
            (Error::PlainHttp, io::ErrorKind::InvalidData),
            (
                Error::Peer(Alert::UNKNOWN_CA),
                io::ErrorKind::ConnectionAborted,
            ),
            (Error::TimedOut, io::ErrorKind::TimedOut),
            (Error::local("x"), io::ErrorKind::InvalidInput),
        ];
        for (error, kind) in cases {
            let text = error.to_string();
            let io = io::Error::from(error);
            assert_eq!(io.kind(), kind);
            assert_eq!(Error::from(io).to_string(), text);
        }
    }

    #[test]
    fn the_kernels_etimedout_is_not_a_deadline() {
        let kernel = io::Error::from_raw_os_error(libc::ETIMEDOUT);
        assert!(matches!(Error::from(kernel), Error::Io(_)));
        let deadline = io::Error::from(io::ErrorKind::TimedOut);
        assert!(matches!(Error::from(deadline), Error::TimedOut));
    }

    #[test]
    fn keeps_the_os_error_code_in_a_clone() {
        let error = Error::Io(io::Error::from_raw_os_error(libc::EPIPE));
        assert_eq!(
            io::Error::from(error.clone()).raw_os_error(),
            Some(libc::EPIPE)
        );
    }

    #[test]
    fn names_alerts_and_verify_codes() {
        assert_eq!(Alert::from_code(48), Alert::UNKNOWN_CA);
        assert_eq!(Alert::from_code(48).to_string(), "unknown_ca");
        assert_eq!(Alert::from_code(250).to_string(), "alert 250");
        assert_eq!(
            VerifyError::from_code(10).reason(),
            "certificate has expired"
        );
    }
}
