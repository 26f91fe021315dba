//! Wakes from everywhere, at every moment.

use crate::{Gate, until};
use greenling::{ParkAction, block_on, schedule, set_park_hook, spawn};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Poll, Waker};
use tests::isolated;

#[test]
fn before_the_park() {
    isolated(|| {
        let mut first = true;
        block_on(poll_fn(|context| {
            if std::mem::take(&mut first) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        }))
        .unwrap();
    });
}

#[test]
fn from_another_thread_before_the_park() {
    isolated(|| {
        let mut first = true;
        block_on(poll_fn(|context| {
            if std::mem::take(&mut first) {
                let waker = context.waker().clone();
                std::thread::spawn(move || waker.wake()).join().unwrap();
                return Poll::Pending;
            }
            Poll::Ready(())
        }))
        .unwrap();
    });
}

/// In the last moment before the park, where the hook for tests is called.
#[test]
fn between_the_poll_and_the_park() {
    isolated(|| {
        let kept: Rc<RefCell<Vec<Waker>>> = Rc::default();
        for (elsewhere, keep) in [(false, false), (false, true), (true, false), (true, true)] {
            let keeping = kept.clone();
            let gate = Gate::default();
            let hooked = gate.clone();
            set_park_hook(Some(Rc::new(move |_, _| {
                if let Some(waker) = hooked.take_waker() {
                    hooked.open();
                    if keep {
                        keeping.borrow_mut().push(waker.clone());
                    }
                    if elsewhere {
                        std::thread::spawn(move || waker.wake()).join().unwrap();
                    } else {
                        waker.wake();
                    }
                }
                ParkAction::Continue
            })));
            assert_eq!(block_on(gate.wait()).unwrap(), 2);
            set_park_hook(None);
        }
    });
}

#[test]
fn from_another_thread_while_this_one_sleeps_in_the_kernel() {
    isolated(|| {
        for _ in 0..100 {
            let (sender, receiver) = futures_channel::oneshot::channel();
            let thread = std::thread::spawn(move || sender.send(()).unwrap());
            block_on(receiver).unwrap().unwrap();
            thread.join().unwrap();
        }
    });
}

#[test]
fn from_a_tasklet_of_the_same_thread_without_a_look_at_the_world() {
    isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || block_on(waiting));
        until(|| gate.polls() == 1);
        let polls = greenling::inspect::polls();
        gate.open();
        gate.take_waker().unwrap().wake();
        schedule();
        assert_eq!(gate.polls(), 2, "it had to wait for its inbox");
        assert_eq!(greenling::inspect::polls(), polls);
        assert_eq!(task.join().unwrap().unwrap(), 2);
    });
}

#[test]
fn more_than_one_at_a_time_lead_to_one_poll() {
    isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || block_on(waiting));
        until(|| gate.polls() == 1);
        let waker = gate.take_waker().unwrap();
        let others = [(); 10].map(|()| waker.clone());
        for waker in &others {
            waker.wake_by_ref();
        }
        others.into_iter().for_each(Waker::wake);
        schedule();
        assert_eq!(gate.polls(), 2);
        schedule();
        assert_eq!(gate.polls(), 2);
        gate.open();
        waker.wake();
        assert_eq!(task.join().unwrap().unwrap(), 3);
    });
}

#[test]
fn for_nothing() {
    isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || block_on(waiting));
        for polls in 1..10 {
            until(|| gate.polls() == polls);
            gate.take_waker().unwrap().wake();
        }
        until(|| gate.polls() == 10);
        gate.open();
        gate.take_waker().unwrap().wake();
        assert_eq!(task.join().unwrap().unwrap(), 11);
    });
}

#[test]
fn after_the_future_is_done() {
    isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || {
            block_on(waiting).unwrap();
            // What comes late must not end this wait.
            greenling::Channel::<()>::new().receive().unwrap_err()
        });
        until(|| gate.polls() == 1);
        let waker = gate.take_waker().unwrap();
        gate.open();
        waker.wake_by_ref();
        until(|| task.tasklet().is_blocked());
        waker.wake_by_ref();
        let elsewhere = waker.clone();
        std::thread::spawn(move || elsewhere.wake()).join().unwrap();
        for _ in 0..200 {
            schedule();
        }
        assert!(task.tasklet().is_blocked(), "woken by a late wake");
        task.tasklet().kill().unwrap();
        waker.wake();
    });
}

