//! A listener whose connections speak TLS.
//!
//! `accept` returns before the handshake, so a client that is slow to make it
//! holds up nobody: the tasklet that serves the connection makes it, on first use
//! or by [`TlsStream::handshake`]. A handshake costs a hundred times what a
//! request does, and a flood of them would starve the connections that are
//! already served; [`TlsListener::max_handshakes`] caps how many run at once. The
//! excess waits its turn before the first step, within the handshake's deadline.
//!
//! ```text
//!   accept --> connection --first use, on its own tasklet--+
//!                                                          v
//!      before_handshake: PROXY header, ... --> gate --> handshake --> data
//! ```

mod gate;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use greenling::net::{TcpListener, ToSocketAddrs};
use greenling::server::Listener;

use crate::context::Context;
use crate::engine::Role;
use crate::error::Error;
use crate::proxy::ProxyProtocol;
use crate::stream::{Arrival, Hook, TlsStream};
use crate::transport::Transport;

use gate::Gate;
pub(crate) use gate::{Permit, enter_gate};

/// Accepts TLS connections.
///
/// To admit only clients with a certificate (mTLS), give the context
/// [`client_auth`](crate::ContextBuilder::client_auth) and the authority that issues
/// them by one of the `trust_` options. With [`ClientAuth::Required`](crate::ClientAuth)
/// nobody else gets past the handshake. Make it, by [`TlsStream::handshake`], before
/// anything is decided by who the client is: only then the stream knows.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::{ContextBuilder, TlsListener, TlsStream, crypto};
/// use std::io::{Read, Write};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # greenling::enter(|| {
/// let ca = crypto::TestCa::new("example")?;
/// let context = ContextBuilder::server().identity(ca.issue(&["localhost"])?).build()?;
/// let listener = TlsListener::bind("127.0.0.1:0", &context)?;
/// let address = listener.local_addr()?;
/// greenling::spawn(move || {
///     let (mut stream, _) = listener.accept().unwrap();
///     stream.write_all(b"hello").unwrap();
///     stream.close().unwrap();
/// });
///
/// let context = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
/// let tcp = greenling::net::TcpStream::connect(address)?;
/// let mut stream = TlsStream::connect(&context, "localhost", tcp)?;
/// let mut text = String::new();
/// stream.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok(())
/// # })
/// # }
/// ```
pub struct TlsListener<L: Listener = TcpListener> {
    inner: L,
    context: RefCell<Context>,
    gate: Rc<Gate>,
    hook: Option<Hook<L::Stream>>,
}

