//! Engines of connections that wait for their peer.
//!
//! While a connection waits, its engine lives here, in a list of its thread, and
//! the connection holds a [`Key`]. The list keeps the most recent waiters as they
//! are: taking their rings away and giving them back costs more than their next
//! request may. When more than [`PLUGGED_MAX`] wait, the one that has waited
//! longest gives its rings and record buffers back ([`Engine::park`]) and stays
//! here, small. No timer is involved, and a thread with few connections never
//! pays anything but the list itself.
//!
//! ```text
//!   oldest                                     newest
//!   head -> [engine] <-> [engine] <-> [engine] <- tail      at most PLUGGED_MAX
//!   [engine] [engine] [engine] ...                          parked, in no list
//! ```
//!
//! A wait that may resume on another OS thread cannot leave its engine behind;
//! see [`Transport::MAY_MIGRATE`](crate::transport::Transport::MAY_MIGRATE).

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Engine;

/// How many waiting connections of one thread keep their rings.
const PLUGGED_MAX: usize = 256;

/// "No slot" in the links of the list.
const NONE: usize = usize::MAX;

thread_local! {
    static IDLE: RefCell<Idle> = const { RefCell::new(Idle::new()) };
    static NEXT_STAMP: Cell<u64> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) << 40);
}

/// Numbers the threads, so that no stamp is used on two of them.
static THREADS: AtomicU64 = AtomicU64::new(0);

/// Finds an engine again, on the thread that kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    slot: usize,
    /// Tells apart the engines that used one slot after another, and the threads.
    stamp: u64,
}

struct Idle {
    slots: Vec<Slot>,
    /// First of the free slots, which are chained by `next`.
    free: usize,
    /// Oldest and newest of the engines that still have rings.
    head: usize,
    tail: usize,
    plugged: usize,
}

struct Slot {
    engine: Option<Box<Engine>>,
    stamp: u64,
    /// Whether it is in the list.
    listed: bool,
    older: usize,
    next: usize,
}

impl Idle {
    const fn new() -> Idle {
        Idle {
            slots: Vec::new(),
            free: NONE,
            head: NONE,
            tail: NONE,
            plugged: 0,
        }
    }

    fn insert(&mut self, engine: Box<Engine>, stamp: u64) -> Key {
        let listed = !engine.is_parked();
        let entry = Slot {
            engine: Some(engine),
            stamp,
            listed,
            older: self.tail,
            next: NONE,
        };
        let slot = match self.free {
            NONE => {
                self.slots.push(entry);
                self.slots.len() - 1
            }
            slot => {
                self.free = self.slots[slot].next;
                self.slots[slot] = entry;
                slot
            }
        };
        if listed {
            match self.tail {
                NONE => self.head = slot,
                tail => self.slots[tail].next = slot,
            }
            self.tail = slot;
            self.plugged += 1;
            if self.plugged > PLUGGED_MAX {
                self.park_oldest();
            }
        }
        Key { slot, stamp }
    }

    fn remove(&mut self, key: Key) -> Option<Box<Engine>> {
        let entry = self.slots.get_mut(key.slot)?;
        if entry.stamp != key.stamp {
            return None;
        }
        let engine = entry.engine.take()?;
        self.unlist(key.slot);
        self.slots[key.slot].next = self.free;
        self.free = key.slot;
        Some(engine)
    }

    fn unlist(&mut self, slot: usize) {
        if !self.slots[slot].listed {
            return;
        }
        let (older, next) = (self.slots[slot].older, self.slots[slot].next);
        match older {
            NONE => self.head = next,
            older => self.slots[older].next = next,
        }
        match next {
            NONE => self.tail = older,
            next => self.slots[next].older = older,
        }
        self.slots[slot].listed = false;
        self.plugged -= 1;
    }

    fn park_oldest(&mut self) {
        let slot = self.head;
        self.unlist(slot);
        if let Some(engine) = &mut self.slots[slot].engine {
            // One with something in its rings keeps them; it is not idle.
            engine.park();
        }
    }
}

/// Keeps `engine` until [`take`]. Gives it back when the thread is ending.
pub(crate) fn keep(engine: Box<Engine>) -> Result<Key, Box<Engine>> {
    let mut engine = Some(engine);
    let kept = IDLE.try_with(|idle| {
        let stamp = NEXT_STAMP.get();
        NEXT_STAMP.set(stamp + 1);
        engine
            .take()
            .map(|engine| idle.borrow_mut().insert(engine, stamp))
    });
    match (kept, engine) {
        (Ok(Some(key)), _) => Ok(key),
        (_, Some(engine)) => Err(engine),
        (_, None) => unreachable!("the engine is either kept or still here"),
    }
}

/// The engine that was kept; `None` on another thread or when the thread ends.
pub(crate) fn take(key: Key) -> Option<Box<Engine>> {
    IDLE.try_with(|idle| idle.borrow_mut().remove(key))
        .ok()
        .flatten()
}

#[cfg(test)]
mod tests {
    use openssl::ssl::{Ssl, SslContext, SslMethod};

    use super::*;
    use crate::bio::RingSizes;
    use crate::engine::Role;

    fn plugged_engine(context: &SslContext) -> Box<Engine> {
        let ssl = Ssl::new(context).expect("memory");
        let mut engine = Engine::from_ssl(ssl, Role::Server, None, RingSizes::RECORD);
        assert!(!engine.in_space().is_empty());
        Box::new(engine)
    }

    #[test]
    fn takes_the_rings_of_those_that_waited_longest() {
        let context = SslContext::builder(SslMethod::tls())
            .expect("context")
            .build();
        let keep_new = || keep(plugged_engine(&context)).expect("thread is alive");
        let first = keep_new();
        let second = keep_new();
        let others: Vec<Key> = (0..PLUGGED_MAX - 2).map(|_| keep_new()).collect();

        // `first` waits again, so `second` is the oldest now.
        let first = keep(take(first).expect("kept")).expect("thread is alive");
        let extra = keep_new();
        assert!(take(second).expect("kept").is_parked());
        assert!(!take(first).expect("kept").is_parked());
        assert!(!take(extra).expect("kept").is_parked());
        for key in others {
            assert!(!take(key).expect("kept").is_parked());
        }
        IDLE.with(|idle| {
            let idle = idle.borrow();
            assert_eq!((idle.head, idle.tail, idle.plugged), (NONE, NONE, 0));
        });
    }

    #[test]
    fn a_key_finds_its_own_engine_only() {
        let context = SslContext::builder(SslMethod::tls())
            .expect("context")
            .build();
        let old = keep(plugged_engine(&context)).expect("thread is alive");
        assert!(take(old).is_some());
        let new = keep(plugged_engine(&context)).expect("thread is alive");
        assert_eq!(new.slot, old.slot);
        assert!(take(old).is_none());
        let elsewhere = std::thread::spawn(move || take(new).is_some());
        assert!(!elsewhere.join().expect("no panic"));
        assert!(take(new).is_some());
    }
}
