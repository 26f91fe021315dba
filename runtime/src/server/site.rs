//! One thread's part of a server: its connections and how they end.

use super::Connection;
use super::Limits;
use super::report::{Counters, End};
use crate::error::{TaskletExit, Thrown, WaitError, contain, panic_message};
use crate::sync::{self, Semaphore, WaitQueue};
use crate::tasklet::{Builder, Tasklet, TaskletResult, current, defer_kill};
use crate::thread::{Receiver, Shutdown, report_left, wait_by};
use crate::time::{self, CancelToken};
use crate::wait::reason;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// What a connection holds for as long as it lasts.
pub(super) enum Permit {
    /// One of this thread's.
    Local {
        _permit: sync::Permit<Rc<Semaphore>>,
    },
    /// One of the acceptor's, which are the values that lie in a channel.
    Dealt { _permit: Dealt },
}

/// Takes a value out of the channel that limits the acceptor.
pub(super) struct Dealt(pub(super) Option<Receiver<()>>);

impl Drop for Dealt {
    fn drop(&mut self) {
        if let Some(permits) = &self.0 {
            let _ = permits.try_receive();
        }
    }
}

/// One thread's connections.
pub(super) struct Site {
    worker: usize,
    limits: Limits,
    shutdown: Shutdown,
    stopping: CancelToken,
    counters: Arc<Counters>,
    permits: Rc<Semaphore>,
    numbers: Cell<u64>,
    /// Places that are taken.
    present: Cell<usize>,
    /// Somebody waits for the last place to be given back.
    nobody_left: WaitQueue,
    /// Who runs a handler, by the number of the connection.
    handlers: RefCell<BTreeMap<u64, Tasklet>>,
}

impl Site {
    pub(super) fn new(
        worker: usize,
        limits: Limits,
        shutdown: Shutdown,
        counters: Arc<Counters>,
    ) -> Rc<Site> {
        let permits = limits.max_connections.unwrap_or(usize::MAX / 2);
        Rc::new(Site {
            worker,
            limits,
            shutdown,
            stopping: CancelToken::new(),
            counters,
            permits: Rc::new(Semaphore::new(permits)),
            numbers: Cell::new(0),
            present: Cell::new(0),
            nobody_left: WaitQueue::new(),
            handlers: RefCell::default(),
        })
    }

    pub(super) fn worker(&self) -> usize {
        self.worker
    }

    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    pub(super) fn stopping(&self) -> &CancelToken {
        &self.stopping
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Waits for the permit to accept a connection; `None` if there will be none.
    pub(super) fn permit(&self) -> Option<Permit> {
        let permit = self.permits.acquire_owned(1).ok()?;
        Some(Permit::Local { _permit: permit })
    }

    /// Takes a place, and gives it a number.
    pub(super) fn enter(&self) -> u64 {
        self.present.set(self.present.get() + 1);
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        number
    }

    pub(super) fn leave(&self) {
        self.present.set(self.present.get() - 1);
        if self.present.get() == 0 {
            self.nobody_left.notify_all();
        }
    }

    /// Serves an accepted connection in a tasklet of its own.
    pub(super) fn start<S: 'static, A: fmt::Debug + 'static, H, R>(
        self: &Rc<Site>,
        stream: S,
        address: A,
        permit: Permit,
        handler: &Rc<H>,
    ) where
        H: Fn(S, A, &Connection) -> R + 'static,
        R: TaskletResult,
    {
        let connection = Connection::new(self, permit);
        let number = connection.number();
        let name = format!("connection from {address:?}");
        let mut tasklet = Builder::new().name(name.as_str());
        if let Some(size) = self.limits.stack_size {
            tasklet = tasklet.stack_size(size);
        }
        let end = Rc::new(Cell::new(End::Refused));
        let known = Known {
            site: self.clone(),
            number,
            end: end.clone(),
        };
        let handler = handler.clone();
        let spawned = tasklet.spawn(move || {
            // Last to go, so that it can be killed until all else is gone.
            let known = known;
            known.run(|| handler(stream, address, &connection).into_result());
            drop(connection);
        });
        match spawned {
            Ok(handle) => {
                end.set(End::Killed);
                self.handlers.borrow_mut().insert(number, handle.tasklet());
            }
            // The closure is gone and the stream with it: the peer sees the end.
            Err(error) => log::warn!("greenling: no tasklet for a {name}: {error}"),
        }
    }

    /// Runs a handler within the time that a connection may last.
    fn limited<T>(&self, handler: impl FnOnce() -> T) -> T {
        match self.limits.connection_timeout {
            Some(limit) => match time::timeout(limit, handler) {
                Ok(result) => result,
                Err(elapsed) => elapsed.into_inner(),
            },
            None => handler(),
        }
    }

    /// Waits until no connection is left, or the drain deadline has passed.
    #[track_caller]
    pub(super) fn wait_for_connections(&self) -> Result<(), WaitError> {
        let _following = self.shutdown.follow_here();
        self.wait_for_none(|| self.shutdown.drain_deadline())
    }

    /// Kills the handlers that are left, in the order in which their connections
    /// came, and waits for them until the kill deadline.
    #[track_caller]
    pub(super) fn kill_connections(&self) -> Result<(), WaitError> {
        let _following = self.shutdown.follow_here();
        self.kill_handlers();
        self.wait_for_none(|| self.shutdown.kill_deadline())?;
        let left = self.present.get();
        if left > 0 {
            report_left(format_args!("{left} connections"));
        }
        Ok(())
    }

    #[track_caller]
    fn wait_for_none(&self, deadline: impl Fn() -> Option<Instant>) -> Result<(), WaitError> {
        wait_by(
            deadline,
            || self.present.get() == 0,
            |deadline| self.nobody_left.wait(&reason::SERVER_DRAIN, deadline),
        )
    }

    fn kill_handlers(&self) {
        // What the dying throw at the caller reaches it when all were killed.
        let _guard = defer_kill();
        // A copy: they leave the table as they end.
        let handlers: Vec<Tasklet> = self.handlers.borrow().values().cloned().collect();
        for handler in handlers {
            if handler.is_alive()
                && let Err(error) = handler.kill()
            {
                log::error!("greenling: {handler:?} could not be killed: {error}");
            }
        }
    }
}

/// The name of the tasklet of a connection.
fn name() -> String {
    current().name().unwrap_or_default()
}

#[cold]
fn log_panic(payload: Box<dyn Any + Send>) {
    let message = panic_message(&payload);
    log::error!("greenling: {}: its handler panicked: {message}", name());
    if contain(|| drop(payload)) {
        log::error!("greenling: {}: so did what it panicked with", name());
    }
}

/// A connection in the table of those to be killed, and how it ends.
struct Known {
    site: Rc<Site>,
    number: u64,
    end: Rc<Cell<End>>,
}

impl Known {
    /// Runs a handler, and notes how it ends. A panic ends here.
    fn run(&self, handler: impl FnOnce() -> Result<(), Thrown>) {
        // What it can have left half done is the connection, which is gone.
        let result = catch_unwind(AssertUnwindSafe(|| self.site.limited(handler)));
        match result {
            Ok(result) => {
                self.end.set(End::Finished);
                if let Err(error) = result {
                    log::debug!("greenling: {}: {error}", name());
                }
            }
            Err(payload) if payload.is::<TaskletExit>() => resume_unwind(payload),
            Err(payload) => {
                self.end.set(End::Panicked);
                log_panic(payload);
            }
        }
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.site.counters.count(self.end.get());
        let gone = self.site.handlers.borrow_mut().remove(&self.number);
        drop(gone);
    }
}
