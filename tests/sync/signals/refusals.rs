//! What ends a wait besides what is waited for, and what makes one impossible,
//! for every operation that waits.

use super::parked;
use greenling::inspect::tasklets;
use greenling::sync::{
    AcquireError, Barrier, BarrierError, Event, GetError, Notify, OnceValue, OnceValueError,
    PutError, Queue, Semaphore, WaitGroup,
};
use greenling::time::timeout;
use greenling::{Tasklet, WaitError, current, schedule, switch_trap};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::isolated;

const SHORT: Duration = Duration::from_millis(2);

/// How long an operation is to wait.
#[derive(Clone, Copy)]
enum Limit {
    None,
    At(Instant),
    After(Duration),
}

/// An operation that has to wait, and who waits for it.
struct Case {
    reason: &'static str,
    wait: Rc<dyn Fn(Limit) -> Result<(), WaitError>>,
    waiters: Box<dyn Fn() -> Vec<Tasklet>>,
}

fn case<P: 'static>(
    reason: &'static str,
    primitive: P,
    wait: impl Fn(&P, Limit) -> Result<(), WaitError> + 'static,
    waiters: impl Fn(&P) -> Vec<Tasklet> + 'static,
) -> Case {
    let primitive = Rc::new(primitive);
    let waited_for = primitive.clone();
    Case {
        reason,
        wait: Rc::new(move |limit| wait(&waited_for, limit)),
        waiters: Box::new(move || waiters(&primitive)),
    }
}

fn event() -> Case {
    let wait = |event: &Event, limit| match limit {
        Limit::None => event.wait(),
        Limit::At(deadline) => event.wait_deadline(deadline),
        Limit::After(timeout) => event.wait_timeout(timeout),
    };
    case("event", Event::new(), wait, Event::waiters)
}

fn notify() -> Case {
    let wait = |notify: &Notify, limit| match limit {
        Limit::None => notify.wait(),
        Limit::At(deadline) => notify.wait_deadline(deadline),
        Limit::After(timeout) => notify.wait_timeout(timeout),
    };
    case("notify", Notify::new(), wait, Notify::waiters)
}

