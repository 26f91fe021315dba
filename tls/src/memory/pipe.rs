//! The state machine that Python's `asyncio` and `gruvi` put around a connection
//! between two buffers.

use std::fmt;

use super::{MemoryBio, SslError, SslErrorKind, SslObject};
use crate::context::Context;
use crate::engine::Role;

/// The most that is read at once.
const MAX_SIZE: usize = 256 * 1024;

/// How far an [`SslPipe`] is.
///
/// ```text
///   Unwrapped -- do_handshake --> DoHandshake -- done --> Wrapped
///       ^                              |                     |
///       |                              +----- shutdown ------+
///       +--- the peer's close_notify ------- Shutdown <------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PipeState {
    /// No TLS: data passes as it is. Also after the end of TLS.
    Unwrapped,
    /// The handshake is under way.
    DoHandshake,
    /// TLS.
    Wrapped,
    /// Waits for the peer's `close_notify`.
    Shutdown,
}

/// Data in pieces, in order: ciphertext for the network or plaintext for the
/// application, as an [`SslPipe`] gives it.
pub type Pieces = Vec<Vec<u8>>;

/// What a handshake's end is told to.
type HandshakeCallback = Box<dyn FnOnce(Result<(), &SslError>) + Send>;

/// What the end of TLS is told to.
type ShutdownCallback = Box<dyn FnOnce() + Send>;

/// A protocol's side of TLS: takes what the network and the application have, and says
/// what each of them is to get. The `_SSLPipe` of `asyncio` up to 3.10, and `gruvi`'s.
///
/// It can be put between a network and an application before TLS begins and stay there
/// after it has ended: data passes unchanged then (`STARTTLS`).
///
/// [`Pieces`] of *ssldata* are ciphertext for the network; those of *appdata* are plaintext
/// for the application, where an empty one means that the peer has ended its side.
///
/// # Scheduling
///
/// Never switches, except where a method says so. A callback of the context that may
/// wait does so inside the call that needs its answer, as with an [`SslObject`].
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, Role, SslPipe, crypto::TestCa};
///
/// let ca = TestCa::new("example")?;
/// let server = ContextBuilder::server().identity(ca.issue(&["localhost"])?).build()?;
/// let client = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
/// let mut server = SslPipe::new(&server, Role::Server, None);
/// let mut client = SslPipe::new(&client, Role::Client, "localhost");
///
/// server.do_handshake(|_| {})?;
/// let mut to_server = client.do_handshake(|done| println!("connected: {done:?}"))?.concat();
/// while !(client.wrapped() && server.wrapped()) {
///     let (to_client, _) = server.feed_ssldata(&to_server, false)?;
///     to_server = client.feed_ssldata(&to_client.concat(), false)?.0.concat();
/// }
/// let (ssldata, taken) = client.feed_appdata(b"hello", 0)?;
/// assert_eq!(taken, 5);
/// let (_, appdata) = server.feed_ssldata(&ssldata.concat(), false)?;
/// assert_eq!(appdata, [b"hello"]);
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "_SSLPipe")]
pub struct SslPipe {
    context: Context,
    role: Role,
    hostname: Option<String>,
    state: PipeState,
    incoming: MemoryBio,
    outgoing: MemoryBio,
    object: Option<SslObject>,
    need_ssldata: bool,
    handshake_done: Option<HandshakeCallback>,
    shutdown_done: Option<ShutdownCallback>,
}

