//! The naked TLS connection: no socket, no waiting.
//!
//! ```text
//!    plaintext                        ciphertext
//!    read  <---+               +--- in_space / commit_in / close_in
//!    write --->| OpenSSL: rings|---> out_data / consume_out
//!    ...       +---------------+
//! ```
//!
//! Whoever owns an [`Engine`] moves the ciphertext. After every call it sends
//! what [`Engine::out_data`] shows, *before* it waits for anything: the peer may
//! be waiting for just that.
//!
//! OpenSSL's "wants to write" never leaves the engine. While a write is half
//! done `SSL_get_error(3)` allows nothing but its repetition, and indeed a read
//! in that state can fail for good. So when the out-ring is full, its content
//! moves to a queue (the *spill*), and the call is repeated at once. There is
//! no half-done write for a killed writer to leave behind, and reading and
//! writing do not depend on each other. The spill is bounded by what one call
//! can produce, if its owner drains the engine between calls; before a large
//! write [`Engine::has_room_for`] tells whether it will be needed at all.
//!
//! The first permanent error is kept and answered to every later call.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use openssl::ssl::{Ssl, SslRef};

use crate::bio::{RingSizes, Rings};
use crate::callbacks::{ConnectionView, attached_mut, take_attached};
use crate::context::Context;
use crate::error::Error;
use crate::session_cache;
use crate::ssl::{Connection, Deferral};

mod absent;
mod cipher;
mod ciphertext;
mod control;
mod decisions;
mod goodbye;
mod observers;
mod outcome;
mod peer;
mod plaintext;
mod queries;
#[allow(unsafe_code, reason = "takes over OpenSSL's objects from foreign code")]
mod raw;
mod rings;
mod secrets;
mod settings;
mod step;

pub use cipher::Cipher;
use decisions::{Approval, Replay};
pub use outcome::{EngineError, Role, Want};
pub use peer::PeerIdentity;
pub use queries::{ShutdownState, SignatureAlgorithm};
pub use secrets::ChannelBinding;

/// One TLS connection in memory.
///
/// `Send` and not `Sync`. No method waits, so none is a place where a tasklet
/// may be switched or killed.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_new")]
#[doc(alias = "BIO_new_bio_pair")]
#[derive(Debug)]
pub struct Engine {
    connection: Connection,
    /// `None` while they are in the pool.
    rings: Option<Rings>,
    sizes: RingSizes,
    /// The capacity to return to after a bulk transfer.
    usual_sizes: RingSizes,
    role: Role,
    name: Option<String>,
    /// `None` if the `SSL` was made by hand.
    context: Option<Context>,
    /// Ciphertext that left the out-ring but not the engine; older than what is
    /// in the ring.
    spill: VecDeque<u8>,
    replay: Replay,
    /// How often it has waited for its peer, as far as that can be counted.
    waits: u8,
    state: State,
}

/// What happened so far. The flags only ever go from false to true.
#[derive(Debug, Default)]
struct State {
    established: bool,
    received_any: bool,
    /// The transport ended.
    in_closed: bool,
    /// The peer sent `close_notify`.
    peer_closed: bool,
    /// We sent `close_notify`.
    closed: bool,
    failed: Option<Error>,
    deferral: Option<Deferral>,
    /// Somebody holds raw pointers to the rings.
    pinned: bool,
    /// The client's last Finished when its certificate was asked for after the
    /// handshake: its answer has arrived once there is another.
    asked_after: Option<Vec<u8>>,
    ignores_truncation: bool,
    /// This connection presents another identity than its context's.
    has_own_identity: bool,
    approval: Approval,
    /// The client's last Finished when it was approved of: another one means that it
    /// may have shown another certificate since.
    approved_after: Option<Vec<u8>>,
}

