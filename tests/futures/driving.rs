//! `block_on` itself.

use crate::{Gate, until};
use greenling::{Channel, WaitError, block_on, schedule, spawn};
use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tests::{isolated, on_bare_thread};

/// Says when it is dropped, and whether that was while unwinding.
struct Told(Rc<Cell<Option<bool>>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.set(Some(std::thread::panicking()));
    }
}

#[test]
fn a_future_that_is_ready_needs_no_switch() {
    isolated(|| {
        let other = spawn(|| ());
        assert_eq!(block_on(ready(3)).unwrap(), 3);
        assert!(!other.is_finished(), "it switched");
        let _trap = greenling::switch_trap();
        assert_eq!(block_on(ready(4)).unwrap(), 4);
    });
}

#[test]
fn a_thread_without_tasklets_can_wait() {
    on_bare_thread(|| {
        let (sender, receiver) = futures_channel::oneshot::channel();
        let thread = std::thread::spawn(move || sender.send(5).unwrap());
        assert_eq!(block_on(receiver).unwrap(), Ok(5));
        thread.join().unwrap();
    });
}

#[test]
fn where_switching_is_refused_a_pending_future_is_an_error() {
    isolated(|| {
        let trap = greenling::switch_trap();
        let result = block_on(pending::<()>());
        assert!(matches!(result, Err(WaitError::SwitchTrap)), "{result:?}");
        let woken = block_on(poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        assert!(matches!(woken, Err(WaitError::SwitchTrap)), "{woken:?}");
        drop(trap);
        let on_native = greenling::on_system_stack(|| block_on(pending::<()>()));
        assert!(matches!(on_native, Err(WaitError::SwitchTrap)));
    });
}

#[test]
fn a_destructor_that_unwinds_is_told_so() {
    struct Late(Rc<Cell<bool>>);
    impl Drop for Late {
        fn drop(&mut self) {
            let result = block_on(pending::<()>());
            self.0.set(matches!(result, Err(WaitError::Unwinding)));
        }
    }
    isolated(|| {
        let told = Rc::new(Cell::new(false));
        let late = Late(told.clone());
        let task = spawn(move || {
            let _late = late;
            greenling::schedule_remove();
        });
        let tasklet = task.tasklet();
        schedule();
        tasklet.kill().unwrap();
        assert!(told.get());
    });
}

#[test]
fn a_future_that_nobody_can_wake_is_a_deadlock() {
    isolated(|| {
        let result = block_on(pending::<()>());
        assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
        // A waker that was dropped wakes nobody either.
        let (gate, mut first) = (Gate::default(), true);
        let dropping = gate.clone();
        let dropper = spawn(move || drop(dropping.take_waker().unwrap()));
        let mut future = pin!(gate.wait());
        let result = block_on(poll_fn(|context| match std::mem::take(&mut first) {
            true => future.as_mut().poll(context),
            false => Poll::Pending,
        }));
        assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
        assert!(dropper.is_finished());
    });
}

#[test]
fn the_last_waker_that_goes_from_another_thread_lets_the_deadlock_be_seen() {
    isolated(|| {
        let (handing, handed) = std::sync::mpsc::channel();
        let (going, go) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let waker: std::task::Waker = handed.recv().unwrap();
            go.recv().unwrap();
            drop(waker);
        });
        // Runs when this tasklet has parked.
        spawn(move || going.send(()).unwrap());
        let mut first = Some(handing);
        let result = block_on(poll_fn(move |context| {
            if let Some(handing) = first.take() {
                handing.send(context.waker().clone()).unwrap();
            }
            Poll::<()>::Pending
        }));
        assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
        thread.join().unwrap();
    });
}

#[test]
fn a_kill_drops_the_future_where_it_is() {
    isolated(|| {
        let dropped = Rc::new(Cell::new(None));
        let told = Told(dropped.clone());
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || {
            block_on(async move {
                let _told = told;
                waiting.await
            })
        });
        until(|| gate.polls() == 1);
        let tasklet = task.tasklet();
        tasklet.kill().unwrap();
        assert_eq!(dropped.get(), Some(true));
        assert!(task.join().unwrap_err().is_killed());
        // Nobody is there to be woken.
        gate.take_waker().unwrap().wake();
    });
}

#[test]
fn an_error_thrown_at_it_is_returned() {
    isolated(|| {
        let dropped = Rc::new(Cell::new(None));
        let told = Told(dropped.clone());
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || {
            block_on(async move {
                let _told = told;
                waiting.await
            })
        });
        until(|| gate.polls() == 1);
        task.tasklet().throw("no more").unwrap();
        match task.join().unwrap() {
            Err(WaitError::Thrown(error)) => assert_eq!(error.to_string(), "no more"),
            other => panic!("{other:?}"),
        }
        assert_eq!(dropped.get(), Some(false));
    });
}

#[test]
fn an_error_thrown_at_one_that_always_wakes_itself_is_returned() {
    isolated(|| {
        let polls = Rc::new(Cell::new(0));
        let counting = polls.clone();
        let task = spawn(move || {
            block_on(poll_fn(move |context| {
                counting.set(counting.get() + 1);
                context.waker().wake_by_ref();
                Poll::<()>::Pending
            }))
        });
        until(|| polls.get() > 3);
        task.tasklet().throw_pending("stop").unwrap();
        let result = task.join().unwrap();
        assert!(matches!(result, Err(WaitError::Thrown(_))), "{result:?}");
    });
}

