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
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::x509::X509VerifyResult;

use crate::callbacks::Rejection;
use crate::config_error::ConfigError;

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
    /// A certificate, key, name or option cannot be used. Met while contexts and
    /// identities are made, and for the name given to a client's connection.
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
            Error::Config(config) => write!(f, "configuration: {config}"),
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

/// One entry of OpenSSL's error queue.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "ERR_get_error")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslErrorEntry {
    code: u64,
    library: Option<&'static str>,
    function: Option<String>,
    reason: Option<&'static str>,
    data: Option<String>,
}

impl SslErrorEntry {
    /// The packed code, as `openssl errstr` takes it.
    pub fn code(&self) -> u64 {
        self.code
    }

    /// The part of OpenSSL that failed, such as `SSL routines`.
    #[doc(alias = "ERR_lib_error_string")]
    pub fn library(&self) -> Option<&str> {
        self.library
    }

    /// The C function that failed.
    #[doc(alias = "ERR_func_error_string")]
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// What failed, such as `wrong version number`.
    #[doc(alias = "ERR_reason_error_string")]
    pub fn reason(&self) -> Option<&str> {
        self.reason
    }

    /// Details that OpenSSL added, such as a file name.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

impl From<&openssl::error::Error> for SslErrorEntry {
    fn from(error: &openssl::error::Error) -> SslErrorEntry {
        SslErrorEntry {
            // `c_ulong` is 32 bits wide on some platforms.
            #[allow(clippy::useless_conversion, reason = "u64 on 64-bit Unix only")]
            code: u64::from(error.code()),
            library: error.library(),
            function: error.function().map(str::to_owned),
            reason: error.reason(),
            data: error.data().map(str::to_owned),
        }
    }
}

impl fmt::Display for SslErrorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, self.library) {
            (Some(reason), Some(library)) => write!(f, "{reason} ({library}")?,
            (Some(reason), None) => write!(f, "{reason} (unknown library")?,
            (None, library) => write!(
                f,
                "error {:08x} ({}",
                self.code,
                library.unwrap_or("unknown library")
            )?,
        }
        if let Some(function) = &self.function {
            write!(f, ", {function}")?;
        }
        if let Some(data) = &self.data {
            write!(f, ", {data}")?;
        }
        f.write_str(")")
    }
}

/// Why a certificate was refused: an `X509_V_ERR_*` code and, where it is known,
/// the certificate at fault.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_get_verify_result")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyError {
    code: i32,
    place: Option<Place>,
}

/// Where in a chain a fault was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    depth: u32,
    subject: Option<Arc<str>>,
}

impl VerifyError {
    /// Wraps the code of `X509_verify_cert(3)`.
    pub fn from_code(code: i32) -> VerifyError {
        VerifyError { code, place: None }
    }

    /// The same, found at `depth` in a certificate of `subject`.
    pub(crate) fn at(self, depth: u32, subject: Option<String>) -> VerifyError {
        let subject = subject.map(Arc::from);
        VerifyError {
            place: Some(Place { depth, subject }),
            ..self
        }
    }

    /// The code, one of the `X509_V_ERR_*` numbers of `X509_STORE_CTX_get_error(3)`.
    #[doc(alias = "verify_code")]
    pub fn code(&self) -> i32 {
        self.code
    }

    /// OpenSSL's sentence for the code.
    #[doc(alias = "X509_verify_cert_error_string")]
    #[doc(alias = "verify_message")]
    pub fn reason(&self) -> &'static str {
        crate::ssl::verify_error_string(self.code)
    }

    /// Where in the chain the fault is: 0 is the peer's own certificate, the highest
    /// number the anchor's.
    #[doc(alias = "X509_STORE_CTX_get_error_depth")]
    pub fn depth(&self) -> Option<u32> {
        self.place.as_ref().map(|place| place.depth)
    }

    /// The subject of the certificate at fault, such as `CN=localhost`. The peer has
    /// written it: what is not printable is escaped, and it is cut when it is long.
    #[doc(alias = "X509_STORE_CTX_get_current_cert")]
    pub fn subject(&self) -> Option<&str> {
        self.place.as_ref()?.subject.as_deref()
    }
}

