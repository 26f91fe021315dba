//! One connection between two buffers: the handshake, the data, the end.

use super::bio::Supply;
use super::{MemoryBio, SslError, SslErrorKind};
use crate::bio::RingSizes;
use crate::context::Context;
use crate::engine::{Engine, EngineError, Role, Want};

/// What OpenSSL reads first when it has nothing: the header of a record.
const RECORD_HEADER: usize = 5;

/// A TLS connection between two [`MemoryBio`], Python's `ssl.SSLObject`; made by
/// [`Context::wrap_bio`].
///
/// No method waits. What needs more ciphertext than there is fails with
/// [`SslErrorKind::WantRead`]: send what is in `outgoing`, write what the peer sends to
/// `incoming`, call again.
///
/// As in Python each direction ends on its own: after the peer's `close_notify` reads
/// find nothing and writes still work. An `incoming` that ends without one is an error,
/// and the connection is dead then.
///
/// Python's `SSLContext.sslobject_class`, by which programs exchange this class for one
/// of their own, has no counterpart: put the object into a type of your own instead.
///
/// There is no other way to make one, in Python neither:
///
/// ```compile_fail,E0599
/// let object = greenling_tls::SslObject::new();
/// ```
///
/// `Send` and not `Sync`.
///
/// # Scheduling
///
/// Never switches, except where a method says so. A callback of the context that may
/// wait, a [`resolver`](crate::ContextBuilder::resolver) say, does so inside the call
/// that needs its answer. A kill there loses nothing: the next call asks again.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, MemoryBio, Role, SslError, crypto::TestCa};
///
/// let ca = TestCa::new("example")?;
/// let server = ContextBuilder::server().identity(ca.issue(&["localhost"])?).build()?;
/// let client = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
///
/// // Each one's outgoing buffer is the other's incoming one.
/// let (up, down) = (MemoryBio::new(), MemoryBio::new());
/// let mut client = client.wrap_bio(&down, &up, Role::Client, "localhost")?;
/// let mut server = server.wrap_bio(&up, &down, Role::Server, None)?;
/// while client.do_handshake().is_err() | server.do_handshake().is_err() {}
///
/// client.write(b"hello")?;
/// assert_eq!(server.read(1024)?, b"hello");
/// assert_eq!(server.version(), Some("TLSv1.3"));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "ssl.SSLObject")]
#[doc(alias = "SSLObject")]
#[derive(Debug)]
pub struct SslObject {
    pub(super) engine: Engine,
    incoming: MemoryBio,
    outgoing: MemoryBio,
    /// That it was made of.
    pub(super) context: Context,
    pub(super) hostname: Option<Box<str>>,
    /// The engine knows that `incoming` has ended.
    ended: bool,
}

impl Context {
    /// A connection that reads its ciphertext from `incoming` and writes it to
    /// `outgoing`, Python's `SSLContext.wrap_bio`. `name` is the server that a client
    /// wants to reach; a session to resume is set by
    /// [`SslObject::set_session`](SslObject::set_session).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Ssl`] when the context is for the other role, and
    /// [`SslErrorKind::Value`] when a client's name is missing or malformed, or a server
    /// is given one.
    #[doc(alias = "SSLContext.wrap_bio")]
    #[doc(alias = "SSL_set_bio")]
    pub fn wrap_bio<'a>(
        &self,
        incoming: impl Into<MemoryBio>,
        outgoing: impl Into<MemoryBio>,
        role: Role,
        name: impl Into<Option<&'a str>>,
    ) -> Result<SslObject, SslError> {
        let name = name.into();
        if role != self.role() {
            return Err(SslError::misuse("the context is for the other role"));
        }
        Ok(SslObject {
            engine: Engine::new(self, name, RingSizes::RECORD)?,
            incoming: incoming.into(),
            outgoing: outgoing.into(),
            context: self.clone(),
            hostname: name.map(Box::from),
            ended: false,
        })
    }
}

impl SslObject {
    /// Makes progress with the handshake. Optional: reads and writes do it too.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::WantRead`] until it is done,
    /// [`SslErrorKind::CertVerification`] when the peer's certificate is refused.
    /// The alert for the peer is in `outgoing` then.
    #[doc(alias = "SSL_do_handshake")]
    pub fn do_handshake(&mut self) -> Result<(), SslError> {
        self.check_alive()?;
        self.drive(Engine::handshake)
    }

    /// Reads up to `len` bytes of plaintext, at most one record of them. Empty when
    /// `len` is 0 and when the peer has ended its side.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::WantRead`] when there is nothing yet; [`SslErrorKind::Eof`] when
    /// `incoming` ended without `close_notify`; [`SslErrorKind::ZeroReturn`] when the
    /// peer has ended its side and so have we.
    #[doc(alias = "SSL_read")]
    pub fn read(&mut self, len: usize) -> Result<Vec<u8>, SslError> {
        // A record is not longer, whatever the caller would take.
        let mut data = vec![0; len.min(RECORD_MAX)];
        let n = self.read_into(&mut data)?;
        data.truncate(n);
        Ok(data)
    }

