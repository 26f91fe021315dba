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

use std::collections::VecDeque;
use std::fmt;

use openssl::ssl::{Ssl, SslRef};
use openssl_sys::{BIO, SSL};

use crate::bio::{BioPair, RingSizes};
use crate::context::Context;
use crate::error::Error;
use crate::ring;
use crate::session::Session;
use crate::ssl::{Connection, Deferral, Outcome, RECORD_MAX};

/// Room for the header, the padding and the tag of a record, and for a queued
/// message such as a session ticket.
const RECORD_OVERHEAD: usize = 256;

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
    /// A decision of the application; see [`Engine::deferral`].
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

/// Why an operation of an [`Engine`] gave no result.
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

/// One TLS connection in memory.
///
/// `Send` and not `Sync`. No method waits, so none is a place where a tasklet
/// may be switched or killed.
#[doc(alias = "SSL_new")]
#[doc(alias = "BIO_new_bio_pair")]
#[derive(Debug)]
pub struct Engine {
    connection: Connection,
    /// `None` while the rings are in the pool.
    pair: Option<BioPair>,
    rings: RingSizes,
    /// The capacity to return to after a bulk transfer.
    usual_rings: RingSizes,
    role: Role,
    name: Option<String>,
    /// Ciphertext that left the out-ring but not the engine; older than what is
    /// in the ring.
    spill: VecDeque<u8>,
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
    /// Somebody holds raw pointers to the pair.
    pinned: bool,
}

impl Engine {
    /// A connection of `context`; `name` is the server that a client wants to reach.
    ///
    /// # Errors
    ///
    /// When a client's name is missing or malformed, or a server is given one.
    pub fn new(context: &Context, name: Option<&str>, rings: RingSizes) -> Result<Engine, Error> {
        Ok(Engine::from_ssl(
            context.new_ssl(name)?,
            context.role(),
            name,
            rings,
        ))
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
        Engine {
            connection: Connection::new(ssl),
            pair: None,
            rings,
            usual_rings: rings,
            role,
            name: name.map(str::to_owned),
            spill: VecDeque::new(),
            state: State::default(),
        }
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

    /// Reads plaintext: as much as there is, at least one byte.
    ///
    /// An empty `buf` reads nothing and succeeds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`] once the peer's `close_notify` is reached. An error
    /// met after some bytes is kept for the next call.
    #[doc(alias = "SSL_read_ex")]
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize, EngineError> {
        if buf.is_empty() {
            return Ok(0);
        }
        let mut filled = self.read_with(buf, Connection::read)?;
        while filled < buf.len() && self.may_hold_plaintext() {
            match self.read_with(&mut buf[filled..], Connection::read) {
                Ok(n) => filled += n,
                // Kept, or found again, by the next call.
                Err(_) => break,
            }
        }
        Ok(filled)
    }

    /// Like [`Engine::read`], of at most one record, and leaves it there.
    ///
    /// # Errors
    ///
    /// As for [`Engine::read`].
    #[doc(alias = "SSL_peek_ex")]
    pub fn peek(&mut self, buf: &mut [u8]) -> Result<usize, EngineError> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_with(buf, Connection::peek)
    }

    fn read_with(
        &mut self,
        buf: &mut [u8],
        call: impl Fn(&mut Connection, &mut [u8]) -> Outcome<usize>,
    ) -> Result<usize, EngineError> {
        self.check_usable()?;
        if self.state.peer_closed {
            return Err(EngineError::Closed);
        }
        // OpenSSL takes ten times as long to find that out, and wants its rings.
        if self.state.established && !self.may_hold_plaintext() && !self.state.in_closed {
            return Err(EngineError::Want(Want::Read));
        }
        self.step(|connection| call(connection, buf))
    }

