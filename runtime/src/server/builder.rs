//! A server on several threads: what it is made of, and running it.

use super::balance::{self, Balance};
use super::bind::Bound;
use super::handle::{Counted, ServerHandle};
use super::report::{Counters, ServerReport};
use super::serve::{end_of, serve_at};
use super::site::Site;
use super::{Connection, Limits, Listener};
use crate::net::{TcpListener, TcpStream};
use crate::signal;
use crate::tasklet::{TaskletResult, set_max_tasklets};
use crate::thread::{Shutdown, Workers};
use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections the kernel queues before they are accepted; it lowers this to its
/// own limit.
const BACKLOG: i32 = 4096;

/// The time to finish and to clean up, unless another is set.
const DRAIN: Duration = Duration::from_secs(5);
const KILL: Duration = Duration::from_secs(1);

/// A server of TCP connections on several threads; see the
/// [module](crate::server).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::server::Server;
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// let server = Server::new()
///     .bind("127.0.0.1:0")?
///     .workers(2)
///     .max_connections(1000);
/// let handle = server.handle();
/// let client = std::thread::spawn(move || {
///     let mut text = String::new();
///     let mut stream = std::net::TcpStream::connect(handle.addresses()[0]).unwrap();
///     stream.read_to_string(&mut text).unwrap();
///     handle.stop();
///     text
/// });
/// let report = server.run(|mut stream, _, _| stream.write_all(b"hello"))?;
/// assert_eq!(report.total.finished, 1);
/// assert_eq!(client.join().unwrap(), "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a server does nothing until it runs"]
pub struct Server {
    bound: Vec<Bound>,
    backlog: i32,
    workers: usize,
    pinned: bool,
    balance: Balance,
    limits: Limits,
    max_tasklets: Option<usize>,
    shutdown: Shutdown,
    signals: Vec<i32>,
    counted: Counted,
}

impl Server {
    /// A server with a worker for each processor, that listens nowhere yet.
    pub fn new() -> Server {
        Server {
            bound: Vec::new(),
            backlog: BACKLOG,
            workers: std::thread::available_parallelism().map_or(1, NonZero::get),
            pinned: false,
            balance: Balance::default(),
            limits: Limits::new(),
            max_tasklets: None,
            shutdown: Shutdown::with_limits(DRAIN, KILL),
            signals: Vec::new(),
            counted: Counted::default(),
        }
    }

    /// Listens at the first of the addresses that can be had, besides those it has
    /// already. From now on the kernel queues connections there.
    ///
    /// # Scheduling
    ///
    /// Never switches: a name is looked up by std, which blocks the thread.
    ///
    /// # Errors
    ///
    /// The last address' error: `AddrInUse`, also if the socket in use there would
    /// share its port.
    pub fn bind(mut self, address: impl ToSocketAddrs) -> io::Result<Server> {
        self.bound.push(Bound::new(address, self.backlog)?);
        Ok(self)
    }

    /// Takes over a listening socket: one from systemd, say. If it does not share
    /// its port (`SO_REUSEPORT`), [`Balance::ReusePort`] has all workers accept
    /// from its one queue, and whoever looks first gets the connection.
    ///
    /// # Errors
    ///
    /// When it has no address.
    pub fn listener(mut self, listener: net::TcpListener) -> io::Result<Server> {
        self.bound.push(Bound::given(listener, self.backlog)?);
        Ok(self)
    }

    /// How many connections the kernel queues, at addresses that are bound later.
    /// 4096 by default, or what the kernel allows.
    pub fn backlog(mut self, connections: u32) -> Server {
        self.backlog = i32::try_from(connections).unwrap_or(i32::MAX);
        self
    }

    /// How many threads serve, at least one. By default as many as there are
    /// processors.
    pub fn workers(mut self, count: usize) -> Server {
        self.workers = count.max(1);
        self
    }

    /// Ties each worker to a processor, as [`Workers::pinned`] does.
    pub fn pinned(mut self, on: bool) -> Server {
        self.pinned = on;
        self
    }

    /// How connections get to the workers.
    pub fn balance(mut self, balance: Balance) -> Server {
        self.balance = balance;
        self
    }

    /// How many connections there may be; more wait in the kernel's queue.
    /// No limit by default.
    ///
    /// With [`Balance::ReusePort`] each worker has an equal share of at least one.
    /// Several listeners of a worker share it; those that can't tell whether somebody
    /// connects ([`Listener::TELLS_PENDING`]) keep a place each to accept into, and the
    /// share is no less than their number.
    pub fn max_connections(mut self, count: usize) -> Server {
        self.limits = self.limits.max_connections(count);
        self
    }

    /// How many tasklets each worker may have; see [`set_max_tasklets`]. Those of the
    /// server count, too: one for each listener and each connection. A connection
    /// for which there is none is closed.
    pub fn max_tasklets(mut self, count: usize) -> Server {
        self.max_tasklets = Some(count);
        self
    }

