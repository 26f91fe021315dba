//! Many conversations on one OS thread, shown to be under way at one instant.

use greenling::spawn;
use greenling::sync::Barrier;
use std::cell::Cell;
use std::rc::Rc;

/// The place in the middle of its protocol where a conversation waits until all
/// others are in the middle of theirs.
///
/// Clones are for both ends of one conversation to hold.
#[derive(Clone, Debug)]
pub struct Midway {
    seat: Rc<Seat>,
}

/// One conversation's place at the barrier.
#[derive(Debug)]
struct Seat {
    barrier: Rc<Barrier>,
    met: Cell<bool>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.met.get() {
            // The others would wait for ever.
            self.barrier.abort();
        }
    }
}

impl Midway {
    /// Waits until every conversation is here.
    ///
    /// # Panics
    ///
    /// When one of them has ended before: then they were never all inside.
    #[track_caller]
    pub fn meet(&self) {
        self.barrier().wait().expect("everybody gets midway");
        self.seat.met.set(true);
    }

    fn barrier(&self) -> &Barrier {
        &self.seat.barrier
    }
}

/// Runs `conversation(number, midway)` for each number below `count`, each in a
/// tasklet of the calling thread, and returns what they return, in order.
///
/// Conversations that never meet midway have shown nothing, so each of them has
/// to [`meet`](Midway::meet) exactly once, by one of its ends.
///
/// # Panics
///
/// When a conversation does, or has not met the others.
#[track_caller]
pub fn crowd<T: 'static>(
    count: usize,
    conversation: impl Fn(usize, &Midway) -> T + 'static,
) -> Vec<T> {
    let barrier = Rc::new(Barrier::new(count));
    let conversation = Rc::new(conversation);
    let members: Vec<_> = (0..count)
        .map(|number| {
            let conversation = conversation.clone();
            let seat = Rc::new(Seat {
                barrier: barrier.clone(),
                met: Cell::new(false),
            });
            let midway = Midway { seat };
            spawn(move || {
                let result = conversation(number, &midway);
                assert!(midway.seat.met.get(), "{number} never met the others");
                result
            })
        })
        .collect();
    members
        .into_iter()
        .map(|member| match member.join() {
            Ok(result) => result,
            Err(error) => panic!("a conversation has failed: {error}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn all_are_midway_before_any_goes_on() {
        let inside = Rc::new(Cell::new(0));
        let counted = inside.clone();
        let seen = crowd(5, move |number, midway| {
            inside.set(inside.get() + 1);
            midway.meet();
            (number, inside.get())
        });
        assert_eq!(seen, [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)]);
        assert_eq!(counted.get(), 5);
    }

    #[test]
    fn one_that_fails_before_ends_the_others() {
        let failed = catch_unwind(|| {
            crowd(3, |number, midway| {
                assert_ne!(number, 1, "ends early");
                midway.meet();
            })
        });
        assert!(failed.is_err());
    }

    #[test]
    fn one_that_never_meets_the_others_has_failed() {
        assert!(catch_unwind(|| crowd(1, |_, _| ())).is_err());
    }
}
