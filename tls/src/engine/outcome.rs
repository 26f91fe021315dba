//! What an engine's operations answer.

use std::fmt;

use crate::error::Error;

/// Which side of the handshake a connection takes.
#[doc(alias = "set_connect_state")]
#[doc(alias = "set_accept_state")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sends the ClientHello.
    Client,
    /// Answers it.
    Server,
}

/// What an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// More ciphertext from the peer.
    #[doc(alias = "WantReadError")]
    #[doc(alias = "SSL_ERROR_WANT_READ")]
    Read,
    /// Room at the transport. Only a non-blocking stream says so; an engine
    /// never does.
    #[doc(alias = "WantWriteError")]
    #[doc(alias = "SSL_ERROR_WANT_WRITE")]
    Write,
    /// A decision of the application; see
    /// [`Engine::deferral`](crate::Engine::deferral).
    #[doc(alias = "WantX509LookupError")]
    #[doc(alias = "SSL_ERROR_WANT_X509_LOOKUP")]
    #[doc(alias = "SSL_ERROR_WANT_CLIENT_HELLO_CB")]
    App,
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Want::Read => "waits for data from the peer",
            Want::Write => "waits for room at the transport",
            Want::App => "waits for a decision of the application",
        })
    }
}

impl std::error::Error for Want {}

/// Why an operation of an [`Engine`](crate::Engine) gave no result.
#[derive(Debug, Clone)]
pub enum EngineError {
    /// Not yet: do what it wants and call again.
    Want(Want),
    /// The peer ended its side in an orderly way (`close_notify`).
    #[doc(alias = "ZeroReturnError")]
    #[doc(alias = "SSL_ERROR_ZERO_RETURN")]
    Closed,
    /// The connection failed, now or earlier, or the call cannot work.
    Failed(Error),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Want(want) => want.fmt(f),
            EngineError::Closed => f.write_str("peer closed the connection"),
            EngineError::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EngineError::Failed(error) => Some(error),
            EngineError::Want(_) | EngineError::Closed => None,
        }
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> EngineError {
        EngineError::Failed(error)
    }
}