    /// How long one connection may last; see [`Limits::connection_timeout`].
    pub fn connection_timeout(mut self, limit: Duration) -> Server {
        self.limits = self.limits.connection_timeout(limit);
        self
    }

    /// How long a connection may rest at a time; see [`Connection::rest`].
    pub fn rest_limit(mut self, limit: Duration) -> Server {
        self.limits = self.limits.rest_limit(limit);
        self
    }

    /// Stacks of the connections' tasklets; see [`Limits::stack_size`].
    pub fn stack_size(mut self, bytes: usize) -> Server {
        self.limits = self.limits.stack_size(bytes);
        self
    }

    /// How long connections may finish once the server is to stop; 5 seconds by
    /// default.
    pub fn drain_limit(self, limit: Duration) -> Server {
        self.shutdown.set_limits(|limits| limits.0 = limit);
        self
    }

    /// How long, after that, those that were killed may take to clean up; 1 second
    /// by default.
    pub fn kill_limit(self, limit: Duration) -> Server {
        self.shutdown.set_limits(|limits| limits.1 = limit);
        self
    }

    /// Stops when one of these signals arrives, and exits the process at once when
    /// another does; see [`signal::stop_on`].
    pub fn stop_on(mut self, signals: &[i32]) -> Server {
        self.signals.extend_from_slice(signals);
        self
    }