fn once_value() -> Case {
    let wait = |value: &OnceValue<u8>, limit| {
        let result = match limit {
            Limit::None => value.wait(),
            Limit::At(deadline) => value.wait_deadline(deadline),
            Limit::After(timeout) => value.wait_timeout(timeout),
        };
        match result {
            Ok(_) => Ok(()),
            Err(OnceValueError::Wait(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    };
    case("once value", OnceValue::new(), wait, OnceValue::waiters)
}

fn semaphore() -> Case {
    let wait = |semaphore: &Semaphore, limit| {
        let result = match limit {
            Limit::None => semaphore.acquire(),
            Limit::At(deadline) => semaphore.acquire_deadline(deadline),
            Limit::After(timeout) => semaphore.acquire_timeout(timeout),
        };
        match result {
            Ok(_) => Ok(()),
            Err(AcquireError::Wait(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    };
    case("semaphore", Semaphore::new(0), wait, Semaphore::waiters)
}

fn barrier() -> Case {
    let wait = |barrier: &Barrier, limit| {
        // As if nobody had broken it before.
        if barrier.is_broken() {
            barrier.reset();
        }
        let result = match limit {
            Limit::None => barrier.wait(),
            Limit::At(deadline) => barrier.wait_deadline(deadline),
            Limit::After(timeout) => barrier.wait_timeout(timeout),
        };
        match result {
            Ok(_) => Ok(()),
            Err(BarrierError::Wait(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    };
    case("barrier", Barrier::new(2), wait, Barrier::waiters)
}

fn wait_group() -> Case {
    let group = WaitGroup::new();
    let job = group.add();
    let wait = |(group, _job): &(WaitGroup, _), limit| match limit {
        Limit::None => group.wait(),
        Limit::At(deadline) => group.wait_deadline(deadline),
        Limit::After(timeout) => group.wait_timeout(timeout),
    };
    case("wait group", (group, job), wait, |(group, _job)| {
        group.waiters()
    })
}

fn queue_get() -> Case {
    let wait = |queue: &Queue<u8>, limit| {
        let result = match limit {
            Limit::None => queue.get(),
            Limit::At(deadline) => queue.get_deadline(deadline),
            Limit::After(timeout) => queue.get_timeout(timeout),
        };
        match result {
            Ok(_) => Ok(()),
            Err(GetError::Wait(error)) => Err(error),
            Err(other) => panic!("{other:?}"),
        }
    };
    case("queue get", Queue::new(), wait, Queue::getters)
}

fn queue_put() -> Case {
    let queue = Queue::bounded(1);
    queue.put(0).unwrap();
    let wait = |queue: &Queue<u8>, limit| {
        let result = match limit {
            Limit::None => queue.put(9),
            Limit::At(deadline) => queue.put_deadline(9, deadline),
            Limit::After(timeout) => queue.put_timeout(9, timeout),
        };
        match result {
            Ok(()) => Ok(()),
            Err(PutError::Wait(error, value)) => {
                assert_eq!((value, queue.len()), (9, 1), "it was not put");
                Err(error)
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    case("queue put", queue, wait, Queue::putters)
}

fn cases() -> [Case; 8] {
    [
        event(),
        notify(),
        once_value(),
        semaphore(),
        barrier(),
        wait_group(),
        queue_get(),
        queue_put(),
    ]
}

/// `wait` can be waited in and left, so nothing has stuck to it.
fn is_unharmed(case: &Case) {
    assert!((case.waiters)().is_empty(), "{}", case.reason);
    let wait = case.wait.clone();
    let waiting = parked(move || wait(Limit::None));
    assert_eq!((case.waiters)(), [waiting.tasklet()], "{}", case.reason);
    waiting.tasklet().kill().unwrap();
    assert!((case.waiters)().is_empty(), "{}", case.reason);
}

#[test]
fn a_switch_trap_refuses_the_wait_and_changes_nothing() {
    isolated(|| {
        for case in cases() {
            let trap = switch_trap();
            let refused = (case.wait)(Limit::None);
            drop(trap);
            assert!(matches!(refused, Err(WaitError::SwitchTrap)));
            is_unharmed(&case);
        }
    });
}

#[test]
fn a_block_trap_refuses_the_wait_and_changes_nothing() {
    isolated(|| {
        for case in cases() {
            current().set_block_trap(true);
            let refused = (case.wait)(Limit::None);
            current().set_block_trap(false);
            assert!(matches!(refused, Err(WaitError::BlockTrap)));
            is_unharmed(&case);
        }
    });
}

#[test]
fn a_destructor_that_waits_while_its_tasklet_unwinds_is_refused() {
    struct Waits(Rc<dyn Fn(Limit) -> Result<(), WaitError>>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let refused = (self.0)(Limit::None);
            assert!(matches!(refused, Err(WaitError::Unwinding)));
        }
    }
    isolated(|| {
        for case in cases() {
            let waits = Waits(case.wait.clone());
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _waits = waits;
                panic_any("unwinds");
            }));
            assert!(unwound.is_err());
            is_unharmed(&case);
        }
    });
}

#[test]
fn deadlines_timeouts_and_scopes_end_the_wait() {
    isolated(|| {
        for case in cases() {
            let past = Instant::now();
            for limit in [Limit::At(past), Limit::After(SHORT)] {
                let result = (case.wait)(limit);
                assert!(matches!(result, Err(WaitError::TimedOut)), "{result:?}");
            }
            let scope = timeout(SHORT, || (case.wait)(Limit::None));
            let inside = scope.unwrap_err().into_inner();
            assert!(matches!(inside, Err(WaitError::TimedOut)), "{inside:?}");
            is_unharmed(&case);
        }
    });
}

#[test]
fn a_wait_that_nothing_could_end_is_a_deadlock() {
    isolated(|| {
        for case in cases() {
            let result = (case.wait)(Limit::None);
            assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
            is_unharmed(&case);
        }
    });
}

#[test]
fn an_error_thrown_at_a_waiter_is_what_its_wait_returns() {
    isolated(|| {
        for case in cases() {
            let wait = case.wait.clone();
            let waiting = parked(move || wait(Limit::None));
            waiting.tasklet().throw("enough").unwrap();
            match waiting.join().unwrap() {
                Err(WaitError::Thrown(error)) => assert_eq!(error.to_string(), "enough"),
                other => panic!("{other:?}"),
            }
            is_unharmed(&case);
        }
    });
}

#[test]
fn a_dump_says_what_is_waited_for_and_where() {
    isolated(|| {
        for case in cases() {
            let wait = case.wait.clone();
            let waiting = parked(move || wait(Limit::After(Duration::from_secs(3600))));
            let all = tasklets();
            let id = waiting.tasklet().id();
            let info = all.iter().find(|info| info.id == id).unwrap();
            assert_eq!(info.wait_reason, Some(case.reason));
            assert_eq!(info.waits_at.unwrap().file(), file!(), "{}", case.reason);
            waiting.tasklet().kill().unwrap();
        }
    });
}

#[test]
fn thousands_wait_and_any_of_them_can_go() {
    isolated(|| {
        // Of a barrier for two, the second to come wakes the first.
        for case in cases() {
            if case.reason == "barrier" {
                continue;
            }
            let waiting: Vec<_> = (0..3000)
                .map(|_| {
                    let wait = case.wait.clone();
                    greenling::spawn(move || wait(Limit::None))
                })
                .collect();
            schedule();
            assert_eq!((case.waiters)().len(), 3000);
            for waiter in waiting.iter().step_by(3) {
                waiter.tasklet().kill_pending().unwrap();
            }
            assert_eq!((case.waiters)().len(), 2000, "{}", case.reason);
            for waiter in waiting {
                waiter.tasklet().kill_pending().unwrap();
            }
            schedule();
            is_unharmed(&case);
        }
    });
}
