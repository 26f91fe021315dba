//! The errors of Python's `ssl`, by their classes.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::config_error::ConfigErrorKind;
use crate::engine::{EngineError, Want};
use crate::error::{Error, VerifyError};
use crate::ssl::alert_reason;

/// The class that an error of Python's `ssl` has.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SslErrorKind {
    /// `SSLError`: any failure of OpenSSL; [`SslError::reason`] tells which.
    #[doc(alias = "SSLError")]
    Ssl,
    /// `SSLZeroReturnError`: both sides have said goodbye.
    #[doc(alias = "SSLZeroReturnError")]
    #[doc(alias = "SSL_ERROR_ZERO_RETURN")]
    ZeroReturn,
    /// `SSLWantReadError`: more ciphertext must be written to the incoming buffer.
    #[doc(alias = "SSLWantReadError")]
    #[doc(alias = "SSL_ERROR_WANT_READ")]
    WantRead,
    /// `SSLWantWriteError`: never met here, since outgoing buffers have no bound.
    #[doc(alias = "SSLWantWriteError")]
    #[doc(alias = "SSL_ERROR_WANT_WRITE")]
    WantWrite,
    /// `SSLSyscallError`: the transport failed. Never met here, where there is none.
    #[doc(alias = "SSLSyscallError")]
    #[doc(alias = "SSL_ERROR_SYSCALL")]
    Syscall,
    /// `SSLEOFError`: the input ended without the peer's `close_notify`, or the
    /// connection is used after it has failed.
    #[doc(alias = "SSLEOFError")]
    #[doc(alias = "SSL_ERROR_EOF")]
    Eof,
    /// `SSLCertVerificationError`, also named `CertificateError`.
    #[doc(alias = "SSLCertVerificationError")]
    #[doc(alias = "CertificateError")]
    CertVerification,
    /// `ValueError`: an argument cannot be used, or the call makes no sense now.
    #[doc(alias = "ValueError")]
    Value,
}

impl SslErrorKind {
    /// The name of Python's class.
    pub fn class(self) -> &'static str {
        match self {
            SslErrorKind::Ssl => "SSLError",
            SslErrorKind::ZeroReturn => "SSLZeroReturnError",
            SslErrorKind::WantRead => "SSLWantReadError",
            SslErrorKind::WantWrite => "SSLWantWriteError",
            SslErrorKind::Syscall => "SSLSyscallError",
            SslErrorKind::Eof => "SSLEOFError",
            SslErrorKind::CertVerification => "SSLCertVerificationError",
            SslErrorKind::Value => "ValueError",
        }
    }

    /// Python's `errno` of it, an `SSL_ERROR_*` number; a `ValueError` has none.
    #[doc(alias = "SSLErrorNumber")]
    pub fn errno(self) -> Option<i32> {
        match self {
            SslErrorKind::Ssl | SslErrorKind::CertVerification => Some(1),
            SslErrorKind::WantRead => Some(2),
            SslErrorKind::WantWrite => Some(3),
            SslErrorKind::Syscall => Some(5),
            SslErrorKind::ZeroReturn => Some(6),
            SslErrorKind::Eof => Some(8),
            SslErrorKind::Value => None,
        }
    }
}

/// An error as Python's `ssl` would raise it, with ours as its source.
///
/// It converts to [`Error`] and to [`io::Error`]: one that waits for data has the kind
/// `WouldBlock` there and carries [`Want::Read`].
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, MemoryBio, Role, SslErrorKind};
///
/// let context = ContextBuilder::client().build()?;
/// let (incoming, outgoing) = (MemoryBio::new(), MemoryBio::new());
/// let mut tls = context.wrap_bio(&incoming, &outgoing, Role::Client, "example.com")?;
/// let error = tls.do_handshake().unwrap_err();
/// assert_eq!(error.kind(), SslErrorKind::WantRead);
/// assert!(outgoing.pending() > 0); // the ClientHello
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SslError {
    kind: SslErrorKind,
    /// Where OpenSSL has a reason of its own and our error has not.
    reason: Option<&'static str>,
    cause: Option<Error>,
    /// Whom the certificate should have named.
    hostname: Option<Box<str>>,
}