impl TlsListener {
    /// Binds to an address.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Cancellation
    ///
    /// The look-up goes on, and its answer is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`]; `InvalidInput` for a client's context.
    #[doc(alias = "listen")]
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs, context: &Context) -> io::Result<TlsListener> {
        TlsListener::from_tcp(TcpListener::bind(address)?, context)
    }

    /// Binds with `SO_REUSEPORT`: each worker binds the same address, and the
    /// kernel deals connections out among them.
    ///
    /// # Scheduling
    ///
    /// Switches only if a name must be looked up.
    ///
    /// # Cancellation
    ///
    /// As [`bind`](TlsListener::bind).
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind_reuseport`]; `InvalidInput` for a client's
    /// context.
    #[track_caller]
    pub fn bind_reuseport(
        address: impl ToSocketAddrs,
        context: &Context,
    ) -> io::Result<TlsListener> {
        TlsListener::from_tcp(TcpListener::bind_reuseport(address)?, context)
    }

    /// Takes over a listener.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client's context.
    pub fn from_tcp(tcp: TcpListener, context: &Context) -> io::Result<TlsListener> {
        TlsListener::over(tcp, context)
    }

    /// Takes connections from proxies that tell whom they are for, before TLS
    /// begins. [`TlsStream::proxied`] tells it once the handshake has begun.
    ///
    /// The header is read as by [`ProxyProtocol::receive`], within the handshake's
    /// deadline, by the tasklet that makes the handshake. Whom the policy refuses,
    /// and who sends something else, is cut off without a word of TLS.
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenling_tls::{Context, ProxyProtocol, TlsListener};
    /// # fn serve(context: &Context) -> Result<(), Box<dyn std::error::Error>> {
    /// let proxies = ProxyProtocol::from_trusted(["10.0.0.0/8", "fd00::/8"])?;
    /// let listener = TlsListener::bind("[::]:443", context)?.proxy_protocol(proxies);
    /// let (stream, peer) = listener.accept()?;
    /// greenling::spawn(move || {
    ///     stream.handshake()?;
    ///     let client = stream.proxied().and_then(|header| header.source());
    ///     println!("{} by way of {peer}", client.unwrap_or(peer));
    ///     stream.close()
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn proxy_protocol(self, proxies: ProxyProtocol) -> TlsListener {
        self.before_handshake(move |arrival| {
            if let Some(header) = proxies.receive(arrival.socket())? {
                arrival.set_proxied(header);
            }
            Ok(())
        })
    }

    /// The address it is bound to.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Wakes every waiting acceptor with an error; the descriptor is released on
    /// drop.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl<L: Listener<Stream: Transport>> TlsListener<L> {
    /// Speaks TLS on the connections of any listener: of a
    /// [`UnixListener`](greenling::net::UnixListener), say.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a client's context.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::net::{UnixListener, UnixStream};
    /// use greenling_tls::{ContextBuilder, TlsListener, TlsStream, crypto};
    /// use std::io::{Read, Write};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("socket");
    /// # greenling::enter(|| {
    /// let ca = crypto::TestCa::new("example")?;
    /// let context = ContextBuilder::server().identity(ca.issue(&["localhost"])?).build()?;
    /// let listener = TlsListener::over(UnixListener::bind(&path)?, &context)?;
    /// let serving = greenling::spawn(move || {
    ///     let (mut stream, _) = listener.accept()?;
    ///     stream.write_all(b"hello")?;
    ///     stream.close().map_err(std::io::Error::from)
    /// });
    ///
    /// let context = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
    /// let unix = UnixStream::connect(&path)?;
    /// let mut stream = TlsStream::connect(&context, "localhost", unix)?;
    /// let mut text = String::new();
    /// stream.read_to_string(&mut text)?;
    /// assert_eq!(text, "hello");
    /// # drop(stream);
    /// # serving.join().unwrap()?;
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    pub fn over(listener: L, context: &Context) -> io::Result<TlsListener<L>> {
        check_role(context)?;
        Ok(TlsListener {
            inner: listener,
            context: RefCell::new(context.clone()),
            gate: Gate::open(),
            hook: None,
        })
    }

    /// Waits for a connection. The handshake is still to be made; its deadline
    /// is the context's and begins with its first step.
    ///
    /// # Scheduling
    ///
    /// Switches unless a connection waits.
    ///
    /// # Cancellation
    ///
    /// No connection is lost.
    ///
    /// # Errors
    ///
    /// Those of the listener, such as [`TcpListener::accept`].
    #[doc(alias = "SSL_accept")]
    #[track_caller]
    pub fn accept(&self) -> io::Result<(TlsStream<L::Stream>, L::Address)> {
        let (transport, peer) = self.inner.accept()?;
        Ok((self.begin(transport), peer))
    }

    /// The connection's stream, whose handshake is still to be made.
    fn begin(&self, transport: L::Stream) -> TlsStream<L::Stream> {
        let stream = TlsStream::start_accept(&self.context.borrow(), transport);
        stream.set_gate(self.gate.id);
        if let Some(hook) = &self.hook {
            stream.set_hook(hook.clone());
        }
        stream
    }

    /// Serves later connections by another context: a renewed certificate, say.
    /// Connections that were accepted before keep theirs, those included that have
    /// not made their handshakes yet. Nobody is refused in between.
    ///
    /// Tickets are sealed with keys of the context. So clients of the old one make
    /// a full handshake when they come back, and see the new certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] for a client's context.
    pub fn set_context(&self, context: &Context) -> Result<(), Error> {
        check_role(context)?;
        self.context.replace(context.clone());
        Ok(())
    }

    /// Caps how many handshakes of this listener's connections run at once.
    /// No limit by default.
    ///
    /// # Panics
    ///
    /// Panics if `max` is 0.
    #[must_use]
    pub fn max_handshakes(self, max: usize) -> TlsListener<L> {
        assert!(
            max > 0,
            "with no handshake allowed no connection could ever be used"
        );
        self.gate.max.set(max);
        self
    }

    /// Calls `hook` with each new connection before TLS begins: to look at the
    /// peer's address, or to read what precedes TLS.
    ///
    /// It runs at the first step of the handshake, on the tasklet that makes it,
    /// and not in `accept`; until then the connection costs a descriptor only. It
    /// may block, within the handshake's deadline, and does not count as one of
    /// the [`max_handshakes`](TlsListener::max_handshakes) meanwhile. What it has
    /// read of TLS it gives back by [`Arrival::unread`]. An error refuses the
    /// connection: the socket is shut down, and every operation of the stream
    /// fails with that error. So does a wait that the time limit of a read ends.
    /// Several hooks run in the order in which they were set.
    ///
    /// A stream in non-blocking mode, or one used by futures, cannot run it: make
    /// the handshake first.
    ///
    /// # Examples
    ///
    /// ```
    /// # use greenling_tls::{Context, TlsListener};
    /// # fn serve(context: &Context) -> std::io::Result<()> {
    /// let listener = TlsListener::bind("[::]:443", context)?.before_handshake(|arrival| {
    ///     let peer = arrival.socket().peer_addr()?;
    ///     if peer.ip().is_multicast() {
    ///         return Err(std::io::ErrorKind::PermissionDenied.into());
    ///     }
    ///     Ok(())
    /// });
    /// # drop(listener);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn before_handshake(
        mut self,
        hook: impl Fn(&mut Arrival<'_, L::Stream>) -> io::Result<()> + Send + Sync + 'static,
    ) -> TlsListener<L> {
        self.hook = Some(match self.hook.take() {
            None => Arc::new(hook),
            Some(earlier) => Arc::new(move |arrival| {
                earlier(arrival)?;
                hook(arrival)
            }),
        });
        self
    }

    /// The listener underneath.
    pub fn get_ref(&self) -> &L {
        &self.inner
    }
}

/// For servers of connections that still have to make their handshakes, which the
/// handler's first read or write does.
impl<L: Listener<Stream: Transport>> Listener for TlsListener<L> {
    type Stream = TlsStream<L::Stream>;
    type Address = L::Address;

    const TELLS_PENDING: bool = L::TELLS_PENDING;

    fn wait_pending(&self) -> io::Result<()> {
        self.inner.wait_pending()
    }

    fn try_accept(&self) -> io::Result<(Self::Stream, Self::Address)> {
        let (transport, peer) = self.inner.try_accept()?;
        Ok((self.begin(transport), peer))
    }

    #[track_caller]
    fn accept(&self) -> io::Result<(Self::Stream, Self::Address)> {
        TlsListener::accept(self)
    }
}

fn check_role(context: &Context) -> Result<(), Error> {
    match context.role() {
        Role::Server => Ok(()),
        Role::Client => Err(Error::local("a listener needs a server's context")),
    }
}

impl<L: Listener + fmt::Debug> fmt::Debug for TlsListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsListener")
            .field("inner", &self.inner)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
