//! Values that come once, for all.

use super::parked;
use greenling::sync::{OnceValue, OnceValueError};
use greenling::{schedule, spawn};
use std::io;
use std::rc::Rc;
use tests::{Trace, isolated};

#[test]
fn all_who_wait_and_all_who_come_later_see_the_same_value() {
    isolated(|| {
        let (value, trace) = (Rc::new(OnceValue::new()), Trace::new());
        for name in ["A", "B"] {
            let (value, trace) = (value.clone(), trace.clone());
            parked(move || trace.note(format!("{name}:{}", value.wait().unwrap())));
        }
        assert!(value.get().is_none() && !value.is_set());
        assert_eq!(value.waiters().len(), 2);
        value.set(String::from("v")).unwrap();
        trace.note("on");
        schedule();
        trace.note(value.wait().unwrap());
        assert_eq!(trace.take(), "on A:v B:v v");
        assert!(std::ptr::eq(
            value.get().unwrap().unwrap(),
            value.wait().unwrap()
        ));
        let value = Rc::into_inner(value).unwrap();
        assert_eq!(value.into_inner().unwrap().unwrap(), "v");
    });
}

#[test]
fn an_error_is_shared_by_all() {
    isolated(|| {
        let value = Rc::new(OnceValue::<u8>::new());
        let waiters = [0; 3].map(|_| {
            let value = value.clone();
            parked(move || value.wait().copied())
        });
        let cause = io::Error::new(io::ErrorKind::NotFound, "gone");
        value.set_error(cause).unwrap();
        for waiter in waiters {
            let error = waiter.join().unwrap().unwrap_err();
            assert_eq!(error.to_string(), "gone");
            let OnceValueError::Failed(shared) = &error else {
                panic!("{error:?}");
            };
            assert!(shared.is::<io::Error>());
            let error = io::Error::from(error);
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
        assert!(value.wait().is_err() && value.get().unwrap().is_err());
    });
}

#[test]
fn only_the_first_outcome_counts_and_later_ones_come_back() {
    let value = OnceValue::new();
    value.set(1).unwrap();
    assert_eq!(value.set(2), Err(2));
    assert_eq!(value.set_error("late").unwrap_err().to_string(), "late");
    assert_eq!(*value.wait().unwrap(), 1);
    let failed = OnceValue::new();
    failed.set_error("first").unwrap();
    assert_eq!(failed.set(3), Err(3));
    assert_eq!(failed.set_error("late").unwrap_err().to_string(), "late");
}

#[test]
fn a_waiter_that_dies_takes_nothing_from_the_others() {
    isolated(|| {
        let value = Rc::new(OnceValue::new());
        let waiters = [0; 3].map(|_| {
            let value = value.clone();
            parked(move || *value.wait().unwrap())
        });
        waiters[0].tasklet().kill_pending().unwrap();
        value.set(5).unwrap();
        waiters[1].tasklet().kill_pending().unwrap();
        let [first, second, third] = waiters;
        assert!(first.join().unwrap_err().is_killed());
        assert!(second.join().unwrap_err().is_killed());
        assert_eq!(third.join().unwrap(), 5);
    });
}

#[test]
fn a_destructor_may_set_it_while_its_tasklet_unwinds() {
    struct Sets(Rc<OnceValue<&'static str>>);
    impl Drop for Sets {
        fn drop(&mut self) {
            let _ = self.0.set("abandoned");
        }
    }
    isolated(|| {
        let value = Rc::new(OnceValue::new());
        let sets = Sets(value.clone());
        let worker = spawn(move || {
            let _sets = sets;
            greenling::schedule_remove();
        });
        let keeps = worker.tasklet();
        let waiting = value.clone();
        let waiter = parked(move || *waiting.wait().unwrap());
        keeps.kill().unwrap();
        assert_eq!(waiter.join().unwrap(), "abandoned");
    });
}
