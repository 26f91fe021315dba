//! Connections that wait for their peers without a tasklet.
//!
//! A tasklet that waits holds a page or two of stack. For a connection that is
//! kept open between requests that is more than what its socket and its server
//! know of it. So a handler that has waited for a while leaves what it needs to
//! go on in a closure, and ends; the closure runs on a new tasklet when there is
//! something to read.
//!
//! ```text
//!   handler --until_readable--> sleepers, by number = by deadline
//!                                  |    ^                 |
//!    reactor --waker--> rung ------+----|-> watcher ------+--> a tasklet goes on
//!                                  the first deadline
//! ```
//!
//! The watcher is a tasklet that exists while somebody rests. Should it be killed,
//! as at the end of its thread, those who rest are dropped with it.

use crate::future::{PollReady, block_on, sleep_until};
use crate::inspect::{Rest, RestingPlace, announce_place};
use crate::io::Interest;
use crate::sys::peer_of;
use crate::tasklet::Builder;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::os::fd::RawFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Where connections of one thread lie that wait for their peers without a
/// tasklet. Clones are the same place.
///
/// What a connection needs to go on is moved into a closure, for which a few
/// hundred bytes of the heap suffice, and its tasklet ends; a later one runs the
/// closure. Starting that one costs less than a microsecond, so this is for
/// connections that have been silent for some time already: half a second, say.
/// They are no tasklets meanwhile; dumps and metrics of the thread tell of them all
/// the same.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use greenling::server::{Resting, Roused};
/// use std::io::{Read, Write};
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// /// Sends back what comes, and holds no stack while nothing does.
/// fn echo(stream: Rc<TcpStream>, resting: Resting) {
///     let mut bytes = [0; 1024];
///     while let Ok(count @ 1..) = (&*stream).read(&mut bytes) {
///         if (&*stream).write_all(&bytes[..count]).is_err() {
///             return;
///         }
///         let (socket, again) = (stream.clone(), resting.clone());
///         let rests = resting.until_readable(&*stream, move |roused| {
///             if roused == Roused::Readable {
///                 echo(socket, again);
///             }
///         });
///         if rests.is_ok() {
///             return;
///         }
///     }
/// }
///
/// # fn main() -> std::io::Result<()> {
/// # greenling::enter(|| {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut client = TcpStream::connect(listener.local_addr()?)?;
/// let (stream, _) = listener.accept()?;
/// let resting = Resting::new(Duration::from_secs(60));
/// let handler = resting.clone();
/// greenling::spawn(move || echo(Rc::new(stream), handler));
/// for _ in 0..3 {
///     client.write_all(b"x")?;
///     client.read_exact(&mut [0])?;
/// }
/// assert_eq!(resting.len(), 1);
/// # drop(client);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone)]
pub struct Resting {
    place: Rc<Place>,
}

/// Why a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roused {
    /// There may be something to read, the end or an error included.
    Readable,
    /// The longest time that one may rest has passed.
    TimedOut,
    /// [`Resting::rouse_all`] was called.
    Called,
}

struct Place {
    limit: Duration,
    /// From when on it is counted how long somebody rests.
    made: Instant,
    /// In the order in which they came, which is that of their deadlines.
    sleepers: RefCell<BTreeMap<u64, Sleeper>>,
    next: Cell<u64>,
    bells: Arc<Bells>,
    is_watched: Cell<bool>,
    stack_size: Cell<Option<usize>>,
}

struct Sleeper {
    go_on: Box<dyn FnOnce(Roused)>,
    /// Nanoseconds since the place was made, which last for centuries.
    since: u64,
    /// What it rests for, for those who look.
    descriptor: RawFd,
}

/// There may be a great many.
const _: () = assert!(size_of::<Sleeper>() <= 32);

/// What wakers leave, on whatever thread they are used.
#[derive(Default)]
struct Bells {
    state: Mutex<Rung>,
}

#[derive(Default)]
struct Rung {
    numbers: Vec<u64>,
    watcher: Option<Waker>,
}

/// The waker of one sleeper.
struct Bell {
    number: u64,
    bells: Arc<Bells>,
}

impl Resting {
    /// A place in which nobody rests for longer than `limit`.
    pub fn new(limit: Duration) -> Resting {
        let place = Rc::new(Place {
            limit,
            made: Instant::now(),
            sleepers: RefCell::default(),
            next: Cell::new(0),
            bells: Arc::default(),
            is_watched: Cell::new(false),
            stack_size: Cell::new(None),
        });
        announce_place(&place);
        Resting { place }
    }

    /// Stacks of the tasklets that go on, as by
    /// [`Builder::stack_size`](crate::Builder::stack_size).
    #[must_use]
    pub fn stack_size(self, bytes: usize) -> Resting {
        self.place.stack_size.set(Some(bytes));
        self
    }

    /// How many rest.
    pub fn len(&self) -> usize {
        self.place.sleepers.borrow().len()
    }