impl SslError {
    /// The class it has in Python.
    pub fn kind(&self) -> SslErrorKind {
        self.kind
    }

    /// Python's `errno`: an `SSL_ERROR_*` number, `None` for a `ValueError`.
    pub fn errno(&self) -> Option<i32> {
        self.kind.errno()
    }

    /// Python's `library`: the part of OpenSSL that failed, such as `SSL`.
    pub fn library(&self) -> Option<&str> {
        let Some(Error::Ssl(entries)) = &self.cause else {
            return self.reason().map(|_| "SSL");
        };
        let library = entries.first()?.library()?;
        Some(library.strip_suffix(" routines").unwrap_or(library))
    }

    /// Python's `reason`: OpenSSL's mnemonic, such as `CERTIFICATE_VERIFY_FAILED`.
    /// Compare with it only what no [`kind`](SslError::kind) tells.
    pub fn reason(&self) -> Option<Cow<'static, str>> {
        if let Some(reason) = self.reason {
            return Some(Cow::Borrowed(reason));
        }
        match self.cause.as_ref()? {
            Error::Ssl(entries) => entries.first()?.reason().map(mnemonic),
            Error::Peer(alert) => alert_reason(*alert).map(mnemonic),
            Error::Truncated | Error::ClosedBeforeHello => {
                Some(Cow::Borrowed("UNEXPECTED_EOF_WHILE_READING"))
            }
            Error::Certificate(_) => Some(Cow::Borrowed("CERTIFICATE_VERIFY_FAILED")),
            Error::PlainHttp => Some(Cow::Borrowed("HTTP_REQUEST")),
            Error::Rejected(_) => Some(Cow::Borrowed("CALLBACK_FAILED")),
            _ => None,
        }
    }

    /// Python's `verify_code`: an `X509_V_ERR_*` number, if a certificate was refused.
    pub fn verify_code(&self) -> Option<i32> {
        self.verify_error().map(|verify| verify.code())
    }

    /// Python's `verify_message`: why a certificate was refused.
    pub fn verify_message(&self) -> Option<String> {
        const HOSTNAME_MISMATCH: i32 = 62;
        const IP_ADDRESS_MISMATCH: i32 = 64;
        let verify = self.verify_error()?;
        let what = match verify.code() {
            HOSTNAME_MISMATCH => "Hostname",
            IP_ADDRESS_MISMATCH => "IP address",
            _ => return Some(verify.reason().to_owned()),
        };
        let name = self.hostname.as_deref()?;
        Some(format!(
            "{what} mismatch, certificate is not valid for '{name}'."
        ))
    }

    /// What this crate has for it: more than Python tells. `None` for a wait or an
    /// end, which are no failures.
    pub fn error(&self) -> Option<&Error> {
        self.cause.as_ref()
    }

    fn verify_error(&self) -> Option<&VerifyError> {
        match (&self.cause, self.kind) {
            (Some(Error::Certificate(verify)), SslErrorKind::CertVerification) => Some(verify),
            _ => None,
        }
    }

    /// Says whom the peer's certificate should have named.
    pub(super) fn about(mut self, hostname: Option<&str>) -> SslError {
        self.hostname = hostname.map(Box::from);
        self
    }

    pub(super) fn of_kind(kind: SslErrorKind) -> SslError {
        SslError {
            kind,
            reason: None,
            cause: None,
            hostname: None,
        }
    }

    /// The application cannot do this, or not now.
    pub(super) fn value(what: impl Into<Cow<'static, str>>) -> SslError {
        SslError {
            cause: Some(Error::local(what)),
            ..SslError::of_kind(SslErrorKind::Value)
        }
    }

    /// A refusal of OpenSSL's that the engine forestalls.
    pub(super) fn refused(reason: &'static str, what: &'static str) -> SslError {
        SslError {
            reason: Some(reason),
            cause: Some(Error::local(what)),
            ..SslError::of_kind(SslErrorKind::Ssl)
        }
    }

    /// A misuse for which Python raises a plain `SSLError`, without a reason.
    pub(super) fn misuse(what: &'static str) -> SslError {
        SslError {
            cause: Some(Error::local(what)),
            ..SslError::of_kind(SslErrorKind::Ssl)
        }
    }

    /// The connection is used although it has failed before, with `cause`.
    pub(super) fn of_dead(cause: &Error) -> SslError {
        SslError {
            cause: Some(cause.clone()),
            ..SslError::of_kind(SslErrorKind::Eof)
        }
    }
}