#[test]
fn of_an_earlier_future_of_the_same_tasklet() {
    isolated(|| {
        let (first, second) = (Gate::default(), Gate::default());
        let (one, two) = (first.wait(), second.wait());
        let task = spawn(move || (block_on(one).unwrap(), block_on(two).unwrap()));
        until(|| first.polls() == 1);
        let waker = first.take_waker().unwrap();
        first.open();
        waker.wake_by_ref();
        until(|| second.polls() == 1);
        waker.wake();
        for _ in 0..200 {
            schedule();
        }
        assert_eq!(second.polls(), 1, "woken by another's waker");
        second.open();
        second.take_waker().unwrap().wake();
        assert_eq!(task.join().unwrap(), (2, 2));
    });
}

/// Four threads wake one future a hundred thousand times between them. The
/// future counts down as it learns of what they did; a lost wake hangs.
#[test]
fn a_storm_of_a_hundred_thousand_from_four_threads() {
    const THREADS: u32 = 4;
    const WAKES: u32 = 25_000;
    isolated(|| {
        let done = Arc::new(AtomicU32::new(0));
        let (handing, handed) = mpsc::channel::<Waker>();
        let start = Arc::new(Barrier::new(THREADS as usize + 1));
        let (counting, starting) = (done.clone(), start.clone());
        let herd = std::thread::spawn(move || {
            let waker = handed.recv().unwrap();
            let threads = [(); THREADS as usize].map(|()| {
                let (waker, done, start) = (waker.clone(), counting.clone(), starting.clone());
                std::thread::spawn(move || {
                    start.wait();
                    for _ in 0..WAKES / 2 {
                        let used_up = waker.clone();
                        done.fetch_add(1, Ordering::Release);
                        used_up.wake();
                        done.fetch_add(1, Ordering::Release);
                        waker.wake_by_ref();
                    }
                })
            });
            drop(waker);
            starting.wait();
            for thread in threads {
                thread.join().unwrap();
            }
        });
        let mut first = Some(handing);
        let beside = Rc::new(Cell::new(0u32));
        let counting = beside.clone();
        let other = spawn(move || {
            while counting.get() < u32::MAX {
                counting.set(counting.get().saturating_add(1));
                schedule();
            }
        });
        block_on(poll_fn(|context| {
            if let Some(handing) = first.take() {
                handing.send(context.waker().clone()).unwrap();
            }
            if done.load(Ordering::Acquire) == THREADS * WAKES {
                return Poll::Ready(());
            }
            Poll::Pending
        }))
        .unwrap();
        beside.set(u32::MAX);
        other.join().unwrap();
        herd.join().unwrap();
    });
}

/// The waker passes to another thread with each poll and is used up there, so
/// that sometimes none exists while the tasklet waits.
#[test]
fn by_wakers_that_are_used_up() {
    isolated(|| {
        let (handing, handed) = mpsc::channel::<Waker>();
        let thread = std::thread::spawn(move || handed.into_iter().for_each(Waker::wake));
        let mut left = 10_000;
        block_on(poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            handing.send(context.waker().clone()).unwrap();
            Poll::Pending
        }))
        .unwrap();
        drop(handing);
        thread.join().unwrap();
    });
}

/// The last waker is dropped instead of used, while the tasklet waits: it is
/// polled again all the same, for nobody else could do that any more.
#[test]
fn by_the_last_waker_that_is_dropped() {
    isolated(|| {
        let (handing, handed) = mpsc::channel::<Waker>();
        let (going, go) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let waker = handed.recv().unwrap();
            go.recv().unwrap();
            drop(waker);
        });
        // Runs when this tasklet has parked.
        spawn(move || going.send(()).unwrap());
        let mut first = Some(handing);
        block_on(poll_fn(|context| match first.take() {
            Some(handing) => {
                handing.send(context.waker().clone()).unwrap();
                Poll::Pending
            }
            None => Poll::Ready(()),
        }))
        .unwrap();
        thread.join().unwrap();
    });
}
