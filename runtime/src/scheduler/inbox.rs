//! The inbox: how other OS threads reach a scheduler.
//!
//! Other threads never touch the ring. They put a message into the inbox and
//! ring; the scheduler drains the inbox when it polls.
//!
//! ```text
//!   other thread:   push message; if !poked.swap(true) { ring: driver, or nap }
//!   scheduler:      if poked.swap(false) { drain all messages }
//! ```
//!
//! The order matters: a message pushed after the drain has looked finds
//! `poked` false and wakes the next poll, so none is left lying. Most polls
//! find nothing, so the scheduler looks before it swaps.
//!
//! A scheduler has an inbox once it has had a tasklet, so that it can be asked
//! what they do, and a driver when it needs one. Until then it naps. As it gets
//! its driver it changes `poked` from what it is to the same: who rings after
//! that sees the driver, and what was rung for before that is seen to have been.
//!
//! A scheduler with nothing to wait for asks `could_bring` whether to wait at
//! all. Who holds a `Remote` sends first and lets go of it later, so the count
//! is read before the queue: once it is zero, all that was sent is in there.

use crate::primitives::{AtomicBool, AtomicUsize, Receiver, Sender, unbounded};
use doorbell::Doorbell;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

mod doorbell;
#[cfg(all(loom, test))]
mod models;

/// What another thread can ask of a scheduler.
pub(crate) enum Message {
    /// Runs once on the scheduler's thread, at a safe point; must not switch.
    Run(Box<dyn FnOnce() + Send>),
    /// Wakes the tasklet that holds the ticket.
    Unpark(u64),
    /// Nothing but the poke itself.
    Wake,
}

/// How many messages are handled before the scheduler looks at its own work
/// again. Whoever sends faster than that makes the queue grow.
const BATCH: usize = 256;

/// Every inbox whose scheduler, or somebody else, still holds it.
static INBOXES: Mutex<Vec<Weak<Inbox>>> = Mutex::new(Vec::new());

/// The sending end, shared by everyone who may wake a scheduler.
pub(crate) struct Inbox {
    messages: Sender<Message>,
    poked: AtomicBool,
    bell: Doorbell,
    /// Handles through which other threads may send work at any time.
    remotes: AtomicUsize,
    /// Whose inbox it is.
    thread: Thread,
    /// The kernel's number of it.
    thread_number: i64,
    /// The thread is about something else, without any tasklet.
    away: AtomicBool,
    /// A question that was not answered in time, and since when it lies here.
    unanswered: Mutex<Option<(Weak<()>, Instant)>>,
    ended: AtomicBool,
}