/// `certificate verify failed` as OpenSSL's headers write it.
fn mnemonic(reason: &str) -> Cow<'static, str> {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    Cow::Owned(reason.chars().map(letter).collect())
}

impl fmt::Display for SslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = self.reason() {
            write!(f, "[SSL: {reason}] ")?;
        }
        match (self.kind, &self.cause) {
            (SslErrorKind::CertVerification, _) => {
                let why = self.verify_message().unwrap_or_default();
                write!(f, "certificate verify failed: {why}")
            }
            (SslErrorKind::Eof, Some(Error::Truncated | Error::ClosedBeforeHello) | None) => {
                f.write_str("EOF occurred in violation of protocol")
            }
            (SslErrorKind::Eof, Some(earlier)) => write!(f, "has failed before: {earlier}"),
            (SslErrorKind::ZeroReturn, _) => f.write_str("TLS connection has been closed (EOF)"),
            (SslErrorKind::WantRead, _) => f.write_str("the operation did not complete (read)"),
            (SslErrorKind::WantWrite, _) => f.write_str("the operation did not complete (write)"),
            (_, Some(cause)) => cause.fmt(f),
            (kind, None) => f.write_str(kind.class()),
        }
    }
}

impl std::error::Error for SslError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl From<Error> for SslError {
    fn from(error: Error) -> SslError {
        let kind = match &error {
            Error::Truncated | Error::ClosedBeforeHello => SslErrorKind::Eof,
            Error::Certificate(_) => SslErrorKind::CertVerification,
            Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(Want::Read) => SslErrorKind::WantRead,
                Some(Want::Write) => SslErrorKind::WantWrite,
                _ => SslErrorKind::Syscall,
            },
            Error::TimedOut => SslErrorKind::Syscall,
            Error::Local(_) => SslErrorKind::Value,
            Error::Config(config) if config.kind() == ConfigErrorKind::ServerName => {
                SslErrorKind::Value
            }
            _ => SslErrorKind::Ssl,
        };
        SslError {
            cause: Some(error),
            ..SslError::of_kind(kind)
        }
    }
}

impl From<EngineError> for SslError {
    fn from(error: EngineError) -> SslError {
        match error {
            EngineError::Want(Want::Read) => SslError::of_kind(SslErrorKind::WantRead),
            EngineError::Want(Want::Write) => SslError::of_kind(SslErrorKind::WantWrite),
            EngineError::Want(want) => SslError {
                cause: Some(Error::Io(io::Error::other(want))),
                ..SslError::of_kind(SslErrorKind::Ssl)
            },
            EngineError::Closed => SslError::of_kind(SslErrorKind::ZeroReturn),
            EngineError::Failed(error) => SslError::from(error),
        }
    }
}

impl From<SslError> for Error {
    fn from(error: SslError) -> Error {
        let (io_kind, want) = match (error.cause, error.kind) {
            (Some(cause), _) => return cause,
            (None, SslErrorKind::WantRead) => (io::ErrorKind::WouldBlock, Some(Want::Read)),
            (None, SslErrorKind::WantWrite) => (io::ErrorKind::WouldBlock, Some(Want::Write)),
            (None, _) => (io::ErrorKind::UnexpectedEof, None),
        };
        Error::Io(match want {
            Some(want) => io::Error::new(io_kind, want),
            None => io::Error::new(io_kind, SslError::of_kind(error.kind)),
        })
    }
}

impl From<SslError> for io::Error {
    fn from(error: SslError) -> io::Error {
        Error::from(error).into()
    }
}
