//! Queues: order, bounds, closing, and values with destructors.

use super::parked;
use greenling::sync::{GetError, PutError, Queue, TryGetError, TryPutError};
use greenling::{JoinHandle, WaitError, run, schedule, spawn};
use std::cell::Cell;
use std::error::Error;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tests::{Trace, isolated};

fn getting<T: 'static>(queue: &Rc<Queue<T>>) -> JoinHandle<Result<T, GetError>> {
    let queue = queue.clone();
    parked(move || queue.get())
}

fn putting<T: 'static>(queue: &Rc<Queue<T>>, value: T) -> JoinHandle<Result<(), PutError<T>>> {
    let queue = queue.clone();
    parked(move || queue.put(value))
}

#[test]
fn values_come_out_in_the_order_in_which_they_went_in() {
    isolated(|| {
        for capacity in [1, 2, 7, 1000] {
            let queue = Rc::new(Queue::bounded(capacity));
            let filling = queue.clone();
            let producer = spawn(move || {
                for number in 0..100 {
                    filling.put(number).unwrap();
                    assert!(filling.len() <= capacity);
                }
                filling.close();
            });
            let got: Result<Vec<_>, _> = queue.iter().collect();
            assert!(got.unwrap().into_iter().eq(0..100), "{capacity}");
            producer.join().unwrap();
        }
    });
}

#[test]
fn nobody_switches_who_need_not_wait() {
    isolated(|| {
        let (queue, trace) = (Rc::new(Queue::bounded(2)), Trace::new());
        let (inside, inner) = (queue.clone(), trace.clone());
        let getter = parked(move || {
            for value in inside.iter() {
                inner.note(value.unwrap());
            }
        });
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        trace.note("put");
        schedule();
        assert_eq!(trace.take(), "put 1 2");
        queue.put(3).unwrap();
        queue.close();
        trace.note("closed");
        getter.join().unwrap();
        assert_eq!(trace.take(), "closed 3");
    });
}

#[test]
fn putters_that_wait_put_in_order_and_are_not_overtaken() {
    isolated(|| {
        let queue = Rc::new(Queue::bounded(1));
        queue.put(0).unwrap();
        let putters = [1, 2, 3].map(|number| putting(&queue, number));
        assert_eq!(queue.putters(), putters.each_ref().map(|put| put.tasklet()));
        assert_eq!(queue.balance(), 4);
        assert_eq!(queue.get().unwrap(), 0);
        // The room is the first putter's, though it has not run.
        assert!(queue.is_empty());
        assert!(matches!(queue.try_put(9), Err(TryPutError::Full(9))));
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        for number in [1, 2, 3] {
            assert_eq!(queue.get().unwrap(), number);
        }
        for putter in putters {
            putter.join().unwrap().unwrap();
        }
        assert_eq!(queue.balance(), 0);
    });
}

#[test]
fn getters_that_wait_are_not_overtaken() {
    isolated(|| {
        let queue = Rc::new(Queue::new());
        let getters = [0; 2].map(|_| getting(&queue));
        assert_eq!(queue.getters(), getters.each_ref().map(|get| get.tasklet()));
        assert_eq!(queue.balance(), -2);
        queue.put('a').unwrap();
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        queue.put('b').unwrap();
        queue.put('c').unwrap();
        assert_eq!((queue.len(), queue.balance()), (3, 1));
        let [first, second] = getters.map(|get| get.join().unwrap().unwrap());
        assert_eq!((first, second), ('a', 'b'));
        assert_eq!(queue.try_get(), Ok('c'));
    });
}

#[test]
fn what_a_dead_getter_was_woken_for_stays_in_its_place() {
    isolated(|| {
        let queue = Rc::new(Queue::new());
        let [first, second, third] = [0; 3].map(|_| getting(&queue));
        for letter in ['a', 'b', 'c'] {
            queue.put(letter).unwrap();
        }
        first.tasklet().kill_pending().unwrap();
        assert_eq!(second.join().unwrap().unwrap(), 'a');
        assert_eq!(third.join().unwrap().unwrap(), 'b');
        assert_eq!(queue.try_get(), Ok('c'));
    });
}