    /// The server seen from elsewhere: from other threads, and from its handlers.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle {
            addresses: self.bound.iter().map(Bound::address).collect(),
            shutdown: self.shutdown.clone(),
            counted: self.counted.clone(),
        }
    }

    /// Serves until the server is to stop, each connection by a call of `handler`
    /// in a tasklet of its own. The tasklets that handlers leave behind are killed
    /// with the last connection; see [`Connection`] for those that are not to be.
    ///
    /// # Scheduling
    ///
    /// Blocks the calling OS thread until every worker has ended.
    ///
    /// # Cancellation
    ///
    /// None: no tasklet of this thread runs meanwhile, so nobody can kill the caller.
    ///
    /// # Errors
    ///
    /// When a socket or a thread can't be had, or a worker fails. The others are
    /// stopped then: half a server would look like a slow one. `InvalidInput` when no
    /// address is bound.
    pub fn run<H, R>(mut self, handler: H) -> io::Result<ServerReport>
    where
        H: Fn(TcpStream, SocketAddr, &Connection) -> R + Send + Sync + 'static,
        R: TaskletResult,
    {
        match self.balance {
            Balance::ReusePort => self.run_with(Ok, handler),
            Balance::Acceptor => {
                let bound = self.take_bound()?;
                self.run_acceptor(bound, handler)
            }
        }
    }

    /// As [`run`](Server::run), with the listeners of each worker made into others
    /// on its thread: into TLS listeners, say.
    ///
    /// # Scheduling
    ///
    /// As [`run`](Server::run).
    ///
    /// # Cancellation
    ///
    /// As [`run`](Server::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Server::run); `Unsupported` with [`Balance::Acceptor`], which
    /// hands plain connections over: wrap the stream in the handler instead.
    pub fn run_with<L, M, H, R>(mut self, make: M, handler: H) -> io::Result<ServerReport>
    where
        L: Listener + 'static,
        M: Fn(TcpListener) -> io::Result<L> + Send + Sync,
        H: Fn(L::Stream, L::Address, &Connection) -> R + Send + Sync + 'static,
        R: TaskletResult,
    {
        if self.balance == Balance::Acceptor {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "an acceptor hands plain connections over",
            ));
        }
        let shares = shares(self.take_bound()?, self.workers)?;
        self.run_workers(
            |index| {
                let sockets = shares[index].lock();
                let sockets = std::mem::take(&mut *sockets.unwrap_or_else(PoisonError::into_inner));
                let listeners = sockets.into_iter();
                let listeners = listeners.map(|socket| make(TcpListener::from_std(socket)?));
                listeners.collect()
            },
            handler,
        )
    }

    /// As [`run`](Server::run), with a listener of any kind, made by each worker on
    /// its thread: `make` is given the worker's number. Addresses that were bound
    /// are not used.
    ///
    /// # Scheduling
    ///
    /// As [`run`](Server::run).
    ///
    /// # Cancellation
    ///
    /// As [`run`](Server::run).
    ///
    /// # Errors
    ///
    /// As [`run`](Server::run), and those of `make`.
    pub fn run_on<L, M, H, R>(self, make: M, handler: H) -> io::Result<ServerReport>
    where
        L: Listener + 'static,
        M: Fn(usize) -> io::Result<L> + Send + Sync,
        H: Fn(L::Stream, L::Address, &Connection) -> R + Send + Sync + 'static,
        R: TaskletResult,
    {
        self.run_workers(|index| Ok(vec![make(index)?]), handler)
    }

    fn take_bound(&mut self) -> io::Result<Vec<Bound>> {
        if self.bound.is_empty() {
            let nowhere = "the server listens nowhere: bind an address first";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, nowhere));
        }
        Ok(std::mem::take(&mut self.bound))
    }

    fn run_workers<L, M, H, R>(self, make: M, handler: H) -> io::Result<ServerReport>
    where
        L: Listener + 'static,
        M: Fn(usize) -> io::Result<Vec<L>> + Send + Sync,
        H: Fn(L::Stream, L::Address, &Connection) -> R + Send + Sync + 'static,
        R: TaskletResult,
    {
        let handler = Arc::new(handler);
        let counters = Counters::of(self.workers);
        self.run_each(self.workers, counters.clone(), |index| {
            let listeners = make(index)?;
            let least = if L::TELLS_PENDING { 1 } else { listeners.len() };
            let limits = self.share(index, least);
            let site = Site::new(
                index,
                limits,
                self.shutdown.clone(),
                counters[index].clone(),
            );
            serve_at(&site, listeners, &local(&handler))
        })
    }

    fn run_acceptor<H, R>(self, bound: Vec<Bound>, handler: H) -> io::Result<ServerReport>
    where
        H: Fn(TcpStream, SocketAddr, &Connection) -> R + Send + Sync + 'static,
        R: TaskletResult,
    {
        let handler = Arc::new(handler);
        let counters = Counters::of(self.workers);
        let (dealer, parcels) = balance::deal(&counters, &self.limits);
        let parcels: Vec<_> = parcels.into_iter().map(takeable).collect();
        let dealer = takeable((dealer, bound));
        // Its own limit is the acceptor's.
        let limits = Limits {
            max_connections: None,
            ..self.limits.clone()
        };
        self.run_each(self.workers + 1, counters.clone(), |index| {
            if let Some(parcels) = parcels.get(index) {
                let (limits, shutdown) = (limits.clone(), self.shutdown.clone());
                let site = Site::new(index, limits, shutdown, counters[index].clone());
                return balance::serve_dealt(&site, take(parcels)?, &local(&handler));
            }
            let (dealer, bound) = take(&dealer)?;
            let sockets = bound.into_iter().map(Bound::into_socket);
            let listeners = sockets.map(TcpListener::from_std);
            dealer.run(listeners.collect::<io::Result<_>>()?, &self.shutdown)
        })
    }

    /// Runs `work` on so many threads. When one ends, all are to.
    fn run_each(
        &self,
        threads: usize,
        counters: Vec<Arc<Counters>>,
        work: impl Fn(usize) -> io::Result<()> + Send + Sync,
    ) -> io::Result<ServerReport> {
        signal::stop_on(&self.signals, &self.shutdown)?;
        let report = || ServerReport::of(&counters);
        let _ = self.counted.set(counters.clone());
        // Their own shutdown stays untriggered: it would wait for every tasklet,
        // where this is about connections.
        let workers = Workers::new(threads).pinned(self.pinned);
        let results = workers.try_run(|worker| {
            let _leaving = Leaving(&self.shutdown);
            set_max_tasklets(self.max_tasklets);
            work(worker.index())?;
            end_of(self.shutdown.kill_rest().map(drop))
        })?;
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(result) => result?,
                Err(_) => return Err(io::Error::other(format!("worker {index} panicked"))),
            }
        }
        Ok(report())
    }

    /// What worker `index` may have of all connections.
    fn share(&self, index: usize, least: usize) -> Limits {
        let mut limits = self.limits.clone();
        limits.max_connections = limits.max_connections.map(|most| {
            let extra = usize::from(index < most % self.workers);
            (most / self.workers + extra).max(least).max(1)
        });
        limits
    }
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

/// The sockets of each worker.
fn shares(bound: Vec<Bound>, workers: usize) -> io::Result<Vec<Mutex<Vec<net::TcpListener>>>> {
    let mut shares: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
    for bound in bound {
        let sockets = bound.spread(workers)?;
        for (share, socket) in shares.iter_mut().zip(sockets) {
            share.push(socket);
        }
    }
    Ok(shares.into_iter().map(Mutex::new).collect())
}

/// A handler for one thread.
fn local<S, A, R>(
    handler: &Arc<impl Fn(S, A, &Connection) -> R + 'static>,
) -> Rc<impl Fn(S, A, &Connection) -> R + 'static> {
    let handler = handler.clone();
    Rc::new(move |stream: S, address: A, connection: &Connection| {
        handler(stream, address, connection)
    })
}

/// What one thread takes, once.
fn takeable<T>(value: T) -> Mutex<Option<T>> {
    Mutex::new(Some(value))
}

fn take<T>(from: &Mutex<Option<T>>) -> io::Result<T> {
    let taken = from.lock().unwrap_or_else(PoisonError::into_inner).take();
    taken.ok_or_else(|| io::Error::other("taken before"))
}

/// Takes the other workers along when one ends, also by a failure.
struct Leaving<'a>(&'a Shutdown);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.trigger();
    }
}
