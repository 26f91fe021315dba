//! Barriers: rounds, leaders, and what breaks them.

use super::parked;
use greenling::sync::{Barrier, BarrierError};
use greenling::{JoinHandle, WaitError, run, schedule, spawn};
use std::io;
use std::rc::Rc;
use std::time::Instant;
use tests::{Trace, isolated};

type Passage = Result<usize, BarrierError>;

fn arriving(barrier: &Rc<Barrier>) -> JoinHandle<Passage> {
    let barrier = barrier.clone();
    parked(move || barrier.wait().map(|passed| passed.index()))
}

fn is_broken(passage: Passage) -> bool {
    matches!(passage, Err(BarrierError::Broken))
}

#[test]
fn parties_pass_together_round_after_round_and_the_last_to_come_leads() {
    isolated(|| {
        let (barrier, trace) = (Rc::new(Barrier::new(3)), Trace::new());
        for name in ["A", "B", "C"] {
            let (barrier, trace) = (barrier.clone(), trace.clone());
            spawn(move || {
                for round in 1..=2 {
                    trace.note(format!("{name}{round}"));
                    let passed = barrier.wait().unwrap();
                    assert_eq!(passed.is_leader(), passed.index() == 2);
                    if passed.is_leader() {
                        trace.note("leads");
                    }
                }
            });
        }
        run().unwrap();
        assert_eq!(trace.take(), "A1 B1 C1 leads C2 A2 B2 leads");
        assert!(!barrier.is_broken() && barrier.waiters().is_empty());
    });
}

#[test]
fn a_barrier_for_one_or_none_is_no_obstacle() {
    for parties in [0, 1] {
        let barrier = Barrier::new(parties);
        for _ in 0..3 {
            assert!(barrier.wait().unwrap().is_leader());
        }
        assert_eq!(barrier.parties(), parties);
    }
}

#[test]
fn a_party_that_times_out_breaks_it_for_the_others() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(3));
        let other = arriving(&barrier);
        let late = barrier.wait_deadline(Instant::now());
        assert!(matches!(late, Err(BarrierError::Wait(WaitError::TimedOut))));
        assert!(barrier.is_broken());
        assert!(is_broken(other.join().unwrap()));
        assert!(is_broken(arriving(&barrier).join().unwrap()), "at once");
        let error = io::Error::from(barrier.wait().unwrap_err());
        assert_eq!(error.to_string(), "the barrier is broken");
        barrier.reset();
        let first = arriving(&barrier);
        let second = arriving(&barrier);
        assert_eq!(barrier.wait().unwrap().index(), 2);
        assert_eq!(first.join().unwrap().unwrap(), 0);
        assert_eq!(second.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn a_party_that_is_killed_or_thrown_at_breaks_it() {
    isolated(|| {
        for kill in [true, false] {
            let barrier = Rc::new(Barrier::new(3));
            let [first, second] = [0; 2].map(|_| arriving(&barrier));
            match kill {
                true => second.tasklet().kill().unwrap(),
                false => second.tasklet().throw("enough").unwrap(),
            }
            assert!(barrier.is_broken());
            assert!(is_broken(first.join().unwrap()));
            if !kill {
                let thrown = second.join().unwrap();
                assert!(matches!(
                    thrown,
                    Err(BarrierError::Wait(WaitError::Thrown(_)))
                ));
            }
        }
    });
}

#[test]
fn a_party_that_dies_after_the_round_is_over_breaks_nothing() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(3));
        let [first, second] = [0; 2].map(|_| arriving(&barrier));
        barrier.wait().unwrap();
        first.tasklet().kill_pending().unwrap();
        assert_eq!(second.join().unwrap().unwrap(), 1);
        assert!(first.join().unwrap_err().is_killed());
        assert!(!barrier.is_broken());
    });
}

#[test]
fn a_party_hit_before_the_last_one_comes_does_not_count_any_more() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(2));
        let first = arriving(&barrier);
        first.tasklet().kill_pending().unwrap();
        // The dying one breaks it, and so ends this wait.
        assert!(matches!(barrier.wait(), Err(BarrierError::Broken)));
        assert!(first.is_finished());
    });
}

#[test]
fn one_that_dies_after_a_reset_does_not_break_the_new_round() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(2));
        let first = arriving(&barrier);
        first.tasklet().kill_pending().unwrap();
        barrier.reset();
        let second = arriving(&barrier);
        assert!(first.is_finished() && !barrier.is_broken());
        barrier.wait().unwrap();
        assert_eq!(second.join().unwrap().unwrap(), 0);
    });
}

#[test]
fn abort_and_reset_send_away_who_waits() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(3));
        let waiters = [0; 2].map(|_| arriving(&barrier));
        barrier.reset();
        assert!(!barrier.is_broken());
        for waiter in waiters {
            assert!(is_broken(waiter.join().unwrap()));
        }
        let waiters = [0; 2].map(|_| arriving(&barrier));
        barrier.abort();
        schedule();
        assert!(waiters.iter().all(|waiter| waiter.is_finished()));
        assert!(barrier.is_broken());
    });
}

#[test]
fn thousands_pass_together() {
    isolated(|| {
        let barrier = Rc::new(Barrier::new(5001));
        let waiters: Vec<_> = (0..5000)
            .map(|number| {
                let barrier = barrier.clone();
                spawn(move || assert_eq!(barrier.wait().unwrap().index(), number))
            })
            .collect();
        schedule();
        assert_eq!(barrier.waiters().len(), 5000);
        assert!(barrier.wait().unwrap().is_leader());
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}
