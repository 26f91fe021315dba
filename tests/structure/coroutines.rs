//! Coroutines of other crates, which are resumed on tasklets and outlive them.

use generator::{Gn, LocalGenerator};
use greenling::time::{CancelToken, deadline, timeout, timeout_at};
use greenling::{Channel, JoinHandle, schedule, spawn};
use std::cell::RefCell;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tests::isolated;

const LONG: Duration = Duration::from_secs(3600);

/// Coroutines of other crates that run on a tasklet leave in any order what they have
/// entered there. Each scope counts for as long as it is open.
#[test]
fn scopes_that_coroutines_leave_in_any_order() {
    isolated(|| {
        let now = Instant::now();
        let ends = [3, 1, 4, 2].map(|hours| now + Duration::from_secs(3600 * hours));
        // All orders of leaving four.
        let mut orders = vec![vec![]];
        for next in 0..ends.len() {
            orders = orders
                .iter()
                .flat_map(|order: &Vec<usize>| {
                    (0..=order.len()).map(move |at| {
                        let mut order = order.clone();
                        order.insert(at, next);
                        order
                    })
                })
                .collect();
        }
        for order in orders {
            let mut coroutines = ends.map(|end| {
                generator::Gn::<()>::new_scoped_local(move |mut scope| {
                    let ended = timeout_at(end, || scope.yield_with(()));
                    assert!(ended.is_ok());
                })
            });
            for (entered, coroutine) in coroutines.iter_mut().enumerate() {
                coroutine.resume();
                assert_eq!(deadline(), ends[..=entered].iter().min().copied());
            }
            let mut open: Vec<_> = ends.to_vec();
            for leaves in order {
                coroutines[leaves].resume();
                open.retain(|&end| end != ends[leaves]);
                assert_eq!(deadline(), open.iter().min().copied());
            }
        }
    });
}

/// One that is suspended inside a scope when it was resumed once.
fn in_a_timeout() -> LocalGenerator<'static, (), ()> {
    Gn::new_scoped_local(|mut scope| {
        timeout(LONG, || scope.yield_with(())).unwrap();
    })
}

/// One that is suspended as a member of the token when it was resumed once.
fn in_a_token(token: &CancelToken) -> LocalGenerator<'_, (), ()> {
    Gn::new_scoped_local(move |mut scope| {
        let _whether_cancelled = token.run(|| scope.yield_with(()));
    })
}

#[test]
fn scopes_that_a_tasklet_leaves_in_a_coroutine_end_with_it() {
    isolated(|| {
        let mut coroutine = in_a_timeout();
        greenling::scope(|s| {
            let resume = || {
                coroutine.resume();
                assert!(deadline().is_some());
            };
            s.spawn(resume).join().unwrap();
        });
        let in_the_same_block = spawn(|| {
            let before = deadline();
            timeout(LONG, || {
                let outer = deadline();
                drop(coroutine);
                assert_eq!(deadline(), outer);
            })
            .unwrap();
            (before, deadline())
        });
        assert_eq!(in_the_same_block.join().unwrap(), (None, None));
    });
}

#[test]
fn a_membership_that_a_tasklet_leaves_in_a_coroutine_is_not_inherited() {
    isolated(|| {
        let token = CancelToken::new();
        let mut coroutine = in_a_token(&token);
        greenling::scope(|s| s.spawn(|| coroutine.resume()).join().unwrap());
        let answer = Channel::new();
        let from = answer.clone();
        let in_the_same_block: JoinHandle<_> = spawn(move || from.receive());
        schedule();
        token.cancel();
        schedule();
        answer.send("undisturbed").unwrap();
        assert_eq!(in_the_same_block.join().unwrap().unwrap(), "undisturbed");
        drop(coroutine);
    });
}

/// While its thread panics, `generator` frees a stack without unwinding it.
#[test]
fn a_scope_whose_stack_was_freed_without_unwinding_ends_with_its_tasklet() {
    isolated(|| {
        let tasklet = spawn(|| {
            let mut coroutine = in_a_timeout();
            coroutine.resume();
            Channel::<()>::new().receive().unwrap_err();
        });
        schedule();
        tasklet.tasklet().kill().unwrap();
        assert!(tasklet.join().unwrap_err().is_killed());
        let answer = Channel::new();
        let from = answer.clone();
        let in_the_same_block = spawn(move || from.receive());
        schedule();
        answer.send("undisturbed").unwrap();
        assert_eq!(in_the_same_block.join().unwrap().unwrap(), "undisturbed");
    });
}

#[test]
fn a_coroutine_that_unwinds_after_the_scheduler_has_ended() {
    struct Tells(mpsc::Sender<bool>);
    impl Drop for Tells {
        fn drop(&mut self) {
            // A thread whose scheduler has ended never gets another.
            let ended = CancelToken::new().wait().is_err();
            self.0.send(ended).unwrap();
        }
    }
    type Kept = RefCell<Vec<LocalGenerator<'static, (), ()>>>;
    thread_local! {
        static KEPT: Kept = const { RefCell::new(Vec::new()) };
    }
    let (tells, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        // What is made first goes last: the crate's own, then these, then the scheduler.
        Gn::<()>::new_scoped_local(|_| ()).resume();
        KEPT.with_borrow_mut(Vec::clear);
        spawn(|| ()).join().unwrap();
        let coroutine = Gn::new_scoped_local(move |mut scope| {
            let token = CancelToken::new();
            let _tells = Tells(tells);
            let _whether_cancelled = token.run(|| timeout(LONG, || scope.yield_with(())));
        });
        KEPT.with_borrow_mut(|kept| kept.push(coroutine));
        KEPT.with_borrow_mut(|kept| kept[0].resume());
        assert!(deadline().is_some());
    });
    thread.join().unwrap();
    assert!(told.recv().unwrap());
}
