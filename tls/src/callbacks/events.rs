//! What happens in a connection, told as it happens.

use std::fmt;
use std::sync::Arc;

use super::ConnectionView;
use crate::error::Alert;

/// Is told what happens in a connection.
pub(crate) type OnEvent = Arc<dyn Fn(&ConnectionView<'_>, &Event) + Send + Sync>;

/// What happened in a connection; see
/// [`ContextBuilder::on_event`](crate::ContextBuilder::on_event).
#[doc(alias = "SSL_CB_LOOP")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A handshake begins: the first one or, with TLS 1.2, a renegotiation.
    #[doc(alias = "SSL_CB_HANDSHAKE_START")]
    HandshakeStart,
    /// A handshake is done. With TLS 1.3 OpenSSL also says so after each message
    /// that comes later, such as a session ticket or a key update.
    #[doc(alias = "SSL_CB_HANDSHAKE_DONE")]
    HandshakeDone,
    /// The handshake has come to this state, in OpenSSL's words
    /// (`SSL_state_string_long(3)`). The words differ between its releases.
    #[doc(alias = "SSL_CB_CONNECT_LOOP")]
    #[doc(alias = "SSL_CB_ACCEPT_LOOP")]
    State(&'static str),
    /// A call leaves the handshake in this state: it is done, it waits, or it has
    /// failed.
    #[doc(alias = "SSL_CB_CONNECT_EXIT")]
    #[doc(alias = "SSL_CB_ACCEPT_EXIT")]
    Exit {
        /// The state, in OpenSSL's words.
        state: &'static str,
        /// Positive when the call has reached its aim.
        result: i32,
    },
    /// An alert was sent or received. An orderly end is one too, `close_notify`.
    #[doc(alias = "SSL_CB_READ_ALERT")]
    #[doc(alias = "SSL_CB_WRITE_ALERT")]
    Alert {
        /// Who sent it.
        direction: Direction,
        /// Whether it ends the connection.
        level: AlertLevel,
        /// What it says.
        alert: Alert,
    },
}

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the peer to us.
    #[doc(alias = "SSL_CB_READ")]
    Received,
    /// From us to the peer.
    #[doc(alias = "SSL_CB_WRITE")]
    Sent,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Received => "received",
            Direction::Sent => "sent",
        })
    }
}

/// Whether an alert ends the connection. With TLS 1.3 every alert but
/// `close_notify` and `user_canceled` does, whatever its level says (RFC 8446,
/// section 6).
#[doc(alias = "SSL_alert_type_string")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertLevel {
    /// The connection can go on.
    #[doc(alias = "SSL3_AL_WARNING")]
    Warning,
    /// The connection ends.
    #[doc(alias = "SSL3_AL_FATAL")]
    Fatal,
}