impl SslPipe {
    /// A pipe without TLS yet. `name` is the server that a client wants to reach.
    pub fn new<'a>(context: &Context, role: Role, name: impl Into<Option<&'a str>>) -> SslPipe {
        SslPipe {
            context: context.clone(),
            role,
            hostname: name.into().map(str::to_owned),
            state: PipeState::Unwrapped,
            incoming: MemoryBio::new(),
            outgoing: MemoryBio::new(),
            object: None,
            need_ssldata: false,
            handshake_done: None,
            shutdown_done: None,
        }
    }

    /// The context for the connection.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The connection; `None` without TLS.
    pub fn ssl_object(&self) -> Option<&SslObject> {
        self.object.as_ref()
    }

    /// How far it is.
    pub fn state(&self) -> PipeState {
        self.state
    }

    /// Whether the last call stopped for want of data from the network.
    pub fn need_ssldata(&self) -> bool {
        self.need_ssldata
    }

    /// Whether data is encrypted now: not during the handshake, nor once the end has
    /// begun.
    pub fn wrapped(&self) -> bool {
        self.state == PipeState::Wrapped
    }

    /// Starts the handshake; returns what is to be sent. `callback` is told how it ends.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`] when TLS is in force already or the name cannot be used,
    /// and as [`Context::wrap_bio`].
    pub fn do_handshake(
        &mut self,
        callback: impl FnOnce(Result<(), &SslError>) + Send + 'static,
    ) -> Result<Pieces, SslError> {
        if self.state != PipeState::Unwrapped {
            return Err(SslError::value("handshake in progress or completed"));
        }
        self.object = Some(self.context.wrap_bio(
            &self.incoming,
            &self.outgoing,
            self.role,
            self.hostname.as_deref(),
        )?);
        self.state = PipeState::DoHandshake;
        self.handshake_done = Some(Box::new(callback));
        let (ssldata, _) = self.feed_ssldata(b"", true)?;
        Ok(ssldata)
    }

    /// Starts the end of TLS; returns what is to be sent. `callback` is called when the
    /// peer has ended its side too, and data passes unchanged from then on.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`] without TLS or when the end has begun, and as
    /// [`SslObject::unwrap`]: data of the peer's that was fed and not returned yet is
    /// such an error.
    pub fn shutdown(
        &mut self,
        callback: impl FnOnce() + Send + 'static,
    ) -> Result<Pieces, SslError> {
        match self.state {
            PipeState::Unwrapped => return Err(SslError::value("no security layer present")),
            PipeState::Shutdown => return Err(SslError::value("shutdown in progress")),
            PipeState::DoHandshake | PipeState::Wrapped => {}
        }
        self.state = PipeState::Shutdown;
        self.shutdown_done = Some(Box::new(callback));
        let (ssldata, _) = self.feed_ssldata(b"", false)?;
        Ok(ssldata)
    }

    /// The network has ended.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Eof`] when the peer has not said goodbye before.
    pub fn feed_eof(&mut self) -> Result<(), SslError> {
        self.incoming.write_eof();
        self.feed_ssldata(b"", false)?;
        Ok(())
    }

    /// Takes `data` from the network, also none; returns what is to be sent, and what the
    /// application is to get. With `only_handshake` it stops when the handshake is done,
    /// so that the application can be told before its first data is read.
    ///
    /// # Errors
    ///
    /// When the connection fails. What is to be sent all the same, an alert, is in
    /// [`take_ssldata`](SslPipe::take_ssldata).
    pub fn feed_ssldata(
        &mut self,
        data: &[u8],
        only_handshake: bool,
    ) -> Result<(Pieces, Pieces), SslError> {
        if self.state == PipeState::Unwrapped {
            return Ok((Vec::new(), pieces(data.to_vec())));
        }
        self.need_ssldata = false;
        if !data.is_empty() {
            self.incoming.write(data)?;
        }
        let mut appdata = Vec::new();
        match self.advance(only_handshake, &mut appdata) {
            Ok(()) => {}
            Err(error) if error.kind() == SslErrorKind::WantRead => self.need_ssldata = true,
            Err(error) => {
                if let Some(callback) = self.handshake_done.take() {
                    callback(Err(&error));
                }
                return Err(error);
            }
        }
        Ok((self.take_ssldata(), appdata))
    }

    /// Takes `data` from `offset` on from the application; returns what is to be sent,
    /// and up to where it was taken. Not to the end while the handshake is under way, nor
    /// once the end of TLS has begun: feed the rest again later.
    ///
    /// # Panics
    ///
    /// When `offset` is beyond the end.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub fn feed_appdata(
        &mut self,
        data: &[u8],
        offset: usize,
    ) -> Result<(Pieces, usize), SslError> {
        let rest = &data[offset..];
        let Some(object) = &mut self.object else {
            return Ok((pieces(rest.to_vec()), data.len()));
        };
        self.need_ssldata = false;
        let mut taken = offset;
        if !rest.is_empty() {
            match object.write(rest) {
                Ok(n) => taken += n,
                Err(error)
                    if error.kind() == SslErrorKind::WantRead
                        || error.reason().as_deref() == Some("PROTOCOL_IS_SHUTDOWN") =>
                {
                    self.need_ssldata = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok((self.take_ssldata(), taken))
    }

    /// What is to be sent and was not returned because a call failed.
    pub fn take_ssldata(&mut self) -> Pieces {
        pieces(self.outgoing.read(None))
    }

    /// Goes as far as the data from the network allows.
    fn advance(&mut self, only_handshake: bool, appdata: &mut Pieces) -> Result<(), SslError> {
        let Some(object) = &mut self.object else {
            return Ok(());
        };
        if self.state == PipeState::DoHandshake {
            object.do_handshake()?;
            self.state = PipeState::Wrapped;
            if let Some(callback) = self.handshake_done.take() {
                callback(Ok(()));
            }
            if only_handshake {
                return Ok(());
            }
        }
        if self.state == PipeState::Wrapped {
            loop {
                let chunk = object.read(MAX_SIZE)?;
                let ended = chunk.is_empty();
                appdata.push(chunk);
                if ended {
                    return Ok(());
                }
            }
        }
        object.unwrap()?;
        self.object = None;
        self.state = PipeState::Unwrapped;
        // What follows the peer's goodbye is not TLS.
        appdata.extend(pieces(self.incoming.read(None)));
        if let Some(callback) = self.shutdown_done.take() {
            callback();
        }
        Ok(())
    }
}

impl fmt::Debug for SslPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SslPipe")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("need_ssldata", &self.need_ssldata)
            .finish_non_exhaustive()
    }
}

/// No piece if there is nothing: an empty one has a meaning.
fn pieces(data: Vec<u8>) -> Pieces {
    if data.is_empty() {
        Vec::new()
    } else {
        vec![data]
    }
}
