//! Tokens under attack: cancelled from wherever code may run.

use greenling::time::{CancelToken, sleep, timeout};
use greenling::{
    Channel, ReceiveError, WaitError, defer_kill, on_system_stack, schedule, scope, select,
    set_channel_callback, spawn,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
use tests::{isolated, on_bare_thread};

const LONG: Duration = Duration::from_secs(3600);

fn is_cancelled<T>(result: &Result<T, ReceiveError>) -> bool {
    matches!(result, Err(ReceiveError::Wait(WaitError::Cancelled)))
}

/// A tasklet that waits under the token, and tells whether that was cancelled.
fn member(token: &CancelToken) -> greenling::JoinHandle<bool> {
    let token = token.clone();
    spawn(move || {
        let result = token.run(|| Channel::<()>::new().receive());
        is_cancelled(&result.unwrap_err().into_inner())
    })
}

#[test]
fn a_destructor_that_runs_in_an_unwind_can_cancel() {
    struct Cancels(CancelToken);
    impl Drop for Cancels {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    isolated(|| {
        let token = CancelToken::new();
        let members = [member(&token), member(&token)];
        schedule();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _cancels = Cancels(token.clone());
            panic!("now");
        }));
        assert!(result.is_err());
        for member in members {
            assert!(member.join().unwrap());
        }
    });
}

#[test]
fn from_the_system_stack_and_from_a_callback() {
    isolated(|| {
        let tokens = [CancelToken::new(), CancelToken::new()];
        let members = tokens.each_ref().map(member);
        schedule();
        on_system_stack(|| tokens[0].cancel());
        let token = tokens[1].clone();
        set_channel_callback(Some(Rc::new(move |_| token.cancel())));
        let _ = Channel::<()>::new().try_receive();
        let channel = Channel::new();
        let sender = channel.clone();
        spawn(move || sender.send(()));
        channel.receive().unwrap();
        set_channel_callback(None);
        for member in members {
            assert!(member.join().unwrap());
        }
    });
}

#[test]
fn a_member_that_cancels_goes_on_until_it_waits() {
    isolated(|| {
        let token = CancelToken::new();
        let result = token.run(|| {
            token.cancel();
            let channel = Channel::new();
            let sender = channel.clone();
            spawn(move || sender.send(1));
            schedule();
            // What need not wait is not cut short.
            let first = channel.receive();
            (first.unwrap(), is_cancelled(&channel.receive()))
        });
        assert_eq!(result.unwrap_err().into_inner(), (1, true));
    });
}

#[test]
fn the_last_handle_may_go_inside() {
    isolated(|| {
        let token = CancelToken::new();
        let (clone, child) = (token.clone(), token.child());
        let result = child.clone().run(|| {
            drop(child);
            drop(token);
            clone.cancel();
            drop(clone);
            is_cancelled(&Channel::<()>::new().receive())
        });
        assert!(result.unwrap_err().into_inner());
    });
}

#[test]
fn members_that_left_are_not_woken() {
    isolated(|| {
        let token = CancelToken::new();
        let door = Channel::<u32>::new();
        let (under, waiting) = (token.clone(), door.clone());
        let left = spawn(move || {
            under.run(|| ()).unwrap();
            let panicked = catch_unwind(AssertUnwindSafe(|| under.run(|| panic!("out")).is_ok()));
            assert!(panicked.is_err());
            waiting.receive().unwrap()
        });
        schedule();
        token.cancel();
        schedule();
        assert!(!left.is_finished());
        door.send(3).unwrap();
        assert_eq!(left.join().unwrap(), 3);
    });
}

#[test]
fn a_member_that_was_served_or_killed_before_the_cancellation_is_not_cancelled_there() {
    isolated(|| {
        let (token, door) = (CancelToken::new(), Channel::<u32>::new());
        door.set_preference(greenling::Preference::Neither);
        let inside = || {
            let (under, waiting) = (token.clone(), door.clone());
            spawn(move || {
                under
                    .run(|| waiting.receive())
                    .map(|result| result.unwrap())
            })
        };
        let (served, killed) = (inside(), inside());
        schedule();
        door.send(8).unwrap();
        killed.tasklet().kill_pending().unwrap();
        token.cancel();
        assert_eq!(served.join().unwrap().unwrap(), 8);
        assert!(killed.join().unwrap_err().is_killed());
        assert_eq!(door.balance(), 0);
    });
}

