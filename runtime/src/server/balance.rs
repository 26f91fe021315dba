//! One acceptor that hands connections to the least loaded worker.
//!
//! ```text
//!   acceptor's thread:  permit -> accept -> the least loaded -> its channel
//!                          ^                                        |
//!                          |                                        v
//!   worker's thread:    connection gone <--- handler <--- watched by this thread
//! ```
//!
//! Permits are the free places of a channel of `()`: the acceptor waits for one by
//! sending, and whoever ends a connection receives. So the limit is one for all
//! workers, and a worker that stalls costs the others none.
//!
//! The channels to the workers have no limit of their own. A worker that does not
//! get on keeps its load, and is passed over from then on.

use super::accept::accept_all;
use super::report::{Counters, End};
use super::serve::{Alarm, Stopping, end_of, end_of_acceptor};
use super::site::{Dealt, Permit, Site};
use super::{Connection, Limits};
use crate::net::{TcpListener, TcpStream};
use crate::tasklet::{Builder, TaskletResult};
use crate::thread::{self, Receiver, Sender, Shutdown};
use crate::time::CancelToken;
use std::cell::Cell;
use std::io;
use std::net::{self, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

/// How connections get to the workers.
///
/// | | [`ReusePort`](Balance::ReusePort) | [`Acceptor`](Balance::Acceptor) |
/// |---|---|---|
/// | who decides | the kernel, by a hash of the addresses | the number of connections |
/// | load | uneven by chance | even |
/// | a worker that stalls | keeps its share of all waiting | keeps those that it has |
/// | costs | nothing | a thread, and a hand-over for each connection |
/// | `max_connections` | a share for each worker | one limit for all |
///
/// The first is for many short connections and handlers that never hold their
/// thread for long, the second for few, long or uneven ones. `docs/serving.md` in
/// the repository has figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Balance {
    /// Each worker has a listener of its own at the same port (`SO_REUSEPORT`),
    /// and the kernel deals connections out when they come.
    #[default]
    ReusePort,
    /// One thread accepts, and hands each connection to the worker that has the
    /// fewest.
    Acceptor,
}

/// A connection on its way to a worker.
pub(super) struct Parcel {
    socket: net::TcpStream,
    address: SocketAddr,
    permit: Dealt,
}

/// The acceptor's end.
pub(super) struct Dealer {
    workers: Vec<(Sender<Parcel>, Arc<Counters>)>,
    /// The channel of permits, if there is a limit.
    permits: Option<(Sender<()>, Receiver<()>)>,
    /// Who is asked first, so that equals take turns.
    turn: Cell<usize>,
}

/// A dealer to be moved to the acceptor's thread, and the workers' ends.
pub(super) fn deal(counters: &[Arc<Counters>], limits: &Limits) -> (Dealer, Vec<Receiver<Parcel>>) {
    let channels = counters.iter().map(|counters| {
        let (sender, receiver) = thread::channel(usize::MAX);
        ((sender, counters.clone()), receiver)
    });
    let (workers, receivers) = channels.unzip();
    let dealer = Dealer {
        workers,
        permits: limits.max_connections.map(thread::channel),
        turn: Cell::new(0),
    };
    (dealer, receivers)
}

impl Dealer {
    /// Accepts and deals until the shutdown. The workers' channels close with it.
    pub(super) fn run(self, listeners: Vec<TcpListener>, shutdown: &Shutdown) -> io::Result<()> {
        let dealer = Rc::new(self);
        let token = CancelToken::new();
        let stopping = Stopping {
            token: &token,
            resting: None,
        };
        let shares_permits = listeners.len() > 1 && dealer.permits.is_some();
        let mut acceptors = Vec::new();
        for listener in listeners {
            let (dealer, token) = (dealer.clone(), token.clone());
            let shutdown = shutdown.clone();
            let acceptor = Builder::new().name("accept").spawn(move || {
                let _alarm = Alarm(&shutdown);
                let hand_over = |stream, address, permit| dealer.hand_over(stream, address, permit);
                let permit = || dealer.permit();
                accept_all(&listener, &token, shares_permits, permit, hand_over);
            })?;
            acceptors.push(acceptor);
        }
        shutdown.wait()?;
        drop(stopping);
        for acceptor in acceptors {
            end_of_acceptor(acceptor)?;
        }
        Ok(())
    }

    fn permit(&self) -> Option<Dealt> {
        let Some((taking, giving_back)) = &self.permits else {
            return Some(Dealt(None));
        };
        taking.send(()).ok()?;
        Some(Dealt(Some(giving_back.clone())))
    }

    fn hand_over(&self, stream: TcpStream, address: SocketAddr, permit: Dealt) {
        let (sender, counters) = self.least_loaded();
        counters.count_accepted();
        let socket = match stream.into_std() {
            Ok(socket) => socket,
            Err(error) => {
                counters.count(End::Refused);
                return log::warn!("greenling: a connection from {address}: {error}");
            }
        };
        let parcel = Parcel {
            socket,
            address,
            permit,
        };
        if sender.try_send(parcel).is_err() {
            // Its worker has failed, and the server is about to stop.
            counters.count(End::Refused);
        }
    }

    fn least_loaded(&self) -> &(Sender<Parcel>, Arc<Counters>) {
        let first = self.turn.get();
        self.turn.set((first + 1) % self.workers.len());
        let (before, after) = self.workers.split_at(first);
        let in_turn = after.iter().chain(before);
        let least = in_turn.min_by_key(|(_, counters)| counters.report().active);
        least.expect("there is a worker")
    }
}

/// Serves what the acceptor hands over, until no connection is left or the time to
/// finish is over.
pub(super) fn serve_dealt<H, R>(
    site: &Rc<Site>,
    parcels: Receiver<Parcel>,
    handler: &Rc<H>,
) -> io::Result<()>
where
    H: Fn(TcpStream, SocketAddr, &Connection) -> R + 'static,
    R: TaskletResult,
{
    let stopping = Stopping::of(site);
    let (here, handler) = (site.clone(), handler.clone());
    // It ends when the acceptor has, so nothing is left in the channel.
    let adopting = Builder::new().name("adopt").spawn(move || {
        for parcel in parcels.iter() {
            adopt(&here, parcel, &handler);
        }
    })?;
    site.shutdown().wait()?;
    drop(stopping);
    end_of(adopting.wait())?;
    end_of(site.wait_for_connections())
}

fn adopt<H, R>(site: &Rc<Site>, parcel: Parcel, handler: &Rc<H>)
where
    H: Fn(TcpStream, SocketAddr, &Connection) -> R + 'static,
    R: TaskletResult,
{
    match TcpStream::from_std(parcel.socket) {
        Ok(stream) => {
            let permit = Permit::Dealt {
                _permit: parcel.permit,
            };
            site.start(stream, parcel.address, permit, handler);
        }
        Err(error) => {
            site.counters().count(End::Refused);
            let address = parcel.address;
            log::warn!("greenling: a connection from {address} can't be watched: {error}");
        }
    }
}
