//! What a future's wakers do: make the tasklet poll it again.
//!
//! ```text
//!   POLLING --future is pending: begin_wait--> WAITING --wake: tell--> WOKEN
//!      |  ^                                       |                      |
//!      |  +---------------- begin_poll -----------+----------------------+
//!      +--wake, nobody to tell--> WOKEN --begin_wait refuses--> poll again
//! ```
//!
//! A wake that comes before the park finds `POLLING` and is found by
//! `begin_wait`; a second wake finds `WOKEN` and costs one atomic swap. Only
//! the step from `WAITING` to `WOKEN` tells the scheduler, by a ticket: on its
//! own thread directly, from others through its inbox. Tickets are never
//! reused, so a wake that comes late, after the wait was given up, does
//! nothing.
//!
//! While the tasklet waits, wakers alone keep the signal alive. When the last
//! one goes without a wake, nobody can wake the tasklet any more: `drop` has it
//! polled once more, and what then waits without having left a waker anywhere
//! counts as waiting for nothing.

use crate::scheduler::{Inbox, Message, local};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Wake;

const POLLING: u8 = 0;
const WAITING: u8 = 1;
const WOKEN: u8 = 2;

/// Whom to wake.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) inbox: Arc<Inbox>,
    /// The number of the scheduler that has the inbox.
    pub(super) scheduler: u64,
    pub(super) ticket: u64,
}

/// One future's waker, and what was said by it.
pub(super) struct Signal {
    state: AtomicU8,
    address: Address,
}

impl Signal {
    pub(super) fn new(address: Address) -> Arc<Signal> {
        Arc::new(Signal {
            state: AtomicU8::new(POLLING),
            address,
        })
    }

    /// Forgets wakes: whatever they were about, the poll that follows sees it.
    /// True if there were any since the last poll began.
    pub(super) fn begin_poll(&self) -> bool {
        self.state.swap(POLLING, Ordering::AcqRel) == WOKEN
    }

    /// From now on wakes are told; false if there was one already.
    pub(super) fn begin_wait(&self) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.state
            .compare_exchange(POLLING, WAITING, success, failure)
            .is_ok()
    }

    fn tell(&self) {
        let Address {
            inbox,
            scheduler,
            ticket,
        } = &self.address;
        match local::get() {
            Some(ours) if ours.number() == *scheduler => ours.unpark(*ticket),
            _ => {
                // False if that thread has ended; nobody waits there then.
                inbox.send(Message::Unpark(*ticket));
            }
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == WAITING {
            self.tell();
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if *self.state.get_mut() == WAITING {
            self.tell();
        }
    }
}
