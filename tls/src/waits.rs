//! Why a tasklet of this crate waits: the names that a dump shows.
//!
//! Waits for the transport carry the reasons of the socket that does them.

use greenling::{WaitError, WaitReason};
use std::io;

macro_rules! reasons {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(pub(crate) static $name: WaitReason = WaitReason::new($text);)*

        /// Every reason for which this crate parks a tasklet.
        pub static WAIT_REASONS: &[&WaitReason] = &[$(&$name),*];
    };
}

reasons! {
    READ_LOCK = "tls: another tasklet reads this stream",
    WRITE_LOCK = "tls: another tasklet writes this stream",
    RECEIVE_LOCK = "tls: another tasklet receives for this stream",
    FLUSH_LOCK = "tls: another tasklet sends for this stream",
    OBJECT_BUSY = "tls: another tasklet is inside the wrapped object",
    DECISION_LOCK = "tls: another tasklet decides about this connection",
    HANDSHAKE_PERMIT = "tls: the listener's limit of handshakes is reached",
}

/// Whether an error says that a wait has ended, and nothing of the transport.
pub(crate) fn has_ended(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<WaitError>())
}