    /// Encrypts one record of up to 16 KiB from `data`; says how much it took.
    ///
    /// Empty `data` writes nothing and succeeds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Want`] only during a handshake: never for want of room.
    #[doc(alias = "SSL_write_ex")]
    pub fn write(&mut self, data: &[u8]) -> Result<usize, EngineError> {
        if data.is_empty() {
            return Ok(0);
        }
        self.check_usable()?;
        if self.state.closed {
            return Err(Error::local("write after close_notify was sent").into());
        }
        self.step(|connection| connection.write(data))
    }

    /// Sends `close_notify`, once, and says whether the peer's has been read.
    ///
    /// Reading goes on: the other direction is the peer's to end.
    ///
    /// # Errors
    ///
    /// When the connection has failed, or its first handshake is not done: there
    /// is nothing to end then.
    #[doc(alias = "SSL_shutdown")]
    pub fn shutdown(&mut self) -> Result<bool, EngineError> {
        self.check_usable()?;
        if !self.state.established {
            return Err(Error::local("close_notify before the handshake is done").into());
        }
        if !self.state.closed {
            // A ticket that waits for a write makes OpenSSL refuse (reason 407).
            if !self.connection.is_init_finished() {
                self.step(Connection::handshake)?;
            }
            self.step(Connection::shutdown)?;
            self.state.closed = true;
        }
        Ok(self.state.peer_closed)
    }

    /// The free part of the in-ring that is contiguous: put ciphertext there and
    /// call [`Engine::commit_in`]. It may be less than all free room.
    ///
    /// Empty when the ring is full, or the input was closed.
    #[doc(alias = "BIO_nwrite0")]
    pub fn in_space(&mut self) -> &mut [u8] {
        match self.plug() {
            Ok(pair) => pair.in_space(),
            Err(_) => &mut [],
        }
    }

    /// Hands over the first `n` bytes of [`Engine::in_space`].
    ///
    /// # Panics
    ///
    /// Panics if the space was smaller.
    #[doc(alias = "BIO_nwrite")]
    pub fn commit_in(&mut self, n: usize) {
        if n > 0 {
            let pair = self.pair.as_mut().expect("in_space has plugged the rings");
            pair.commit_in(n);
            self.state.received_any = true;
        }
    }

    /// Copies ciphertext in; says how much fitted.
    #[doc(alias = "bio_write")]
    pub fn feed(&mut self, data: &[u8]) -> usize {
        let mut fed = 0;
        while fed < data.len() {
            let space = self.in_space();
            let n = space.len().min(data.len() - fed);
            if n == 0 {
                break;
            }
            space[..n].copy_from_slice(&data[fed..fed + n]);
            self.commit_in(n);
            fed += n;
        }
        fed
    }

    /// The transport has ended: nothing more will be fed.
    ///
    /// Without the peer's `close_notify` in what was fed, reads then fail with
    /// [`Error::Truncated`] or [`Error::ClosedBeforeHello`].
    #[doc(alias = "bio_shutdown")]
    pub fn close_in(&mut self) {
        self.state.in_closed = true;
        if let Ok(pair) = self.plug() {
            pair.close_in();
        }
    }

    /// Ciphertext to send, one contiguous piece of it; empty when there is none.
    #[doc(alias = "BIO_nread0")]
    pub fn out_data(&mut self) -> &[u8] {
        if self.spill.is_empty() {
            return self.pair.as_mut().map_or(&[], BioPair::out_data);
        }
        // The ring buffer of the spill may wrap too.
        self.spill.as_slices().0
    }

    /// Removes the first `n` bytes of [`Engine::out_data`]: they were sent.
    ///
    /// # Panics
    ///
    /// Panics if there were fewer.
    #[doc(alias = "BIO_nread")]
    pub fn consume_out(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        if self.spill.is_empty() {
            let pair = self.pair.as_mut().expect("out_data came from the rings");
            pair.consume_out(n);
        } else {
            self.spill.drain(..n);
            if self.spill.is_empty() {
                self.spill = VecDeque::new();
            }
        }
    }