impl Engine {
    /// A connection of `context`; `name` is the server that a client wants to reach.
    ///
    /// # Errors
    ///
    /// When a client's name is missing or malformed, or a server is given one.
    pub fn new(context: &Context, name: Option<&str>, rings: RingSizes) -> Result<Engine, Error> {
        let ssl = context.new_ssl(name)?;
        let mut engine = Engine::from_ssl(ssl, context.role(), name, rings);
        engine.context = Some(context.clone());
        engine.offer_kept_session()?;
        Ok(engine)
    }

    /// Offers the session that the context keeps for this server, if it has one.
    fn offer_kept_session(&mut self) -> Result<(), Error> {
        let Some(context) = &self.context else {
            return Ok(());
        };
        if self.state.has_own_identity {
            // A session stands for the identity that it began with.
            if session_cache::detach(self.connection.get_mut())? {
                self.connection.forget_session()?;
            }
            return Ok(());
        }
        if let Some(session) = session_cache::lend(self.ssl()) {
            self.connection.resume(&session, context.ssl_ctx())?;
        }
        Ok(())
    }

    /// Takes over a configured object of the `openssl` crate.
    pub(crate) fn from_ssl(
        mut ssl: Ssl,
        role: Role,
        name: Option<&str>,
        rings: RingSizes,
    ) -> Engine {
        match role {
            Role::Client => ssl.set_connect_state(),
            Role::Server => ssl.set_accept_state(),
        }
        let mut engine = Engine {
            connection: Connection::new(ssl),
            rings: None,
            sizes: rings,
            usual_sizes: rings,
            role,
            name: name.map(str::to_owned),
            context: None,
            spill: VecDeque::new(),
            replay: Replay::None,
            waits: 0,
            state: State::default(),
        };
        engine.prepare_decisions();
        engine
    }

    /// Makes progress with the handshake.
    ///
    /// Optional: the first read or write does it too.
    ///
    /// # Errors
    ///
    /// [`EngineError::Want`] until the handshake is done.
    #[doc(alias = "SSL_do_handshake")]
    pub fn handshake(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.step(Connection::handshake)
    }

    /// Whether the first handshake is done.
    #[doc(alias = "SSL_is_init_finished")]
    #[inline]
    pub fn is_established(&self) -> bool {
        self.state.established
    }

    /// Whether the peer has sent `close_notify`.
    pub fn is_peer_closed(&self) -> bool {
        self.state.peer_closed
    }

    /// Whether we have sent `close_notify`.
    pub fn is_closed(&self) -> bool {
        self.state.closed
    }

    /// The permanent error, once there is one.
    #[inline]
    pub fn failure(&self) -> Option<&Error> {
        self.state.failed.as_ref()
    }

    /// What the last [`Want::App`] was about.
    pub fn deferral(&self) -> Option<Deferral> {
        self.state.deferral
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Attaches data of the application to this connection, in place of what was
    /// attached before. Callbacks find it by [`ConnectionView::app_data`].
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] without memory.
    ///
    /// [`ConnectionView::app_data`]: crate::ConnectionView::app_data
    #[doc(alias = "SSL_set_ex_data")]
    pub fn set_app_data<T: Any + Send + Sync>(&mut self, data: T) -> Result<(), Error> {
        attached_mut(self.connection.get_mut())?.app_data = Some(Arc::new(data));
        Ok(())
    }

    /// The data attached by [`Engine::set_app_data`], if it has the type `T`.
    #[doc(alias = "get_app_data")]
    #[doc(alias = "SSL_get_ex_data")]
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        ConnectionView::new(self.ssl()).app_data()
    }

    /// The object underneath, for calls that only look.
    pub(crate) fn ssl(&self) -> &SslRef {
        self.connection.get()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Who has raw pointers decides about the end.
        if self.state.failed.is_none() && !self.state.pinned {
            self.connection.spare_session();
        }
        self.unplug();
        if !self.state.pinned {
            // Data of the application that panics when it is dropped must not do so
            // in OpenSSL's frames.
            drop(take_attached(self.connection.get_mut()));
        }
    }
}