#[test]
fn a_time_limit_ends_it_and_a_borrowed_future_goes_on_later() {
    isolated(|| {
        let gate = Gate::default();
        let mut future = pin!(gate.wait());
        let limited =
            greenling::time::timeout(Duration::from_millis(1), || block_on(future.as_mut()));
        let result = limited.unwrap_err().into_inner();
        assert!(matches!(result, Err(WaitError::TimedOut)), "{result:?}");
        gate.open();
        assert_eq!(block_on(future).unwrap(), 2);
    });
}

#[test]
fn a_time_limit_ends_one_that_always_wakes_itself() {
    isolated(|| {
        let limited = greenling::time::timeout(Duration::from_millis(1), || {
            block_on(poll_fn(|context| {
                context.waker().wake_by_ref();
                Poll::<()>::Pending
            }))
        });
        let result = limited.unwrap_err().into_inner();
        assert!(matches!(result, Err(WaitError::TimedOut)), "{result:?}");
    });
}

#[test]
fn a_panic_of_the_future_goes_to_the_caller() {
    isolated(|| {
        let task = spawn(|| {
            block_on(async {
                std::panic::resume_unwind(Box::new("quietly"));
            })
        });
        let payload = task.join().unwrap_err().into_panic();
        assert_eq!(payload.downcast_ref(), Some(&"quietly"));
    });
}

#[test]
fn one_inside_another() {
    isolated(|| {
        let (inner, outer) = (Gate::default(), Gate::default());
        let (opening_inner, opening_outer) = (inner.clone(), outer.clone());
        spawn(move || {
            opening_outer.open();
            // The outer future's waker does not exist yet: the inner holds its poll.
            until(|| opening_inner.polls() == 1);
            assert_eq!(opening_outer.polls(), 0);
            opening_inner.open();
            opening_inner.take_waker().unwrap().wake();
        });
        let both = block_on(async {
            let inner = block_on(inner.wait()).unwrap();
            (inner, outer.wait().await)
        });
        assert_eq!(both.unwrap(), (2, 1));
    });
}

#[test]
fn a_wake_of_the_outer_while_the_inner_waits_is_not_lost() {
    isolated(|| {
        let (inner, outer) = (Gate::default(), Gate::default());
        let (opening_inner, opening_outer) = (inner.clone(), outer.clone());
        spawn(move || {
            until(|| opening_inner.polls() == 1);
            opening_outer.open();
            opening_outer.take_waker().unwrap().wake();
            schedule();
            assert_eq!(opening_inner.polls(), 1, "the wake went astray");
            opening_inner.open();
            opening_inner.take_waker().unwrap().wake();
        });
        let mut first = true;
        let mut waiting = pin!(outer.wait());
        let polls = block_on(poll_fn(|context| {
            let polled = waiting.as_mut().poll(context);
            if std::mem::take(&mut first) {
                block_on(inner.wait()).unwrap();
            }
            polled
        }));
        assert_eq!(polls.unwrap(), 2);
    });
}

#[test]
fn a_future_may_park_the_tasklet_inside_its_poll() {
    isolated(|| {
        let channel = Channel::new();
        let sending = channel.clone();
        spawn(move || sending.send(7).unwrap());
        let gate = Gate::default();
        let waking = gate.clone();
        let sum = block_on(async {
            let received = channel.receive().unwrap();
            greenling::time::sleep(Duration::from_micros(10));
            spawn(move || {
                waking.open();
                waking.take_waker().unwrap().wake();
            });
            received + gate.wait().await
        });
        assert_eq!(sum.unwrap(), 7 + 2);
    });
}

#[test]
fn one_that_always_wakes_itself_lets_others_run() {
    isolated(|| {
        let turns = Rc::new(Cell::new(0));
        let counting = turns.clone();
        let other = spawn(move || {
            for _ in 0..100 {
                counting.set(counting.get() + 1);
                schedule();
            }
        });
        let mut polls = 0;
        block_on(poll_fn(|context| {
            context.waker().wake_by_ref();
            if turns.get() == 100 {
                return Poll::Ready(());
            }
            polls += 1;
            assert_eq!(turns.get() + 1, polls, "others do not run in between");
            Poll::Pending
        }))
        .unwrap();
        other.join().unwrap();
    });
}

#[test]
fn the_dump_says_what_it_waits_for() {
    isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        let task = spawn(move || block_on(waiting));
        until(|| gate.polls() == 1);
        let mut text = Vec::new();
        greenling::inspect::dump(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("future polled by block_on"), "{text}");
        assert!(text.contains("futures/driving.rs"), "{text}");
        gate.open();
        gate.take_waker().unwrap().wake();
        task.join().unwrap().unwrap();
    });
}

#[test]
fn the_end_of_the_thread_kills_those_that_wait() {
    let waker = isolated(|| {
        let gate = Gate::default();
        let waiting = gate.wait();
        spawn(move || block_on(waiting));
        until(|| gate.polls() == 1);
        gate.take_waker().unwrap()
    });
    // Its tasklet, its scheduler and its thread are gone.
    waker.wake_by_ref();
    waker.wake();
}

#[test]
fn a_deadline_that_has_passed_already() {
    isolated(|| {
        let past = Instant::now();
        let limited = greenling::time::timeout_at(past, || block_on(pending::<()>()));
        let result = limited.unwrap_err().into_inner();
        assert!(matches!(result, Err(WaitError::TimedOut)), "{result:?}");
        let limited = greenling::time::timeout_at(past, || block_on(ready(1)));
        assert_eq!(limited.unwrap().unwrap(), 1);
    });
}
