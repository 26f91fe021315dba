//! One thread's part of a server: its connections and how they end.

use super::Connection;
use super::Limits;
use super::Resting;
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
use std::time::{Duration, Instant};

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
    /// Who runs a handler, in the order in which they began to.
    handlers: RefCell<BTreeMap<u64, Tasklet>>,
    next_handler: Cell<u64>,
    /// Handlers are killed: no other begins.
    is_killing: Cell<bool>,
    /// Connections without a handler.
    resting: Resting,
}

impl Site {
    pub(super) fn new(
        worker: usize,
        limits: Limits,
        shutdown: Shutdown,
        counters: Arc<Counters>,
    ) -> Rc<Site> {
        let permits = limits.max_connections.unwrap_or(usize::MAX / 2);
        let rest_limits = [limits.rest_limit, limits.connection_timeout];
        let rest_limit = rest_limits.into_iter().flatten().min();
        let mut resting = Resting::new(rest_limit.unwrap_or(Duration::MAX));
        if let Some(size) = limits.stack_size {
            resting = resting.stack_size(size);
        }
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
            next_handler: Cell::new(0),
            is_killing: Cell::new(false),
            resting,
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

    pub(super) fn resting(&self) -> &Resting {
        &self.resting
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Whether permits can run out.
    pub(super) fn is_limited(&self) -> bool {
        self.limits.max_connections.is_some()
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
        let limit = self.limits.connection_timeout;
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        let handling = self.handler(End::Refused, until);
        let (key, end) = (handling.key.get(), handling.end());
        let connection = Connection::new(self, permit, until, end.clone());
        let name = format!("connection from {address:?}");
        let mut tasklet = Builder::new().name(name.as_str());
        if let Some(size) = self.limits.stack_size {
            tasklet = tasklet.stack_size(size);
        }
        let handler = handler.clone();
        let spawned = tasklet.spawn(move || {
            // Last to go, so that it can be killed until all else is gone.
            let handling = handling;
            handling.run(|| handler(stream, address, &connection).into_result());
            drop(connection);
        });
        match spawned {
            Ok(handle) => {
                end.set(End::Killed);
                self.handlers.borrow_mut().insert(key, handle.tasklet());
            }
            // The closure is gone and the stream with it: the peer sees the end.
            Err(error) => log::warn!("greenling: no tasklet for a {name}: {error}"),
        }
    }

    fn next_key(&self) -> u64 {
        let key = self.next_handler.get();
        self.next_handler.set(key + 1);
        key
    }

    /// One more handler, of a connection that may last until then. If it never begins, its
    /// connection counts as `end`.
    pub(super) fn handler(self: &Rc<Site>, end: End, until: Option<Instant>) -> Handling {
        Handling {
            site: self.clone(),
            key: Cell::new(self.next_key()),
            until,
            end: Rc::new(Cell::new(end)),
        }
    }

    /// Waits until no connection is left, or the drain deadline has passed.
    #[track_caller]
    pub(super) fn wait_for_connections(&self) -> Result<(), WaitError> {
        let _following = self.shutdown.follow_here();
        self.wait_for_none(|| self.shutdown.drain_deadline())
    }

    /// Kills the handlers that are left, in the order in which they
    /// began, and waits for them until the kill deadline.
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
        self.is_killing.set(true);
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

/// The call of a handler: in the table of those to be killed, and how it ends.
pub(super) struct Handling {
    site: Rc<Site>,
    key: Cell<u64>,
    until: Option<Instant>,
    end: Rc<Cell<End>>,
}

impl Handling {
    /// As what its connection is counted when this is gone.
    pub(super) fn end(&self) -> Rc<Cell<End>> {
        self.end.clone()
    }

    /// The calling tasklet is to run the handler; false if that is not to begin any more.
    pub(super) fn begins_here(&self) -> bool {
        if self.site.is_killing.get() {
            return false;
        }
        // Its place in the order is that of its beginning, not of the rest before it.
        self.key.set(self.site.next_key());
        let mut handlers = self.site.handlers.borrow_mut();
        handlers.insert(self.key.get(), current());
        true
    }

    /// Runs the handler, and notes how it ends. A panic ends here.
    pub(super) fn run(&self, handler: impl FnOnce() -> Result<(), Thrown>) {
        // What it can have left half done is the connection, which is gone.
        let result = catch_unwind(AssertUnwindSafe(|| self.limited(handler)));
        match result {
            Ok(result) => {
                self.note(End::Finished);
                if let Err(error) = result {
                    log::debug!("greenling: {}: {error}", name());
                }
            }
            Err(payload) if payload.is::<TaskletExit>() => resume_unwind(payload),
            Err(payload) => {
                self.note(End::Panicked);
                log_panic(payload);
            }
        }
    }

    /// Runs a handler within the time that its connection may last.
    fn limited<T>(&self, handler: impl FnOnce() -> T) -> T {
        match self.until {
            Some(until) => match time::timeout_at(until, handler) {
                Ok(result) => result,
                Err(elapsed) => elapsed.into_inner(),
            },
            None => handler(),
        }
    }

    /// Whoever goes on with the connection counts it.
    fn note(&self, end: End) {
        if !matches!(self.end.get(), End::Resting) {
            self.end.set(end);
        }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.site.counters.count(self.end.get());
        let gone = self.site.handlers.borrow_mut().remove(&self.key.get());
        drop(gone);
    }
}
