//! A TCP listener whose connections speak TLS.
//!
//! `accept` returns before the handshake, so a client that is slow to make it
//! holds up nobody: the tasklet that serves the connection makes it, on first use
//! or by [`TlsStream::handshake`]. A handshake costs a hundred times what a
//! request does, and a flood of them would starve the connections that are
//! already served; [`TlsListener::max_handshakes`] caps how many run at once. The
//! excess waits its turn before the first step, within the handshake's deadline.

mod gate;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use greenling::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::context::Context;
use crate::engine::Role;
use crate::error::Error;
use crate::stream::TlsStream;

use gate::Gate;
pub(crate) use gate::{Permit, enter_gate};

/// Accepts TLS connections.
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
/// let ca = crypto::LocalCa::new("example")?;
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
pub struct TlsListener {
    tcp: TcpListener,
    context: RefCell<Context>,
    gate: Rc<Gate>,
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
        check_role(context)?;
        Ok(TlsListener {
            tcp,
            context: RefCell::new(context.clone()),
            gate: Gate::open(),
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
    /// Those of [`TcpListener::accept`].
    #[doc(alias = "SSL_accept")]
    #[track_caller]
    pub fn accept(&self) -> io::Result<(TlsStream<TcpStream>, SocketAddr)> {
        let (tcp, peer) = self.tcp.accept()?;
        let stream = TlsStream::start_accept(&self.context.borrow(), tcp);
        stream.set_gate(self.gate.id);
        Ok((stream, peer))
    }

    /// Serves later connections by another context: a renewed certificate, say.
    /// Connections that were accepted before keep theirs.
    ///
    /// # Scheduling
    ///
    /// Never switches.
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
    pub fn max_handshakes(self, max: usize) -> TlsListener {
        assert!(
            max > 0,
            "with no handshake allowed no connection could ever be used"
        );
        self.gate.max.set(max);
        self
    }

    /// The address it is bound to.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Wakes every waiting acceptor with an error; the descriptor is released on
    /// drop.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn close(&self) {
        self.tcp.close();
    }

    /// The listener underneath.
    pub fn get_ref(&self) -> &TcpListener {
        &self.tcp
    }
}

/// For servers of connections that still have to make their handshakes, which the
/// handler's first read or write does.
impl greenling::server::Listener for TlsListener {
    type Stream = TlsStream<TcpStream>;
    type Address = SocketAddr;

    #[track_caller]
    fn accept(&self) -> io::Result<(TlsStream<TcpStream>, SocketAddr)> {
        TlsListener::accept(self)
    }
}

fn check_role(context: &Context) -> Result<(), Error> {
    match context.role() {
        Role::Server => Ok(()),
        Role::Client => Err(Error::local("a listener needs a server's context")),
    }
}

impl fmt::Debug for TlsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsListener")
            .field("tcp", &self.tcp)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
