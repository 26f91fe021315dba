//! Engines of connections that wait for their peer.
//!
//! While a connection waits, its engine lives here, in a list of its thread, and
//! the connection holds a [`Key`]. The lists keep the most recent waiters as they
//! are: taking their rings away and giving them back costs more than their next
//! request may. When a list is full, the one in it that has waited longest gives
//! its rings and record buffers back ([`Engine::park`]) and stays here, small. No
//! timer is involved, and a thread with few connections never pays anything but
//! the lists themselves.
//!
//! ```text
//!           oldest                             newest
//!   known:  head -> [engine] <-> [engine] <- tail       at most KNOWN_MAX
//!   new:    head -> [engine] <-> [engine] <- tail       at most NEW_MAX
//!           [engine] [engine] [engine] ...              parked, in no list
//! ```
//!
//! Most connections are used once or twice and then kept open for nothing: they
//! are *new* for their first waits, and a flood of them leaves those alone that
//! have come back before. At the same time it bounds what such a flood makes the
//! allocator hold, which does not all go back when it is over.
//!
//! A wait that may resume on another OS thread cannot leave its engine behind: it asks
//! for [`Leave`] to keep its rings instead. See
//! [`Transport::MAY_MIGRATE`](crate::transport::Transport::MAY_MIGRATE).

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Engine;

mod leave;

pub(crate) use leave::Leave;

/// How many waiting connections of one thread keep their rings: of those that have
/// waited [`KNOWN_AFTER`] times before, and of others.
const KNOWN_MAX: usize = 256;
const NEW_MAX: usize = 32;

/// After how many waits a connection is known to come back.
const KNOWN_AFTER: u8 = 4;

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
    known: List,
    new: List,
}

/// Engines that still have rings.
struct List {
    oldest: usize,
    newest: usize,
    length: usize,
}

struct Slot {
    engine: Option<Box<Engine>>,
    stamp: u64,
    place: Place,
    older: usize,
    next: usize,
}

/// Which list a slot is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Known,
    New,
    None,
}

impl List {
    const EMPTY: List = List {
        oldest: NONE,
        newest: NONE,
        length: 0,
    };
}

impl Idle {
    const fn new() -> Idle {
        Idle {
            slots: Vec::new(),
            free: NONE,
            known: List::EMPTY,
            new: List::EMPTY,
        }
    }

    fn list(&mut self, place: Place) -> Option<(&mut List, usize)> {
        match place {
            Place::Known => Some((&mut self.known, KNOWN_MAX)),
            Place::New => Some((&mut self.new, NEW_MAX)),
            Place::None => None,
        }
    }

    fn insert(&mut self, mut engine: Box<Engine>, stamp: u64) -> Key {
        let known = engine.count_wait() > KNOWN_AFTER;
        let place = match (engine.is_parked(), known) {
            (true, _) => Place::None,
            (false, true) => Place::Known,
            (false, false) => Place::New,
        };
        let entry = Slot {
            engine: Some(engine),
            stamp,
            place,
            older: NONE,
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
        self.enlist(slot, place);
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

    /// Puts the slot at the end of its list, and parks the first if they are too many.
    fn enlist(&mut self, slot: usize, place: Place) {
        let Some((list, most)) = self.list(place) else {
            return;
        };
        let newest = std::mem::replace(&mut list.newest, slot);
        list.length += 1;
        if newest == NONE {
            list.oldest = slot;
        }
        let surplus = (list.length > most).then_some(list.oldest);
        self.slots[slot].older = newest;
        if newest != NONE {
            self.slots[newest].next = slot;
        }
        if let Some(oldest) = surplus {
            self.unlist(oldest);
            if let Some(engine) = &mut self.slots[oldest].engine {
                // One with something in its rings keeps them; it is not idle.
                engine.park();
            }
        }
    }

    fn unlist(&mut self, slot: usize) {
        let Slot {
            older, next, place, ..
        } = self.slots[slot];
        let Some((list, _)) = self.list(place) else {
            return;
        };
        list.length -= 1;
        if older == NONE {
            list.oldest = next;
        }
        if next == NONE {
            list.newest = older;
        }
        if older != NONE {
            self.slots[older].next = next;
        }
        if next != NONE {
            self.slots[next].older = older;
        }
        self.slots[slot].place = Place::None;
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

    /// Has it wait for the first time.
    fn keep_new(context: &SslContext) -> Key {
        keep(plugged_engine(context)).expect("thread is alive")
    }

    /// Has it wait until it is known to come back.
    fn keep_known(context: &SslContext) -> Key {
        let mut key = keep_new(context);
        for _ in 0..KNOWN_AFTER {
            key = keep(take(key).expect("kept")).expect("thread is alive");
        }
        key
    }

    fn context() -> SslContext {
        let builder = SslContext::builder(SslMethod::tls());
        builder.expect("context").build()
    }

    fn is_parked(key: Key) -> bool {
        take(key).expect("kept").is_parked()
    }

    #[test]
    fn takes_the_rings_of_those_that_waited_longest() {
        for (keep_one, most) in [
            (keep_new as fn(&SslContext) -> Key, NEW_MAX),
            (keep_known, KNOWN_MAX),
        ] {
            let context = context();
            let first = keep_one(&context);
            let second = keep_one(&context);
            let others: Vec<Key> = (0..most - 2).map(|_| keep_one(&context)).collect();

            // `first` waits again, so `second` is the oldest now.
            let first = keep(take(first).expect("kept")).expect("thread is alive");
            let extra = keep_one(&context);
            assert!(is_parked(second));
            assert!(!is_parked(first));
            assert!(!is_parked(extra));
            assert!(others.into_iter().all(|key| !is_parked(key)));
        }
        IDLE.with(|idle| {
            let idle = idle.borrow();
            for list in [&idle.known, &idle.new] {
                assert_eq!((list.oldest, list.newest, list.length), (NONE, NONE, 0));
            }
        });
    }

    #[test]
    fn a_flood_of_new_ones_leaves_those_alone_that_have_come_back() {
        let context = context();
        let known = keep_known(&context);
        let flood: Vec<Key> = (0..2 * KNOWN_MAX).map(|_| keep_new(&context)).collect();
        assert!(!is_parked(known));
        let parked = flood.into_iter().filter(|key| is_parked(*key)).count();
        assert_eq!(parked, 2 * KNOWN_MAX - NEW_MAX);
    }

    #[test]
    fn a_key_finds_its_own_engine_only() {
        let context = context();
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
