//! How much a peer may ask for without sending anything.
//!
//! A key update costs its sender a few bytes and its receiver the derivation of
//! keys, and an answer if one is asked for; a renegotiation costs a whole
//! handshake. OpenSSL allows any number of them, and works them off within one
//! call. So they are counted as they arrive, and the count begins anew with each
//! piece of data that the application reads.
//!
//! The callback that counts cannot refuse. It makes OpenSSL return at the next
//! message, with the [`Rejection`] in place, and the engine ends the connection.

use openssl::ssl::SslRef;

use super::{Direction, HandshakeType, Hooks, Message, Rejection, attached_mut};
use crate::error::Alert;
use crate::ssl::stop_after_message;

/// Of key updates and renegotiations, without data in between.
pub(crate) const KEY_UPDATES_DEFAULT: u32 = 32;

/// Counts `message`, if it is one that is limited.
pub(super) fn count(ssl: &mut SslRef, hooks: &Hooks, message: &Message<'_>) {
    let Some(limit) = hooks.key_update_limit.0 else {
        return;
    };
    let limited = match message.handshake() {
        Some(HandshakeType::KEY_UPDATE | HandshakeType::HELLO_REQUEST) => true,
        // The first handshake has one too, or two.
        Some(HandshakeType::CLIENT_HELLO) => ssl.peer_finished(&mut [0; 1]) > 0,
        _ => false,
    };
    if !limited || message.direction() == Direction::Sent {
        return;
    }
    let Ok(attached) = attached_mut(ssl) else {
        return;
    };
    attached.without_data += 1;
    if attached.without_data > limit && attached.rejection.is_none() {
        attached.rejection = Some(Rejection::new(Alert::UNEXPECTED_MESSAGE).because(format!(
            "the peer asked for new keys more than {limit} times without sending data"
        )));
        stop_after_message(ssl);
    }
}

/// The limit of a context; `None` allows any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyUpdateLimit(pub(crate) Option<u32>);

impl Default for KeyUpdateLimit {
    fn default() -> KeyUpdateLimit {
        KeyUpdateLimit(Some(KEY_UPDATES_DEFAULT))
    }
}