#[test]
fn a_closed_queue_is_drained_and_then_closed_for_all() {
    isolated(|| {
        let queue = Rc::new(Queue::bounded(2));
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        let refused = putting(&queue, 3);
        queue.close();
        assert!(queue.is_closed());
        let error = refused.join().unwrap().unwrap_err();
        assert!(matches!(error, PutError::Closed(3)));
        assert!(matches!(queue.try_put(4), Err(TryPutError::Closed(4))));
        assert!(matches!(queue.put(5), Err(PutError::Closed(5))));
        assert_eq!(queue.get().unwrap(), 1);
        assert_eq!(queue.try_get(), Ok(2));
        assert_eq!(queue.try_get(), Err(TryGetError::Closed));
        assert!(matches!(queue.get(), Err(GetError::Closed)));
        assert!(queue.iter().next().is_none());
    });
}

#[test]
fn closing_wakes_all_getters_of_an_empty_queue() {
    isolated(|| {
        let queue = Rc::new(Queue::<u8>::new());
        let getters = [0; 3].map(|_| getting(&queue));
        queue.close();
        getters[0].tasklet().kill_pending().unwrap();
        let [first, second, third] = getters;
        assert!(first.join().unwrap_err().is_killed());
        for getter in [second, third] {
            assert!(matches!(getter.join().unwrap(), Err(GetError::Closed)));
        }
    });
}

#[test]
fn a_putter_that_was_woken_does_not_put_after_the_close() {
    isolated(|| {
        let queue = Rc::new(Queue::bounded(1));
        queue.put(1).unwrap();
        let putter = putting(&queue, 2);
        assert_eq!(queue.get().unwrap(), 1);
        queue.close();
        assert!(matches!(queue.get(), Err(GetError::Closed)));
        let error = putter.join().unwrap().unwrap_err();
        assert!(matches!(error, PutError::Closed(2)));
        assert!(queue.is_empty());
    });
}

#[test]
fn the_last_value_of_a_closed_queue_goes_to_one_who_lives() {
    isolated(|| {
        for dies in [false, true] {
            let queue = Rc::new(Queue::new());
            let first = getting(&queue);
            queue.put(1).unwrap();
            queue.close();
            // Claimed, but not taken: too early to say that nothing is left.
            assert_eq!(queue.try_get(), Err(TryGetError::Empty));
            if dies {
                first.tasklet().kill_pending().unwrap();
                assert_eq!(queue.get().unwrap(), 1);
            } else {
                assert!(matches!(queue.get(), Err(GetError::Closed)));
                assert_eq!(first.join().unwrap().unwrap(), 1);
            }
            assert!(matches!(queue.get(), Err(GetError::Closed)));
        }
    });
}

#[test]
fn closing_sends_nobody_away_while_a_claim_may_yet_be_given_up() {
    isolated(|| {
        for dies in [false, true] {
            let queue = Rc::new(Queue::new());
            let [first, second, third] = [0; 3].map(|_| getting(&queue));
            queue.put(1).unwrap();
            queue.put(2).unwrap();
            queue.close();
            assert_eq!(queue.getters(), [third.tasklet()]);
            if dies {
                second.tasklet().kill_pending().unwrap();
            }
            assert_eq!(first.join().unwrap().unwrap(), 1);
            let last = third.join().unwrap();
            if dies {
                assert_eq!(last.unwrap(), 2);
                assert!(second.join().unwrap_err().is_killed());
            } else {
                assert!(matches!(last, Err(GetError::Closed)));
                assert_eq!(second.join().unwrap().unwrap(), 2);
            }
        }
    });
}

/// A value whose destructor uses the queue that it was in.
struct Meddles {
    queue: Weak<Queue<Meddles>>,
    left: usize,
    dropped: Rc<Cell<usize>>,
}

impl Drop for Meddles {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        let Some(queue) = self.queue.upgrade() else {
            return;
        };
        assert!(queue.len() <= 2);
        if self.left > 0 {
            let again = Meddles {
                queue: self.queue.clone(),
                left: self.left - 1,
                dropped: self.dropped.clone(),
            };
            // A full queue gives it back, and it is dropped in here.
            drop(queue.try_put(again));
        }
        drop(queue.try_get());
        queue.close();
    }
}