impl Inbox {
    /// Both ends of a new inbox of the calling thread, of which the kernel has this
    /// number.
    pub(super) fn new(thread_number: i64) -> (Arc<Inbox>, Outlet) {
        let (messages, receiver) = unbounded();
        let inbox = Arc::new(Inbox {
            messages,
            poked: AtomicBool::new(false),
            bell: Doorbell::new(),
            remotes: AtomicUsize::new(0),
            thread: std::thread::current(),
            thread_number,
            away: AtomicBool::new(false),
            unanswered: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let mut inboxes = INBOXES.lock().unwrap_or_else(PoisonError::into_inner);
        inboxes.retain(|inbox| inbox.strong_count() > 0);
        inboxes.push(Arc::downgrade(&inbox));
        drop(inboxes);
        let outlet = Outlet {
            inbox: inbox.clone(),
            messages: receiver,
        };
        (inbox, outlet)
    }

    /// Delivers a message; false if the scheduler has ended, and then the
    /// message is dropped here.
    pub(crate) fn send(&self, message: Message) -> bool {
        if self.messages.send(message).is_err() {
            return false;
        }
        if !self.poked.swap(true, Ordering::AcqRel) {
            self.bell.ring();
        }
        true
    }

    /// Those of all schedulers that have one, in the order of their making.
    pub(crate) fn all() -> Vec<Arc<Inbox>> {
        let mut inboxes = INBOXES.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = inboxes.iter().filter_map(Weak::upgrade).collect();
        inboxes.retain(|inbox| inbox.strong_count() > 0);
        all.into_iter()
            .filter(|inbox| inbox.thread().is_some())
            .collect()
    }

    /// The scheduler's thread, unless that has ended.
    pub(crate) fn thread(&self) -> Option<&Thread> {
        (!self.ended.load(Ordering::Acquire)).then_some(&self.thread)
    }

    /// The kernel's number of that thread.
    pub(crate) fn thread_number(&self) -> i64 {
        self.thread_number
    }

    /// The scheduler's thread is about something else, and has no tasklets.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Since when a question lies here that was not answered in time.
    pub(crate) fn is_deaf_since(&self) -> Option<Instant> {
        let unanswered = self.unanswered.lock();
        let unanswered = unanswered.unwrap_or_else(PoisonError::into_inner);
        let (question, since) = unanswered.as_ref()?;
        (question.strong_count() > 0).then_some(*since)
    }

    /// A question was not answered in time, which holds what `question` refers to for
    /// as long as it lies here. The eldest is remembered.
    pub(crate) fn leave_unanswered(&self, question: Weak<()>, since: Instant) {
        if self.is_deaf_since().is_none_or(|eldest| since < eldest) {
            let mut unanswered = self
                .unanswered
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *unanswered = Some((question, since));
        }
    }

    /// Counts a `Remote` handle.
    pub(crate) fn add_remote(&self) {
        self.remotes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less, and lets the scheduler see whether it was the last.
    pub(crate) fn drop_remote(&self) {
        if self.remotes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.send(Message::Wake);
        }
    }
}

/// Wakes one wait of one tasklet, from any thread. Harmless when late.
#[derive(Clone)]
pub(crate) struct ExternalWaker {
    inbox: Arc<Inbox>,
    ticket: u64,
}

impl ExternalWaker {
    pub(super) fn new(inbox: Arc<Inbox>, ticket: u64) -> ExternalWaker {
        ExternalWaker { inbox, ticket }
    }

    /// Ends the wait, if it is still going on.
    pub(crate) fn wake(&self) {
        self.inbox.send(Message::Unpark(self.ticket));
    }
}

/// The receiving end, which the scheduler keeps. Once it is dropped, senders
/// are told that the scheduler has ended.
pub(super) struct Outlet {
    inbox: Arc<Inbox>,
    messages: Receiver<Message>,
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.inbox.ended.store(true, Ordering::Release);
    }
}

impl Outlet {
    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// True if a message lies here, or a `Remote` exists that may send one.
    pub(super) fn could_bring(&self) -> bool {
        self.inbox.remotes.load(Ordering::Acquire) > 0 || !self.messages.is_empty()
    }

    /// From now on the scheduler waits in its driver, and `ring` ends that.
    pub(super) fn connect(&self, ring: Arc<dyn Fn() + Send + Sync>) {
        self.inbox.bell.connect(ring);
        // Who has rung before it could know of that is found by the next drain.
        self.inbox.poked.fetch_or(false, Ordering::AcqRel);
    }

    /// Waits for somebody to ring, without a driver.
    pub(super) fn nap(&self, timeout: Option<Duration>) {
        self.inbox.bell.nap(timeout);
    }

    /// Whether the thread has no tasklets and looks at its messages no more.
    pub(super) fn set_away(&self, away: bool) {
        // Written by this thread only.
        if self.inbox.is_away() != away {
            self.inbox.away.store(away, Ordering::Relaxed);
        }
    }

    /// How many messages lie here.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// True if there is a poke to take back.
    pub(super) fn is_poked(&self) -> bool {
        self.inbox.poked.load(Ordering::Relaxed)
    }

    /// Takes the poke back; true if there was one, and then the caller takes
    /// all messages.
    pub(super) fn take_poke(&self) -> bool {
        // The swap reads the last poke, so every message pushed before it is
        // seen by `take_batch`.
        self.is_poked() && self.inbox.poked.swap(false, Ordering::AcqRel)
    }

    /// The messages that lie here, as far as they fit into one batch. What is
    /// left keeps the poke, so that the next poll does not wait.
    pub(super) fn take_batch(&self) -> impl Iterator<Item = Message> + '_ {
        let count = self.messages.len();
        if count > BATCH {
            self.inbox.poked.store(true, Ordering::Release);
        }
        (0..count.min(BATCH)).map_while(|_| self.messages.try_recv().ok())
    }
}
