//! Calls on tasklets and threads, and lists of them.

use greenling::port::{
    ParallelError, call_on_thread, parallel, tasklet_call, tasklet_call_timeout,
};
use greenling::time::timeout;
use greenling::{Channel, JoinError, WaitError, current, inspect, run, schedule, spawn};
use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated};

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn a_call_on_a_tasklet_gives_what_became_of_it() {
    isolated(|| {
        let main = current().id();
        assert_ne!(tasklet_call(|| current().id()).unwrap(), main);
        assert!(tasklet_call(|| panic!("no luck")).unwrap_err().is_panic());
        let killed = tasklet_call(|| current().kill().map_err(drop));
        assert!(killed.unwrap_err().is_killed());
        assert_eq!(tasklet_call_timeout(SHORT, || 5).unwrap(), 5);
    });
}

#[test]
fn an_abandoned_call_is_killed() {
    isolated(|| {
        let (trace, never) = (Trace::new(), Channel::<()>::new());
        let callee = |name| {
            let (dropped, never) = (trace.on_drop(name), never.clone());
            move || {
                let _dropped = dropped;
                never.receive().is_ok()
            }
        };
        let result = tasklet_call_timeout(SHORT, callee("limit"));
        assert!(matches!(result, Err(JoinError::Wait(WaitError::TimedOut))));
        let result = timeout(SHORT, || tasklet_call(callee("scope")));
        result.unwrap_err().into_inner().unwrap_err();
        let killed = callee("kill");
        let caller = spawn(move || tasklet_call(killed));
        schedule();
        schedule();
        caller.tasklet().kill().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "limit scope kill");
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn a_call_on_a_thread_blocks_only_its_tasklet() {
    isolated(|| {
        let (go, wait) = std::sync::mpsc::channel();
        let caller = spawn(move || call_on_thread(move || wait.recv().unwrap()).unwrap());
        for _ in 0..3 {
            schedule();
        }
        assert!(!caller.is_finished());
        go.send(7).unwrap();
        assert_eq!(caller.join().unwrap(), 7);
        assert!(call_on_thread(|| panic!("no luck")).unwrap_err().is_panic());
        let (gate, wait) = std::sync::mpsc::channel::<()>();
        let result = timeout(SHORT, || call_on_thread(move || wait.recv()));
        let error = result.unwrap_err().into_inner().unwrap_err();
        assert!(matches!(error, JoinError::Wait(WaitError::TimedOut)));
        drop(gate);
    });
}

#[test]
fn parallel_calls_keep_their_limit_and_the_order_of_their_results() {
    isolated(|| {
        let (now, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (counter, peak) = (now.clone(), most.clone());
        let calls = (0..10u32).map(move |n| {
            let (now, most) = (counter.clone(), peak.clone());
            move || {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                // Later ones end earlier.
                (n..10).for_each(|_| schedule());
                now.set(now.get() - 1);
                Ok::<_, ()>(n)
            }
        });
        assert!(parallel(calls, 4).unwrap().into_iter().eq(0..10));
        assert_eq!(most.get(), 4);
        assert_eq!(
            parallel(Vec::<fn() -> Result<(), ()>>::new(), 4).unwrap(),
            []
        );
        // A limit of zero acts as one.
        let calls = (0..3).map(|n| move || Ok::<_, ()>(n));
        assert_eq!(parallel(calls, 0).unwrap(), [0, 1, 2]);
        run().unwrap();
        assert_eq!(inspect::tasklets().len(), 1, "only main is left");
    });
}

#[test]
fn the_first_failure_wins_and_ends_the_rest() {
    isolated(|| {
        let (trace, never) = (Trace::new(), Channel::<()>::new());
        let calls: Vec<_> = (0..5)
            .map(|n| {
                let (dropped, never) = (trace.on_drop(n), never.clone());
                move || {
                    let _dropped = dropped;
                    match n {
                        0 => never.receive().map_err(|_| "receive"),
                        1 => {
                            schedule();
                            Err("one")
                        }
                        _ => Ok(()),
                    }
                }
            })
            .collect();
        let error = parallel(calls, 2).unwrap_err();
        assert!(matches!(
            error,
            ParallelError::Failed {
                index: 1,
                error: "one"
            }
        ));
        run().unwrap();
        // The one that failed, those that were not begun, the one that waited.
        assert_eq!(trace.take(), "1 2 3 4 0");
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn panics_kills_and_throws_of_parallel_calls_are_failures() {
    isolated(|| {
        let panics: Vec<fn() -> Result<(), ()>> = vec![|| Ok(()), || panic!("no luck")];
        let error = parallel(panics, 2).unwrap_err();
        assert!(matches!(&error, ParallelError::Join(error) if error.is_panic()));
        let dies: Vec<fn() -> Result<(), ()>> = vec![|| {
            current().kill().unwrap();
            Ok(())
        }];
        let error = parallel(dies, 2).unwrap_err();
        assert!(matches!(&error, ParallelError::Join(error) if error.is_killed()));
        let thrown_at: Vec<fn() -> Result<(), ()>> = vec![|| {
            current().throw_pending("enough").unwrap();
            Ok(())
        }];
        let error = parallel(thrown_at, 2).unwrap_err();
        assert!(matches!(&error, ParallelError::Join(error) if error.is_thrown()));
        run().expect("an error that the caller was told of is nobody else's");
        // All workers killed before they have begun.
        let killer = spawn(|| {
            let mut worker = current().next().unwrap();
            while !worker.is_current() {
                worker.kill_pending().unwrap();
                worker = worker.next().unwrap();
            }
        });
        let error = parallel([|| Ok::<_, ()>(1), || Ok(2)], 2).unwrap_err();
        assert!(matches!(&error, ParallelError::Join(error) if error.is_killed()));
        killer.join().unwrap();
    });
}

#[test]
fn a_caller_of_parallel_that_gives_up_ends_the_calls() {
    isolated(|| {
        let (trace, never) = (Trace::new(), Channel::<()>::new());
        let calls: Vec<_> = (0..3)
            .map(|n| {
                let (dropped, never) = (trace.on_drop(n), never.clone());
                move || {
                    let _dropped = dropped;
                    never.receive().map_err(|_| "gone")
                }
            })
            .collect();
        let result = timeout(SHORT, || parallel(calls, 2)).unwrap_err();
        let error = result.into_inner().unwrap_err();
        assert!(matches!(error, ParallelError::Wait(WaitError::TimedOut)));
        assert!(
            error
                .source()
                .is_some_and(|source| source.is::<WaitError>())
        );
        run().unwrap();
        assert_eq!(trace.take(), "2 0 1");
    });
}
