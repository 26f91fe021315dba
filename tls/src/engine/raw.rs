//! Engines as OpenSSL's own objects, for foreign code, and back.
//!
//! ```text
//!   into_raw:  Engine ---> SSL (holds the internal half)   owned by the caller
//!                     ---> network half                    owned by the caller
//!   from_raw:  the same two, wherever they have been meanwhile
//! ```
//!
//! What the engine knew beyond OpenSSL's own state is little, and is found again:
//! whether the handshake is done, which sides have ended, and the role, all of which
//! the SSL object tells.

use std::collections::VecDeque;
use std::ptr::{self, NonNull};

use openssl::ssl::NameType;
use openssl_sys::{BIO, SSL};

use super::decisions::Replay;
use super::{Engine, Role, State};
use crate::bio::{BioPair, RingSizes, Rings};
use crate::error::Error;
use crate::ssl::{Connection, clear_error_queue, on_system_stack};

impl Engine {
    /// Takes the engine apart for foreign code, which owns one reference to each
    /// part from now on and gives them back with `SSL_free` and `BIO_free`, or to
    /// [`Engine::from_raw`]. The state of the connection does not matter.
    ///
    /// Ciphertext that waits to be sent is in the pair, older bytes first, and so is
    /// what was fed and not read. The pair may be another one than
    /// [`Engine::network_bio_ptr`] has shown before. Without memory the second
    /// pointer is null, and calls on the first one fail.
    ///
    /// What the engine adds to OpenSSL stays behind: the first permanent error, which
    /// was repeated; the exchange of a server's context by a resolver; and that a
    /// server reads and writes nothing before its application has approved of the
    /// client. Foreign code has to see to that itself.
    #[doc(alias = "SSL_up_ref")]
    pub fn into_raw(mut self) -> (*mut SSL, *mut BIO) {
        self.give_tickets_back();
        let _ = self.pin();
        let _ = self.gather();
        let network = match self.rings.take() {
            Some(Rings::Pair(pair)) => pair.into_network(),
            _ => ptr::null_mut(),
        };
        (self.connection.share(), network)
    }

    /// Moves what is kept beside the rings into them: into larger ones.
    fn gather(&mut self) -> Result<(), Error> {
        let again = self.recorded().map_or_else(VecDeque::new, std::mem::take);
        if self.spill.is_empty() && again.is_empty() {
            return Ok(());
        }
        self.spill_out();
        let mut unread = self
            .rings
            .as_mut()
            .map_or_else(Vec::new, Rings::take_unread);
        unread.extend(again);
        let mut pair = BioPair::new(RingSizes {
            incoming: self.sizes.incoming.max(unread.len()),
            outgoing: self.sizes.outgoing.max(self.spill.len()),
        })?;
        if self.state.received_any {
            pair.note_read();
        }
        let written = pair.write_out(self.spill.make_contiguous());
        assert_eq!(written, self.spill.len(), "the ring was made large enough");
        let fed = pair.write_in(&unread);
        assert_eq!(fed, unread.len(), "the ring was made large enough");
        if self.state.in_closed {
            pair.close_in();
        }
        self.spill.clear();
        self.sizes = pair.sizes();
        self.connect_rings(Rings::Pair(pair));
        Ok(())
    }

    /// Makes an engine of OpenSSL's objects: those that [`Engine::into_raw`] gave
    /// away, or others of the same shape, that is, an SSL object whose state is set
    /// (`SSL_set_connect_state` or `SSL_set_accept_state`) and whose one BIO is half of
    /// a pair, and the other half. Whatever has been done with them before does not
    /// matter.
    ///
    /// The pair stays with the engine for life, as after [`Engine::as_ssl_ptr`]. A
    /// client's session is bound to the server name that was sent, if one was. A
    /// server's application is asked about the client, as if it had not been yet.
    ///
    /// # Errors
    ///
    /// [`Error::Local`], and both objects stay the caller's, when one is null, or the
    /// SSL object has no BIO, two of them, or one that is not half of a pair.
    ///
    /// # Safety
    ///
    /// Each pointer is null, or the object behind it is alive and one reference to it
    /// is the caller's to give. If both halves belong to pairs, it is the same pair.
    /// Nobody else uses the objects while the engine exists, except as
    /// [`Engine::as_ssl_ptr`] allows. Callbacks that foreign code has set do not
    /// unwind.
    #[doc(alias = "SSL_set_bio")]
    pub unsafe fn from_raw(ssl: *mut SSL, network: *mut BIO) -> Result<Engine, Error> {
        let null = || Error::local("a null pointer in place of an SSL object");
        let ssl = NonNull::new(ssl).ok_or_else(null)?;
        // SAFETY: the caller gives its reference, or gets it back below.
        let connection = unsafe { Connection::from_raw(ssl) };
        let pair = on_system_stack(|| {
            // SAFETY: the internal half is alive with the object; the rest is the
            // caller's promise.
            let pair = unsafe { pair_of(&connection, network) };
            clear_error_queue();
            pair
        });
        let Some(pair) = pair else {
            // The wrapper's reference goes back to the caller.
            std::mem::forget(connection);
            return Err(Error::local("the objects are not joined by a BIO pair"));
        };
        Ok(Engine::from_parts(connection, pair))
    }

    fn from_parts(connection: Connection, pair: BioPair) -> Engine {
        let ssl = connection.get();
        let (role, name) = if ssl.is_server() {
            (Role::Server, None)
        } else {
            (Role::Client, ssl.servername(NameType::HOST_NAME))
        };
        let ends = connection.ends();
        let state = State {
            established: connection.is_init_finished(),
            received_any: pair.in_pending() > 0 || connection.has_read(),
            in_closed: pair.is_in_closed(),
            peer_closed: ends.received,
            closed: ends.sent,
            pinned: true,
            ..State::default()
        };
        let name = name.map(str::to_owned);
        let sizes = pair.sizes();
        let mut engine = Engine {
            connection,
            rings: Some(Rings::Pair(pair)),
            sizes,
            usual_sizes: sizes,
            role,
            name,
            context: None,
            spill: Default::default(),
            replay: Replay::None,
            waits: 0,
            state,
        };
        engine.resume_decisions();
        engine
    }
}

/// The pair of the object's own half and `network`.
///
/// # Safety
///
/// As for [`Engine::from_raw`].
unsafe fn pair_of(connection: &Connection, network: *mut BIO) -> Option<BioPair> {
    let internal = connection.bio()?;
    // SAFETY: the object keeps the internal half alive, and the caller gives a
    // reference to the other.
    unsafe { BioPair::from_raw(internal, network) }
}
