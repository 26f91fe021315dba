//! Cancellable regions: which one ends, and which errors pass.

use greenling::port::{CancelHandle, RegionCancelled, cancellable};
use greenling::time::timeout;
use greenling::{Channel, ReceiveError, WaitError, defer_kill, run, schedule, spawn};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated};

/// The token of a receive that was cancelled.
fn token<T>(result: &Result<T, ReceiveError>) -> Option<u64> {
    match result {
        Err(ReceiveError::Wait(WaitError::Thrown(error))) => error
            .downcast_ref::<RegionCancelled>()
            .map(RegionCancelled::token),
        _ => None,
    }
}

#[test]
fn a_region_that_nobody_cancels_gives_its_value() {
    isolated(|| {
        let mut kept = None;
        let result = cancellable(|region| {
            kept = Some(region.clone());
            assert!(region.is_open());
            5
        });
        assert_eq!(result, Ok(5));
        let kept = kept.unwrap();
        assert!(!kept.is_open());
        assert!(!kept.cancel());
        // Nothing is on its way.
        schedule();
    });
}

#[test]
fn nested_regions_are_told_apart() {
    isolated(|| {
        let never: Channel<()> = Channel::new();
        for cancel_outer in [true, false] {
            let handles: Rc<RefCell<Vec<CancelHandle>>> = Rc::default();
            let (keeping, waiting) = (handles.clone(), never.clone());
            let task = spawn(move || {
                let mut inner_result = None;
                let outer_result = cancellable(|outer| {
                    inner_result = Some(cancellable(|inner| {
                        keeping.borrow_mut().extend([outer.clone(), inner.clone()]);
                        waiting.receive()
                    }));
                });
                (outer_result.is_err(), inner_result.unwrap())
            });
            schedule();
            let handles = handles.take();
            let chosen = &handles[usize::from(!cancel_outer)];
            assert_ne!(handles[0].token(), handles[1].token());
            assert!(chosen.cancel());
            let (outer_ended, inner) = task.join().unwrap();
            assert_eq!(outer_ended, cancel_outer);
            assert_eq!(inner.is_err(), !cancel_outer);
            // Either way, the wait was ended by the token of the chosen one.
            let received = inner.unwrap_or_else(|cancelled| cancelled.into_inner().unwrap());
            assert_eq!(token(&received), Some(chosen.token()));
            assert_eq!(never.balance(), 0);
        }
    });
}

#[test]
fn calls_that_return_nothing_unwind_to_their_own_region() {
    isolated(|| {
        let (trace, handles) = (Trace::new(), Rc::<RefCell<Vec<CancelHandle>>>::default());
        let (note, keeping) = (trace.clone(), handles.clone());
        let task = spawn(move || {
            cancellable(|outer| {
                let _outer = note.on_drop("outer");
                let _ = cancellable(|_| {
                    let _inner = note.on_drop("inner");
                    keeping.borrow_mut().push(outer.clone());
                    schedule();
                    note.note("not reached");
                });
                note.note("nor this");
            })
        });
        schedule();
        assert!(handles.borrow()[0].cancel());
        let cancelled = task.join().unwrap().unwrap_err();
        assert_eq!(cancelled.into_inner(), None);
        assert_eq!(trace.take(), "inner outer");
    });
}

#[test]
fn a_tasklet_can_cancel_its_own_region() {
    isolated(|| {
        let result = cancellable(|region| {
            region.cancel();
            unreachable!("it unwinds");
        });
        let result: Result<(), _> = result;
        assert_eq!(result.unwrap_err().into_inner(), None);
        // All is well afterwards.
        assert_eq!(spawn(|| 5).join().unwrap(), 5);
    });
}

#[test]
fn kills_panics_and_other_errors_pass() {
    isolated(|| {
        let task = spawn(|| {
            let _ = cancellable(|_| schedule());
            unreachable!("killed");
        });
        schedule();
        task.tasklet().kill().unwrap();
        assert!(task.join().unwrap_err().is_killed());
        let panicked = catch_unwind(|| cancellable(|_| panic!("no luck")));
        let payload = panicked.unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "no luck");
        let never: Channel<()> = Channel::new();
        let task = spawn(move || cancellable(|_| never.receive()));
        schedule();
        task.tasklet().throw("up").unwrap();
        let received = task.join().unwrap().unwrap().unwrap_err();
        assert!(matches!(received, ReceiveError::Wait(WaitError::Thrown(_))));
    });
}

#[test]
fn code_that_goes_on_after_a_cancellation_is_still_told_of_it() {
    isolated(|| {
        let (never, handles) = (
            Channel::<()>::new(),
            Rc::<RefCell<Vec<CancelHandle>>>::default(),
        );
        let keeping = handles.clone();
        let task = spawn(move || {
            cancellable(|region| {
                keeping.borrow_mut().push(region.clone());
                let first = never.receive();
                // The cancellation ends one wait, not those after it.
                let second = timeout(Duration::from_millis(1), || never.receive());
                (first.is_err(), second.is_err())
            })
        });
        schedule();
        assert!(handles.borrow()[0].cancel());
        let cancelled = task.join().unwrap().unwrap_err();
        assert_eq!(cancelled.into_inner(), Some((true, true)));
    });
}

#[test]
fn a_cancellation_that_is_held_back_comes_when_it_may() {
    isolated(|| {
        let channel: Channel<u32> = Channel::new();
        let handles: Rc<RefCell<Vec<CancelHandle>>> = Rc::default();
        let (receiving, keeping) = (channel.clone(), handles.clone());
        let task = spawn(move || {
            cancellable(|region| {
                keeping.borrow_mut().push(region.clone());
                let guard = defer_kill();
                let first = receiving.receive();
                drop(guard);
                (first.ok(), token(&receiving.receive()))
            })
        });
        schedule();
        let handle = handles.borrow()[0].clone();
        assert!(handle.cancel());
        channel.send(1).unwrap();
        let value = task.join().unwrap().unwrap_err().into_inner();
        assert_eq!(value, Some((Some(1), Some(handle.token()))));
        run().unwrap();
    });
}

#[test]
fn a_destructor_of_an_unwind_cannot_cancel_its_own_tasklet() {
    struct CancelOnDrop(CancelHandle);
    impl Drop for CancelOnDrop {
        fn drop(&mut self) {
            assert!(!self.0.cancel());
        }
    }
    isolated(|| {
        let result = catch_unwind(AssertUnwindSafe(|| {
            cancellable(|region| {
                let _cancel = CancelOnDrop(region.clone());
                std::panic::resume_unwind(Box::new("no luck"));
            })
        }));
        let payload = result.map(|_: Result<(), _>| ()).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "no luck");
    });
}