#[test]
fn a_kill_that_is_held_back_does_not_hold_back_a_cancellation() {
    isolated(|| {
        let token = CancelToken::new();
        let task = spawn({
            let token = token.clone();
            move || {
                token.run(|| {
                    let _held = defer_kill();
                    is_cancelled(&Channel::<()>::new().receive())
                })
            }
        });
        schedule();
        task.tasklet().kill_pending().unwrap();
        token.cancel();
        assert!(task.join().unwrap().unwrap_err().into_inner());
    });
}

#[test]
fn a_scope_under_a_token_ends_with_it_and_not_before_its_tasklets() {
    isolated(|| {
        let (token, ended) = (CancelToken::new(), Rc::new(RefCell::new(Vec::new())));
        let (under, noting) = (token.clone(), ended.clone());
        let parent = spawn(move || {
            let result = under.run(|| {
                scope(|s| {
                    for n in 0..3 {
                        let noting = &noting;
                        s.spawn(move || {
                            // Under no token itself: it is killed.
                            let killed = catch_unwind(|| sleep(LONG));
                            noting.borrow_mut().push(n);
                            std::panic::resume_unwind(killed.unwrap_err());
                        });
                    }
                    "value"
                })
            });
            noting.borrow_mut().push(9);
            result.unwrap_err().into_inner()
        });
        schedule();
        schedule();
        token.cancel();
        assert_eq!(parent.join().unwrap(), "value");
        assert_eq!(*ended.borrow(), [0, 1, 2, 9]);
    });
}

#[test]
fn waiting_for_a_token_inside_of_another() {
    isolated(|| {
        let (inner, outer) = (CancelToken::new(), CancelToken::new());
        let waiter = spawn({
            let (inner, outer) = (inner.clone(), outer.clone());
            move || outer.run(|| inner.wait()).unwrap_err().into_inner()
        });
        let chooser = spawn({
            let (inner, outer) = (inner.clone(), outer.clone());
            move || {
                select! {
                    () = inner.cancelling() => "inner",
                    () = outer.cancelling() => "outer",
                }
            }
        });
        schedule();
        outer.cancel();
        assert!(matches!(waiter.join().unwrap(), Err(WaitError::Cancelled)));
        assert_eq!(chooser.join().unwrap().unwrap(), "outer");
        inner.cancel();
        inner.wait().unwrap();
    });
}

#[test]
fn a_timeout_inside_ends_only_what_is_inside() {
    isolated(|| {
        let token = CancelToken::new();
        let result = token.run(|| {
            let inner = timeout(Duration::from_millis(1), || Channel::<()>::new().receive());
            assert!(inner.unwrap_err().into_inner().is_err());
            token.cancel();
            let inner = timeout(LONG, || Channel::<()>::new().receive());
            is_cancelled(&inner.unwrap())
        });
        assert!(result.unwrap_err().into_inner());
    });
}

#[test]
fn a_token_that_outlives_its_thread_s_tasklets_wakes_nobody() {
    thread_local! {
        static LATE: RefCell<Option<CancelsLate>> = const { RefCell::new(None) };
    }
    struct CancelsLate(CancelToken);
    impl Drop for CancelsLate {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    on_bare_thread(|| {
        // Made first, so dropped after the scheduler.
        LATE.with(|late| late.borrow_mut().take());
        let token = CancelToken::new();
        let waiter = token.clone();
        spawn(move || token.run(|| Channel::<()>::new().receive()).is_ok());
        schedule();
        LATE.with(|late| late.replace(Some(CancelsLate(waiter))));
    });
}

#[test]
fn what_it_carries() {
    isolated(|| {
        let token = CancelToken::new();
        token.cancel();
        let cancelled = token.run(|| {
            sleep(LONG);
            Cell::new(5)
        });
        let cancelled = cancelled.unwrap_err();
        assert_eq!(cancelled.get_ref().get(), 5);
        assert_eq!(cancelled.to_string(), "the token was cancelled");
        let error = std::io::Error::from(cancelled);
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        assert!(matches!(inner, Some(WaitError::Cancelled)));
    });
}
