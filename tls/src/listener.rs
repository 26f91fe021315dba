//! A TCP listener whose connections speak TLS.
//!
//! `accept` returns before the handshake, so a client that is slow to make it
//! holds up nobody: the tasklet that serves the connection makes it, on first use
//! or by [`TlsStream::handshake`]. A handshake costs a hundred times what a
//! request does, and a flood of them would starve the connections that are
//! already served; [`TlsListener::max_handshakes`] caps how many run at once. The
//! excess waits its turn before the first step, within the handshake's deadline.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use greenling::net::{TcpListener, TcpStream, ToSocketAddrs};
use greenling::sync::WaitQueue;

use crate::context::Context;
use crate::engine::Role;
use crate::error::Error;
use crate::stream::TlsStream;
use crate::waits;

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

thread_local! {
    /// The gates of this thread's listeners. A stream is `Send`, so it holds no
    /// pointer to its gate but the number; on another thread it finds none.
    static GATES: RefCell<HashMap<u64, Weak<Gate>>> = RefCell::default();
}

/// Lets a limited number of handshakes through.
struct Gate {
    id: u64,
    max: Cell<usize>,
    inside: Cell<usize>,
    /// Those who were let in and have not run yet count as inside.
    waiting: WaitQueue,
    admitted: Cell<usize>,
    in_line: Cell<usize>,
}

impl Gate {
    fn open() -> Rc<Gate> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let gate = Rc::new(Gate {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            max: Cell::new(usize::MAX),
            inside: Cell::new(0),
            waiting: WaitQueue::new(),
            admitted: Cell::new(0),
            in_line: Cell::new(0),
        });
        // A thread that is ending has no gates: its listener has no limit.
        let _ = GATES.try_with(|gates| gates.borrow_mut().insert(gate.id, Rc::downgrade(&gate)));
        gate
    }

    fn leave(&self) {
        // The place goes straight to the next in line, if there is one.
        if self.waiting.notify_one() {
            self.admitted.set(self.admitted.get() + 1);
        } else {
            self.inside.set(self.inside.get() - 1);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = GATES.try_with(|gates| gates.borrow_mut().remove(&self.id));
    }
}

/// A place inside the gate, for the time of a handshake.
pub(crate) struct Permit(Rc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Waits for a place inside the gate `id`; `None` if there is no such gate on
/// this thread.
pub(crate) fn enter_gate(id: u64, deadline: Option<Instant>) -> Result<Option<Permit>, Error> {
    let find = |gates: &RefCell<HashMap<u64, Weak<Gate>>>| gates.borrow().get(&id)?.upgrade();
    let Some(gate) = GATES.try_with(find).ok().flatten() else {
        return Ok(None);
    };
    if gate.inside.get() < gate.max.get() {
        gate.inside.set(gate.inside.get() + 1);
        return Ok(Some(Permit(gate)));
    }
    gate.in_line.set(gate.in_line.get() + 1);
    let mut place = Place {
        gate: &gate,
        served: false,
    };
    gate.waiting
        .wait(&waits::HANDSHAKE_PERMIT, deadline)
        .map_err(|error| Error::from(io::Error::from(error)))?;
    place.served = true;
    drop(place);
    Ok(Some(Permit(gate)))
}

/// A tasklet in line. If it was admitted and then killed before it ran, its place
/// passes on.
struct Place<'a> {
    gate: &'a Gate,
    served: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let gate = self.gate;
        gate.in_line.set(gate.in_line.get() - 1);
        if self.served {
            gate.admitted.set(gate.admitted.get() - 1);
            return;
        }
        // Those in line who are no longer in the queue were admitted. If that is
        // fewer than were admitted, this one was.
        let gone = gate.in_line.get() - gate.waiting.len();
        if gone < gate.admitted.get() {
            gate.admitted.set(gate.admitted.get() - 1);
            gate.leave();
        }
    }
}