    /// Copies ciphertext out; says how much there was.
    #[doc(alias = "bio_read")]
    pub fn drain(&mut self, buf: &mut [u8]) -> usize {
        let mut drained = 0;
        while drained < buf.len() {
            let data = self.out_data();
            let n = data.len().min(buf.len() - drained);
            if n == 0 {
                break;
            }
            buf[drained..drained + n].copy_from_slice(&data[..n]);
            self.consume_out(n);
            drained += n;
        }
        drained
    }

    /// Ciphertext bytes that OpenSSL has not looked at yet.
    pub fn in_pending(&self) -> usize {
        self.pair.as_ref().map_or(0, BioPair::in_pending)
    }

    /// Ciphertext bytes that wait to be sent.
    pub fn out_pending(&self) -> usize {
        self.spill.len() + self.pair.as_ref().map_or(0, BioPair::out_pending)
    }

    /// How many bytes of ciphertext the out-ring still takes.
    #[doc(alias = "BIO_ctrl_get_write_guarantee")]
    pub fn out_free(&self) -> usize {
        self.pair
            .as_ref()
            .map_or(self.rings.outgoing, BioPair::out_free)
    }

    /// Whether a write of `len` bytes fits the out-ring as one record, so that
    /// nothing spills. Larger writes count as one record of the largest size.
    pub fn has_room_for(&self, len: usize) -> bool {
        self.spill.is_empty() && self.out_free() >= len.min(RECORD_MAX) + RECORD_OVERHEAD
    }

    /// How many bytes OpenSSL last looked for and did not find.
    #[doc(alias = "BIO_ctrl_get_read_request")]
    pub fn read_request(&self) -> usize {
        self.pair.as_ref().map_or(0, BioPair::read_request)
    }

    /// Plaintext bytes of the current record that can be read without more input.
    #[doc(alias = "SSL_pending")]
    pub fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// Whether the first handshake is done.
    #[doc(alias = "SSL_is_init_finished")]
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

    /// Changes the capacity of the rings; says whether it could. It can not while
    /// they hold anything, nor after raw pointers were handed out.
    #[doc(alias = "BIO_set_write_buf_size")]
    pub fn set_rings(&mut self, rings: RingSizes) -> bool {
        if self.pair.is_some() && self.rings != rings && !self.unplug() {
            return false;
        }
        self.rings = rings;
        self.usual_rings = rings;
        true
    }

    /// Takes larger rings for a bulk transfer, until the next [`Engine::park`],
    /// if the usual ones are the default and nothing is in them.
    pub(crate) fn grow_rings(&mut self) {
        let may = self.usual_rings == RingSizes::RECORD && self.rings != RingSizes::BULK;
        if may && (self.pair.is_none() || self.unplug()) {
            self.rings = RingSizes::BULK;
        }
    }

    /// The capacity of the rings.
    pub fn rings(&self) -> RingSizes {
        self.rings
    }

    /// Gives the rings and OpenSSL's record buffers back while the connection
    /// waits for its peer; says whether the rings went. The next call takes
    /// others.
    pub fn park(&mut self) -> bool {
        if !self.unplug() {
            return false;
        }
        self.rings = self.usual_rings;
        self.connection.free_buffers();
        true
    }

    /// Whether [`Engine::park`] took the rings and nothing has taken others since.
    pub fn is_parked(&self) -> bool {
        self.pair.is_none()
    }

    /// The session, for a later connection to resume. With TLS 1.3 there is one
    /// only after the server's tickets were read, that is, after some read.
    #[doc(alias = "SSL_get1_session")]
    #[doc(alias = "get_session")]
    pub fn session(&self) -> Option<Session> {
        Session::of(&self.connection, self.name.as_deref())
    }

    /// Whether an earlier session was resumed.
    #[doc(alias = "SSL_session_reused")]
    pub fn is_session_reused(&self) -> bool {
        self.ssl().session_reused()
    }

