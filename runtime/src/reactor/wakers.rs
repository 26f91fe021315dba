//! The futures that wait for a descriptor.
//!
//! A future has no stack to be parked on: it leaves a [`Waker`]. There are two
//! kinds of seats for one.
//!
//! * One a direction, for functions that are polled, where the last waker wins:
//!   such a function can't tell whether it is polled by the same future as last
//!   time, and keeping all would pile up those of futures that are gone.
//! * One for each future that will tell when it is dropped.
//!
//! Cloning, dropping and calling a waker runs foreign code, which may come back
//! here. So wakers are cloned before the list is borrowed, and leave this file
//! before they are used or dropped.

use super::Interest;
use std::cell::{Cell, RefCell};
use std::task::Waker;

/// Whose seat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// Whoever polled last for reading.
    Reader,
    /// Whoever polled last for writing.
    Writer,
    /// One future's own.
    Own(u64),
}

struct Entry {
    seat: Seat,
    interest: Interest,
    waker: Waker,
}

/// Wakers by seat. Most descriptors never have any.
#[derive(Default)]
pub(super) struct Wakers {
    entries: RefCell<Vec<Entry>>,
    seats: Cell<u64>,
}

impl Wakers {
    /// A seat that nobody else has.
    pub(super) fn new_seat(&self) -> Seat {
        let number = self.seats.get();
        self.seats.set(number + 1);
        Seat::Own(number)
    }

    /// Leaves `waker` at `seat`, instead of the one there; true if there was
    /// none.
    pub(super) fn set(&self, seat: Seat, interest: Interest, waker: &Waker) -> bool {
        let is_there = |entry: &Entry| {
            entry.seat == seat && entry.interest == interest && entry.waker.will_wake(waker)
        };
        if self.entries.borrow().iter().any(is_there) {
            return false;
        }
        let entry = Entry {
            seat,
            interest,
            waker: waker.clone(),
        };
        let replaced = self.put(entry);
        replaced.is_none()
    }

    fn put(&self, entry: Entry) -> Option<Entry> {
        let mut entries = self.entries.borrow_mut();
        match entries.iter_mut().find(|it| it.seat == entry.seat) {
            Some(there) => Some(std::mem::replace(there, entry)),
            None => {
                // Most have one, and a crowd of descriptors may each have it.
                entries.reserve_exact(1);
                entries.push(entry);
                None
            }
        }
    }

    /// Takes back what was left at `seat`.
    pub(super) fn remove(&self, seat: Seat) -> Option<Waker> {
        let mut entries = self.entries.borrow_mut();
        let at = entries.iter().position(|entry| entry.seat == seat)?;
        Some(entries.swap_remove(at).waker)
    }

    /// Moves the wakers of those who want one of the directions to `into`, and
    /// counts them.
    pub(super) fn take(&self, directions: Interest, into: &mut Vec<Waker>) -> usize {
        let before = into.len();
        let mut entries = self.entries.borrow_mut();
        let taken = entries.extract_if(.., |entry| entry.interest.overlaps(directions));
        into.extend(taken.map(|entry| entry.waker));
        into.len() - before
    }

    pub(super) fn len(&self) -> usize {
        self.entries.borrow().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counting() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), count.into())
    }

    #[test]
    fn the_last_one_polled_wins_a_direction() {
        let wakers = Wakers::default();
        let ((first, old), (second, new)) = (counting(), counting());
        assert!(wakers.set(Seat::Reader, Interest::READ, &old));
        assert!(!wakers.set(Seat::Reader, Interest::READ, &new));
        assert!(wakers.set(Seat::Writer, Interest::WRITE, &old));
        let mut taken = Vec::new();
        assert_eq!(wakers.take(Interest::READ, &mut taken), 1);
        taken.into_iter().for_each(Waker::wake);
        assert_eq!(first.0.load(Ordering::Relaxed), 0);
        assert_eq!(second.0.load(Ordering::Relaxed), 1);
        assert_eq!(wakers.len(), 1);
    }

    #[test]
    fn futures_with_places_of_their_own_are_all_woken() {
        let wakers = Wakers::default();
        let (count, waker) = counting();
        let seats = [(); 3].map(|()| wakers.new_seat());
        for seat in seats {
            assert!(wakers.set(seat, Interest::BOTH, &waker));
        }
        assert!(wakers.remove(seats[1]).is_some());
        assert!(wakers.remove(seats[1]).is_none());
        let mut taken = Vec::new();
        assert_eq!(wakers.take(Interest::WRITE, &mut taken), 2);
        taken.into_iter().for_each(Waker::wake);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