    /// As [`read`](SslObject::read) into `buf`; says how much. 0 when `buf` is empty and
    /// when the peer has ended its side.
    ///
    /// # Errors
    ///
    /// As [`read`](SslObject::read).
    #[doc(alias = "recv_into")]
    pub fn read_into(&mut self, buf: &mut [u8]) -> Result<usize, SslError> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.check_alive()?;
        match self.drive(|engine| engine.read(buf)) {
            Err(error) if error.kind() == SslErrorKind::ZeroReturn && !self.engine.is_closed() => {
                Ok(0)
            }
            result => result,
        }
    }

    /// Encrypts `data`, all of it; says how much that was. Nothing of it is left to be
    /// repeated, since `outgoing` has no bound.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::WantRead`] while the handshake is not done. After our own
    /// [`unwrap`](SslObject::unwrap) [`SslErrorKind::Ssl`] with the reason
    /// `PROTOCOL_IS_SHUTDOWN`.
    #[doc(alias = "SSL_write")]
    pub fn write(&mut self, data: &[u8]) -> Result<usize, SslError> {
        if self.engine.is_closed() {
            return Err(SslError::refused(
                "PROTOCOL_IS_SHUTDOWN",
                "write after close_notify was sent",
            ));
        }
        self.check_alive()?;
        if !self.engine.is_established() {
            // Also without data, as SSL_write(3) does.
            self.drive(Engine::handshake)?;
        }
        let mut written = 0;
        while written < data.len() {
            match self.drive(|engine| engine.write(&data[written..])) {
                Ok(n) => written += n,
                // A renegotiation, or an end; the next call meets it again.
                Err(_) if written > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Ends the connection in both directions: sends our `close_notify`, once, and looks
    /// for the peer's. What is in `incoming` behind that is no longer TLS.
    ///
    /// As in Python, data of the peer's that was not read makes it fail with
    /// `APPLICATION_DATA_AFTER_CLOSE_NOTIFY`, and the connection is dead then. So read
    /// until there is nothing more before, or use
    /// [`TlsStream::unwrap`](crate::TlsStream::unwrap), which discards such data.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::WantRead`] until the peer's `close_notify` is there. While a
    /// handshake is under way and on a dead connection, [`SslErrorKind::Ssl`] with the
    /// reason `SHUTDOWN_WHILE_IN_INIT`.
    #[doc(alias = "SSL_shutdown")]
    pub fn unwrap(&mut self) -> Result<(), SslError> {
        if !self.engine.is_established() || self.engine.failure().is_some() {
            return Err(SslError::refused(
                "SHUTDOWN_WHILE_IN_INIT",
                "there is no connection to end",
            ));
        }
        self.drive(Engine::shutdown)?;
        self.drive(Engine::await_close_notify)
    }

    /// Calls what an [`Engine`] can do and Python has no name for: secrets to export,
    /// key updates, options of one connection. What that has to send is in `outgoing`
    /// afterwards; what it needs of `incoming`, only the other methods take from there.
    pub fn with_engine<R>(&mut self, f: impl FnOnce(&mut Engine) -> R) -> R {
        let step = Step {
            engine: &mut self.engine,
            outgoing: &self.outgoing,
        };
        f(step.engine)
    }

    /// Python answers every call on a dead connection in this way.
    fn check_alive(&self) -> Result<(), SslError> {
        match self.engine.failure() {
            Some(earlier) => Err(SslError::of_dead(earlier)),
            None => Ok(()),
        }
    }

    /// Repeats `call` while it wants input and there is some.
    fn drive<T>(
        &mut self,
        mut call: impl FnMut(&mut Engine) -> Result<T, EngineError>,
    ) -> Result<T, SslError> {
        loop {
            let step = Step {
                engine: &mut self.engine,
                outgoing: &self.outgoing,
            };
            match call(step.engine) {
                Err(EngineError::Want(Want::Read)) => {
                    drop(step);
                    if !self.receive() {
                        return Err(SslError::of_kind(SslErrorKind::WantRead));
                    }
                }
                Err(EngineError::Want(Want::App)) => {
                    drop(step);
                    self.decide()?;
                }
                Ok(value) => return Ok(value),
                Err(error) => return Err(SslError::from(error).about(self.hostname.as_deref())),
            }
        }
    }

    /// Asks the context's callback what the handshake waits for, outside of OpenSSL.
    fn decide(&mut self) -> Result<(), SslError> {
        let Some(question) = self.engine.question() else {
            // A callback that the program has set by itself.
            return Err(SslError::from(EngineError::Want(Want::App)));
        };
        let answer = question.decide();
        Ok(self.engine.answer(answer)?)
    }

    /// Gives OpenSSL what it last looked for; says whether anything is new to it.
    fn receive(&mut self) -> bool {
        let wanted = match self.engine.read_request() {
            // The engine knew without asking that nothing is there.
            0 => RECORD_HEADER,
            wanted => wanted,
        };
        match self.incoming.supply(wanted, |data| self.engine.feed(data)) {
            Supply::Bytes(_) => true,
            Supply::Nothing => false,
            Supply::End => {
                let new = !self.ended;
                self.ended = true;
                self.engine.close_in();
                new
            }
        }
    }
}

/// The longest plaintext of a record (RFC 8446, section 5.1).
const RECORD_MAX: usize = 16 * 1024;

/// One call into the engine, behind which everything that is to be sent goes to the
/// outgoing buffer: also the alert of a callback that panicked.
struct Step<'a> {
    engine: &'a mut Engine,
    outgoing: &'a MemoryBio,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        loop {
            let data = self.engine.out_data();
            let n = data.len();
            if n == 0 {
                return;
            }
            self.outgoing.append(data);
            self.engine.consume_out(n);
        }
    }
}