    /// Offers a session of an earlier connection.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when it was made with another context or server name, or
    /// the handshake has begun.
    #[doc(alias = "SSL_set_session")]
    pub fn set_session(&mut self, session: &Session) -> Result<(), Error> {
        if self.pair.is_some() || self.state.established {
            return Err(Error::local("the handshake has begun"));
        }
        session.offer(&mut self.connection, self.role, self.name.as_deref())
    }

    /// Takes the end of the input for the peer's `close_notify`. Only for protocols
    /// that mark their ends themselves: anybody on the way can cut a connection.
    #[doc(alias = "SSL_OP_IGNORE_UNEXPECTED_EOF")]
    pub fn ignore_truncation(&mut self) {
        self.connection.ignore_unexpected_eof();
    }

    /// Ciphertext that was fed and that OpenSSL has not read. After the peer's
    /// `close_notify` it is the beginning of what follows TLS on this transport.
    pub fn take_unread(&mut self) -> Vec<u8> {
        self.pair
            .as_mut()
            .map_or_else(Vec::new, BioPair::take_unread)
    }

    /// New keys with the next record written; `ask_peer` asks for the peer's too.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] before TLS 1.3.
    #[doc(alias = "SSL_key_update")]
    pub fn key_update(&mut self, ask_peer: bool) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(openssl::ssl::SslVersion::TLS1_3, "key update needs TLS 1.3")?;
        request(self.connection.key_update(ask_peer))
    }

    /// Begins a new handshake on an established connection; the next calls make
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless the version is TLS 1.2.
    #[doc(alias = "SSL_renegotiate")]
    pub fn renegotiate(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(
            openssl::ssl::SslVersion::TLS1_2,
            "TLS 1.3 has no renegotiation",
        )?;
        request(self.connection.renegotiate())
    }

    /// Queues one more session ticket; it goes out with the next write.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3.
    #[doc(alias = "SSL_new_session_ticket")]
    pub fn new_session_ticket(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(
            openssl::ssl::SslVersion::TLS1_3,
            "extra tickets need TLS 1.3",
        )?;
        if self.role != Role::Server {
            return Err(Error::unsupported("only servers issue tickets").into());
        }
        request(self.connection.new_session_ticket())
    }

    /// Lets the server ask for a certificate later (RFC 8446, section 4.6.2). For
    /// clients, before the handshake.
    #[doc(alias = "SSL_set_post_handshake_auth")]
    pub fn offer_post_handshake_auth(&mut self) {
        self.connection.offer_post_handshake_auth();
    }

    /// Asks the client for a certificate now; it goes out with the next call.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] unless this is a server with TLS 1.3; OpenSSL's
    /// error when the client did not offer post-handshake authentication.
    #[doc(alias = "SSL_verify_client_post_handshake")]
    pub fn verify_client_post_handshake(&mut self) -> Result<(), EngineError> {
        self.check_usable()?;
        self.require(openssl::ssl::SslVersion::TLS1_3, "needs TLS 1.3")?;
        request(self.connection.verify_client_post_handshake())
    }

    fn require(
        &self,
        version: openssl::ssl::SslVersion,
        why: &'static str,
    ) -> Result<(), EngineError> {
        if self.ssl().version2() == Some(version) {
            Ok(())
        } else {
            Err(Error::unsupported(why).into())
        }
    }

    /// The object underneath, for calls that only look.
    pub(crate) fn ssl(&self) -> &SslRef {
        self.connection.get()
    }

    /// OpenSSL's own object, for foreign code. The engine keeps its rings for
    /// life from now on.
    ///
    /// Foreign code that empties the out-ring itself must drain the engine first
    /// whenever [`Engine::out_pending`] exceeds what its half holds: what spilled
    /// is older.
    pub fn as_ssl_ptr(&mut self) -> *mut SSL {
        self.state.pinned = true;
        // Without memory for rings the pointer is still good; calls on it fail.
        let _ = self.plug();
        self.connection.as_ptr()
    }

    /// The half of the pair that faces the transport, or null without memory.
    /// Pins the rings as [`Engine::as_ssl_ptr`] does.
    pub fn network_bio_ptr(&mut self) -> *mut BIO {
        self.state.pinned = true;
        match self.plug() {
            Ok(pair) => pair.network_ptr(),
            Err(_) => std::ptr::null_mut(),
        }
    }

    /// Whether a read could find something without more input.
    fn may_hold_plaintext(&self) -> bool {
        self.in_pending() > 0
            || self.connection.pending() > 0
            // Something else than a read is half done; OpenSSL knows what.
            || !self.connection.is_init_finished()
    }

    fn check_usable(&self) -> Result<(), EngineError> {
        match &self.state.failed {
            Some(error) => Err(EngineError::Failed(error.clone())),
            None => Ok(()),
        }
    }

    /// Makes one call, repeating it while only the out-ring's size stops it.
    fn step<T>(
        &mut self,
        mut call: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Result<T, EngineError> {
        self.plug()?;
        loop {
            let outcome = call(&mut self.connection);
            // A read that finds no data may have finished the handshake all the same.
            if !self.state.established && self.connection.is_init_finished() {
                self.state.established = true;
            }
            match outcome {
                Outcome::Done(value) => return Ok(value),
                Outcome::WantRead => return Err(EngineError::Want(Want::Read)),
                Outcome::WantWrite => {
                    if !self.spill_out() {
                        return Err(self.fail(Error::Ssl(Vec::new())));
                    }
                }
                Outcome::WantApp(deferral) => {
                    self.state.deferral = Some(deferral);
                    return Err(EngineError::Want(Want::App));
                }
                Outcome::Closed => {
                    self.state.peer_closed = true;
                    return Err(EngineError::Closed);
                }
                Outcome::Failed(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Keeps a permanent error, as what it means here.
    fn fail(&mut self, error: Error) -> EngineError {
        let error = match error {
            // OpenSSL's answer to the end of input after it had failed before.
            Error::Ssl(entries) if entries.is_empty() && self.state.in_closed => Error::Truncated,
            other => other,
        };
        let error = match error {
            Error::Truncated if !self.state.received_any => Error::ClosedBeforeHello,
            other => other,
        };
        self.state.failed = Some(error.clone());
        EngineError::Failed(error)
    }

    /// Empties the out-ring into the spill; says whether there was anything.
    fn spill_out(&mut self) -> bool {
        let before = self.spill.len();
        if let Some(pair) = &mut self.pair {
            loop {
                let data = pair.out_data();
                let n = data.len();
                if n == 0 {
                    break;
                }
                self.spill.extend(data);
                pair.consume_out(n);
            }
        }
        self.spill.len() > before
    }

    /// The rings, plugged in if they were not: OpenSSL fails for good without.
    fn plug(&mut self) -> Result<&mut BioPair, Error> {
        if self.pair.is_none() {
            let pair = ring::take(self.rings)?;
            self.connection.set_pair(Some(&pair));
            self.pair = Some(pair);
        }
        Ok(self.pair.as_mut().expect("plugged just now"))
    }

    /// Gives the rings to the pool if nothing would be lost.
    fn unplug(&mut self) -> bool {
        let clean = self.spill.is_empty() && !self.state.pinned && !self.state.in_closed;
        match self.pair.take() {
            Some(pair) if clean && pair.is_reusable() => {
                self.connection.set_pair(None);
                ring::give(pair);
                true
            }
            other => {
                self.pair = other;
                false
            }
        }
    }
}

/// The outcome of a call that only queues something: a refusal is not the end
/// of the connection.
fn request(outcome: Outcome<()>) -> Result<(), EngineError> {
    match outcome {
        Outcome::Failed(Error::Ssl(entries)) if entries.is_empty() => {
            Err(Error::local("another handshake message waits to be sent").into())
        }
        Outcome::Failed(error) => Err(error.into()),
        _ => Ok(()),
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.unplug();
    }
}