#[test]
fn destructors_of_values_may_use_the_queue() {
    isolated(|| {
        let queue = Rc::new(Queue::bounded(2));
        let dropped = Rc::new(Cell::new(0));
        let make = || Meddles {
            queue: Rc::downgrade(&queue),
            left: 2,
            dropped: dropped.clone(),
        };
        queue.put(make()).unwrap();
        queue.put(make()).unwrap();
        // Dropped by the unwind of a kill, with another putter behind it.
        let killed = putting(&queue, make());
        let behind = putting(&queue, make());
        killed.tasklet().kill().unwrap();
        assert!(queue.is_closed());
        drop(behind.join().unwrap());
        drop(queue.put(make()));
        while let Ok(value) = queue.try_get() {
            drop(value);
        }
        assert!(dropped.get() >= 5);
        // Those inside when the queue itself goes find it gone.
        let queue = Rc::new(Queue::new());
        let inside = Meddles {
            queue: Rc::downgrade(&queue),
            left: 2,
            dropped: dropped.clone(),
        };
        queue.put(inside).unwrap_or_else(|_| panic!("unbounded"));
        let before = dropped.get();
        drop(queue);
        assert_eq!(dropped.get(), before + 1);
    });
}

#[test]
fn every_value_is_dropped_once_wherever_its_owner_dies() {
    struct Counted(Rc<Cell<usize>>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    isolated(|| {
        let queue = Rc::new(Queue::bounded(3));
        let dropped = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..600)
            .map(|number| {
                let (queue, dropped) = (queue.clone(), dropped.clone());
                spawn(move || {
                    if number % 3 > 0 {
                        drop(queue.put(Counted(dropped)));
                    } else {
                        drop(queue.get());
                    }
                })
            })
            .collect();
        for (number, task) in tasks.iter().enumerate() {
            if number % 7 == 0 {
                task.tasklet().kill_pending().unwrap();
            }
            if number % 50 == 0 {
                schedule();
            }
        }
        run().unwrap();
        queue.close();
        run().unwrap();
        assert!(tasks.iter().all(|task| task.is_finished()));
        let made = Rc::strong_count(&dropped) - 1;
        assert_eq!(made, queue.len(), "the others have gone");
        let before = dropped.get();
        drop((queue, tasks));
        assert_eq!(dropped.get(), before + made);
        assert_eq!(Rc::strong_count(&dropped), 1);
    });
}

#[test]
fn thousands_wait_on_either_side() {
    isolated(|| {
        let queue = Rc::new(Queue::bounded(1));
        let putters: Vec<_> = (0..5000)
            .map(|number| {
                let queue = queue.clone();
                spawn(move || queue.put(number).unwrap())
            })
            .collect();
        schedule();
        assert_eq!(queue.putters().len(), 4999);
        let getters: Vec<_> = (0..5000)
            .map(|_| {
                let queue = queue.clone();
                spawn(move || queue.get().unwrap())
            })
            .collect();
        for (number, getter) in getters.into_iter().enumerate() {
            assert_eq!(getter.join().unwrap(), number);
        }
        assert!(putters.iter().all(|putter| putter.is_finished()));
        assert_eq!(queue.balance(), 0);
    });
}

#[test]
fn a_queue_without_room_is_refused() {
    let made = std::panic::catch_unwind(|| Queue::<u8>::bounded(0));
    assert!(made.is_err());
    assert_eq!(Queue::<u8>::bounded(3).capacity(), Some(3));
    assert_eq!(Queue::<u8>::new().capacity(), None);
}

#[test]
fn a_put_that_waits_in_vain_says_why() {
    isolated(|| {
        let queue = Queue::bounded(1);
        queue.put(1).unwrap();
        let error = queue.put_timeout(2, Duration::ZERO).unwrap_err();
        let source = error.source().and_then(<dyn Error>::downcast_ref);
        assert!(matches!(source, Some(WaitError::TimedOut)));
        assert_eq!(error.into_inner(), 2);
    });
}

#[test]
fn errors_have_the_kinds_of_io() {
    let queue = Queue::bounded(1);
    let kind = |error: io::Error| error.kind();
    queue.put(1).unwrap();
    assert_eq!(
        kind(queue.try_put(2).unwrap_err().into()),
        io::ErrorKind::WouldBlock
    );
    queue.close();
    assert_eq!(
        kind(queue.try_put(2).unwrap_err().into()),
        io::ErrorKind::BrokenPipe
    );
    assert_eq!(
        kind(queue.put(2).unwrap_err().into()),
        io::ErrorKind::BrokenPipe
    );
    assert_eq!(queue.get().unwrap(), 1);
    assert_eq!(
        kind(queue.get().unwrap_err().into()),
        io::ErrorKind::UnexpectedEof
    );
    assert_eq!(
        kind(queue.try_get().unwrap_err().into()),
        io::ErrorKind::UnexpectedEof
    );
    assert_eq!(queue.put(2).unwrap_err().into_inner(), 2);
    assert_eq!(queue.put(2).unwrap_err().to_string(), "the queue is closed");
}