    /// Whether nobody rests.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs `go_on` on a tasklet of its own when `source` may be readable, or when it
    /// has rested for too long. It is meant to own what it goes on with, the source
    /// included. A source that was not read until it had nothing left counts as
    /// readable.
    ///
    /// Nobody else may wait for `source` meanwhile by
    /// [`poll_ready`](PollReady::poll_ready).
    ///
    /// # Errors
    ///
    /// When there is no stack for the tasklet that watches over those who rest;
    /// `go_on` has been dropped then. It is dropped later, too, and that logged, when
    /// there is none for the tasklet that was to run it.
    pub fn until_readable<S>(
        &self,
        source: &S,
        go_on: impl FnOnce(Roused) + 'static,
    ) -> io::Result<()>
    where
        S: PollReady + ?Sized,
    {
        self.place.watch_over()?;
        let number = self.place.next.get();
        self.place.next.set(number + 1);
        let since = self.place.made.elapsed().as_nanos();
        let sleeper = Sleeper {
            go_on: Box::new(go_on),
            since: u64::try_from(since).unwrap_or(u64::MAX),
            descriptor: source.watch().descriptor(),
        };
        let bell = Arc::new(Bell {
            number,
            bells: self.place.bells.clone(),
        });
        let waker = Waker::from(bell);
        self.place.sleepers.borrow_mut().insert(number, sleeper);
        let ready = source.poll_ready(&mut Context::from_waker(&waker), Interest::READ);
        if ready.is_ready() {
            waker.wake();
        }
        Ok(())
    }

    /// Has everybody go on, in the order in which they came.
    pub fn rouse_all(&self) {
        for sleeper in self.place.take_all().into_values() {
            self.place.rouse(sleeper, Roused::Called);
        }
        if self.place.is_watched.get() {
            // Nobody's number: the watcher sees that nobody is left, and ends.
            self.place.bells.ring(u64::MAX);
        }
    }
}

impl fmt::Debug for Resting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resting")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Place {
    fn watch_over(self: &Rc<Place>) -> io::Result<()> {
        if !self.is_watched.get() {
            let leaving = Leaving(self.clone());
            self.is_watched.set(true);
            let builder = Builder::new().name("watcher of resting connections");
            builder.spawn(move || leaving.0.watch())?;
        }
        Ok(())
    }

    /// Rouses whose time has come, until nobody is left.
    fn watch(&self) {
        while let Some(until) = self.first_deadline() {
            let Ok(numbers) = block_on(self.bells.rung_or(until)) else {
                return; // Somebody wants this tasklet to end.
            };
            for number in numbers {
                // One that has been roused otherwise may have left its waker.
                let sleeper = self.sleepers.borrow_mut().remove(&number);
                if let Some(sleeper) = sleeper {
                    self.rouse(sleeper, Roused::Readable);
                }
            }
            let now = Instant::now();
            while let Some(Some(until)) = self.first_deadline()
                && until <= now
            {
                let first = self.sleepers.borrow_mut().pop_first();
                if let Some((_, sleeper)) = first {
                    self.rouse(sleeper, Roused::TimedOut);
                }
            }
        }
    }

    /// `None` when nobody rests.
    fn first_deadline(&self) -> Option<Option<Instant>> {
        let sleepers = self.sleepers.borrow();
        let (_, first) = sleepers.first_key_value()?;
        Some(self.began(first).checked_add(self.limit))
    }

    /// Since when it rests.
    fn began(&self, sleeper: &Sleeper) -> Instant {
        self.made + Duration::from_nanos(sleeper.since)
    }

    fn rouse(&self, sleeper: Sleeper, why: Roused) {
        let peer = peer_of(sleeper.descriptor);
        let name = peer.map_or_else(
            || "connection".to_owned(),
            |peer| format!("connection from {peer}"),
        );
        let mut builder = Builder::new().name(name);
        if let Some(size) = self.stack_size.get() {
            builder = builder.stack_size(size);
        }
        if let Err(error) = builder.spawn(move || (sleeper.go_on)(why)) {
            log::warn!("greenling: no tasklet for a connection that rested: {error}");
        }
    }

    fn take_all(&self) -> BTreeMap<u64, Sleeper> {
        mem::take(&mut *self.sleepers.borrow_mut())
    }
}

impl RestingPlace for Place {
    fn count(&self) -> usize {
        self.sleepers.borrow().len()
    }

    fn eldest(&self, most: usize) -> Vec<Rest> {
        let sleepers = self.sleepers.borrow();
        let eldest = sleepers.values().take(most);
        let rest = |sleeper: &Sleeper| Rest {
            descriptor: sleeper.descriptor,
            since: self.began(sleeper),
        };
        eldest.map(rest).collect()
    }
}

/// However the watcher ends, nobody is left without one. What rests may own this place,
/// too, and would otherwise keep it and itself for ever.
struct Leaving(Rc<Place>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.is_watched.set(false);
        drop(self.0.take_all());
    }
}

impl Bells {
    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, number: u64) {
        let watcher = {
            let mut rung = self.lock();
            rung.numbers.push(number);
            rung.watcher.take()
        };
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// The numbers that were rung; none when `until` has come first.
    async fn rung_or(&self, until: Option<Instant>) -> Vec<u64> {
        let mut alarm = pin!(until.map(sleep_until));
        poll_fn(|context| {
            {
                let mut rung = self.lock();
                if !rung.numbers.is_empty() {
                    return Poll::Ready(mem::take(&mut rung.numbers));
                }
                rung.watcher = Some(context.waker().clone());
            }
            match alarm.as_mut().as_pin_mut() {
                Some(alarm) => alarm.poll(context).map(|()| Vec::new()),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.bells.ring(self.number);
    }

    fn wake_by_ref(self: &Arc<Bell>) {
        self.bells.ring(self.number);
    }
}