impl From<X509VerifyResult> for VerifyError {
    fn from(result: X509VerifyResult) -> VerifyError {
        VerifyError::from_code(result.as_raw())
    }
}

/// Whether only `X509_V_FLAG_X509_STRICT` leads to this code: from
/// `X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA` to `_EXTENSIONS_REQUIRE_VERSION_3`.
fn is_of_strict_mode(code: i32) -> bool {
    (80..=93).contains(&code)
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {}", self.reason(), self.code)?;
        if is_of_strict_mode(self.code) {
            f.write_str(", a check that `strict` asks for")?;
        }
        f.write_str(")")?;
        if let Some(place) = &self.place {
            write!(f, " at depth {}", place.depth)?;
        }
        match self.subject() {
            Some(subject) => write!(f, ", {subject}"),
            None => Ok(()),
        }
    }
}

/// A TLS alert (RFC 8446, section 6).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_alert_desc_string")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert(u8);

macro_rules! alerts {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl Alert {
            $(
                #[doc = concat!("`", $text, "`, code ", $code, ".")]
                pub const $name: Alert = Alert($code);
            )*

            /// The name in RFC 8446, or `None` for a code it does not define.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    CLOSE_NOTIFY = 0, "close_notify";
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    BAD_RECORD_MAC = 20, "bad_record_mac";
    RECORD_OVERFLOW = 22, "record_overflow";
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    NO_CERTIFICATE = 41, "no_certificate";
    BAD_CERTIFICATE = 42, "bad_certificate";
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate";
    CERTIFICATE_REVOKED = 44, "certificate_revoked";
    CERTIFICATE_EXPIRED = 45, "certificate_expired";
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown";
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    UNKNOWN_CA = 48, "unknown_ca";
    ACCESS_DENIED = 49, "access_denied";
    DECODE_ERROR = 50, "decode_error";
    DECRYPT_ERROR = 51, "decrypt_error";
    PROTOCOL_VERSION = 70, "protocol_version";
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    INTERNAL_ERROR = 80, "internal_error";
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback";
    USER_CANCELED = 90, "user_canceled";
    NO_RENEGOTIATION = 100, "no_renegotiation";
    MISSING_EXTENSION = 109, "missing_extension";
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension";
    UNRECOGNIZED_NAME = 112, "unrecognized_name";
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response";
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity";
    CERTIFICATE_REQUIRED = 116, "certificate_required";
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol";
}

impl Alert {
    /// An alert by its code.
    pub const fn from_code(code: u8) -> Alert {
        Alert(code)
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}

/// A handshake that failed, with the transport it ran on.
///
/// The transport comes back so that a server can answer in plain text
/// ([`Error::PlainHttp`]), log the peer's address, or close it in its own way.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct HandshakeError<T> {
    /// Boxed, because a transport may be large and a success should not pay for it.
    parts: Box<(Error, T)>,
}

impl<T> HandshakeError<T> {
    pub(crate) fn new(error: Error, transport: T) -> HandshakeError<T> {
        HandshakeError {
            parts: Box::new((error, transport)),
        }
    }

    /// Why the handshake failed.
    pub fn error(&self) -> &Error {
        &self.parts.0
    }

    /// The transport the handshake ran on.
    pub fn transport(&self) -> &T {
        &self.parts.1
    }

    /// Drops the transport.
    pub fn into_error(self) -> Error {
        self.parts.0
    }

    /// Drops the error.
    pub fn into_transport(self) -> T {
        self.parts.1
    }

    /// Both.
    pub fn into_parts(self) -> (Error, T) {
        *self.parts
    }
}

impl<T> fmt::Debug for HandshakeError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeError")
            .field("error", self.error())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for HandshakeError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS handshake failed: {}", self.error())
    }
}

impl<T> std::error::Error for HandshakeError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

impl<T> From<HandshakeError<T>> for Error {
    fn from(failed: HandshakeError<T>) -> Error {
        failed.into_error()
    }
}

impl<T> From<HandshakeError<T>> for io::Error {
    fn from(failed: HandshakeError<T>) -> io::Error {
        failed.into_error().into()
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
