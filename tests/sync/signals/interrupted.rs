//! A waiter that dies between its wake-up and its run passes on what it was
//! woken with, for everything that gives to one waiter and not to all.

use super::parked;
use greenling::sync::{AcquireError, Event, GetError, Notify, PutError, Queue, Semaphore};
use greenling::{JoinHandle, WaitError, schedule, spawn};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::isolated;

/// Something whose wake-ups bring one waiter one thing.
struct Rig {
    name: &'static str,
    /// Takes one, and does not give it back.
    take: Rc<dyn Fn(Option<Instant>) -> Result<(), WaitError>>,
    give: Rc<dyn Fn()>,
    /// How many there are to take.
    left: Rc<dyn Fn() -> usize>,
}

fn notify() -> Rig {
    let taken = Rc::new(Notify::new());
    let given = taken.clone();
    Rig {
        name: "notify",
        take: Rc::new(move |deadline| match deadline {
            Some(deadline) => taken.wait_deadline(deadline),
            None => taken.wait(),
        }),
        give: Rc::new(move || {
            given.notify_one();
        }),
        left: Rc::new(|| 0),
    }
}

fn event() -> Rig {
    let event = Rc::new(Event::auto_reset());
    let (taken, given) = (event.clone(), event.clone());
    Rig {
        name: "event",
        take: Rc::new(move |deadline| match deadline {
            Some(deadline) => taken.wait_deadline(deadline),
            None => taken.wait(),
        }),
        give: Rc::new(move || given.set()),
        left: Rc::new(move || usize::from(event.is_set())),
    }
}

fn semaphore() -> Rig {
    let semaphore = Rc::new(Semaphore::new(0));
    let (taken, given) = (semaphore.clone(), semaphore.clone());
    Rig {
        name: "semaphore",
        take: Rc::new(move |deadline| {
            let permit = match deadline {
                Some(deadline) => taken.acquire_deadline(deadline),
                None => taken.acquire(),
            };
            match permit {
                Ok(permit) => {
                    permit.forget();
                    Ok(())
                }
                Err(AcquireError::Wait(error)) => Err(error),
                Err(other) => panic!("{other:?}"),
            }
        }),
        give: Rc::new(move || given.add_permits(1).unwrap()),
        left: Rc::new(move || semaphore.available()),
    }
}

fn items() -> Rig {
    let queue = Rc::new(Queue::new());
    let (taken, given) = (queue.clone(), queue.clone());
    Rig {
        name: "queue get",
        take: Rc::new(move |deadline| {
            let value = match deadline {
                Some(deadline) => taken.get_deadline(deadline),
                None => taken.get(),
            };
            match value {
                Ok(()) => Ok(()),
                Err(GetError::Wait(error)) => Err(error),
                Err(other) => panic!("{other:?}"),
            }
        }),
        give: Rc::new(move || given.put(()).unwrap()),
        left: Rc::new(move || queue.len()),
    }
}

fn room() -> Rig {
    let queue = Rc::new(Queue::bounded(8));
    for _ in 0..8 {
        queue.put(()).unwrap();
    }
    let (taken, given) = (queue.clone(), queue.clone());
    Rig {
        name: "queue put",
        take: Rc::new(move |deadline| {
            let put = match deadline {
                Some(deadline) => taken.put_deadline((), deadline),
                None => taken.put(()),
            };
            match put {
                Ok(()) => Ok(()),
                Err(PutError::Wait(error, ())) => Err(error),
                Err(other) => panic!("{other:?}"),
            }
        }),
        give: Rc::new(move || given.get().unwrap()),
        left: Rc::new(move || 8 - queue.len()),
    }
}

fn rigs() -> [Rig; 5] {
    [notify(), event(), semaphore(), items(), room()]
}

impl Rig {
    fn waiters<const N: usize>(&self) -> [JoinHandle<Result<(), WaitError>>; N] {
        [0; N].map(|_| {
            let take = self.take.clone();
            parked(move || take(None))
        })
    }

    /// What is given now can be taken: the books are right.
    fn works(&self) {
        assert_eq!((self.left)(), 0, "{}", self.name);
        let [first, second] = self.waiters();
        (self.give)();
        first.join().unwrap().unwrap();
        assert!(!second.is_finished(), "{}: twice", self.name);
        (self.give)();
        second.join().unwrap().unwrap();
        assert_eq!((self.left)(), 0, "{}", self.name);
    }

    /// Takes what was put back; a notification has been told to nobody.
    fn take_back(&self) {
        if self.name != "notify" {
            assert_eq!((self.left)(), 1, "{}", self.name);
            (self.take)(None).unwrap();
        }
    }
}

type Waiter = JoinHandle<Result<(), WaitError>>;

/// A way to die, and how it shows.
struct Death {
    hit: fn(&Waiter),
    check: fn(Waiter),
}

const DEATHS: [Death; 2] = [
    Death {
        hit: |waiter| waiter.tasklet().kill_pending().unwrap(),
        check: |waiter| assert!(waiter.join().unwrap_err().is_killed()),
    },
    Death {
        hit: |waiter| waiter.tasklet().throw_pending("enough").unwrap(),
        check: |waiter| {
            let result = waiter.join().unwrap();
            assert!(matches!(result, Err(WaitError::Thrown(_))), "{result:?}");
        },
    },
];

#[test]
fn what_a_dead_waiter_was_woken_with_goes_to_the_next() {
    isolated(|| {
        for rig in rigs() {
            for Death { hit, check } in DEATHS {
                let [first, second, third] = rig.waiters();
                (rig.give)();
                hit(&first);
                second.join().unwrap().unwrap();
                check(first);
                assert!(!third.is_finished(), "{}: twice", rig.name);
                third.tasklet().kill().unwrap();
                rig.works();
            }
        }
    });
}

#[test]
fn it_is_passed_on_until_somebody_lives() {
    isolated(|| {
        for rig in rigs() {
            for Death { hit, check } in DEATHS {
                let [first, second, third, fourth] = rig.waiters();
                (rig.give)();
                (rig.give)();
                hit(&first);
                hit(&second);
                third.join().unwrap().unwrap();
                fourth.join().unwrap().unwrap();
                check(first);
                check(second);
                rig.works();
            }
        }
    });
}

#[test]
fn it_is_kept_if_nobody_else_waits() {
    isolated(|| {
        for rig in rigs() {
            for Death { hit, check } in DEATHS {
                let [only] = rig.waiters();
                (rig.give)();
                hit(&only);
                check(only);
                rig.take_back();
                rig.works();
            }
        }
    });
}

#[test]
fn one_who_was_hit_before_is_not_given_anything() {
    isolated(|| {
        for rig in rigs() {
            for Death { hit, check } in DEATHS {
                let [first, second] = rig.waiters();
                hit(&first);
                (rig.give)();
                check(first);
                second.join().unwrap().unwrap();
                rig.works();
            }
        }
    });
}

#[test]
fn an_immediate_kill_of_a_woken_waiter_passes_it_on_as_well() {
    isolated(|| {
        for rig in rigs() {
            let [first, second] = rig.waiters();
            (rig.give)();
            first.tasklet().kill().unwrap();
            assert!(first.is_finished());
            second.join().unwrap().unwrap();
            rig.works();
        }
    });
}

#[test]
fn a_waiter_whose_deadline_passes_after_its_wake_up_has_what_it_waited_for() {
    isolated(|| {
        for rig in rigs() {
            let deadline = Instant::now() + Duration::from_millis(20);
            let take = rig.take.clone();
            let waiter = parked(move || take(Some(deadline)));
            let was_early = !waiter.is_finished();
            (rig.give)();
            while Instant::now() < deadline {
                std::hint::spin_loop();
            }
            let result = waiter.join().unwrap();
            if was_early {
                result.unwrap();
            }
            rig.works();
        }
    });
}

#[test]
fn nobody_overtakes_one_who_has_been_woken() {
    isolated(|| {
        // Not `notify`, of which nothing is left to take.
        for rig in &rigs()[1..] {
            let [first] = rig.waiters();
            (rig.give)();
            let late = (rig.take)(Some(Instant::now()));
            assert!(matches!(late, Err(WaitError::TimedOut)), "{}", rig.name);
            first.join().unwrap().unwrap();
            rig.works();
        }
    });
}

#[test]
fn waiters_are_served_in_the_order_in_which_they_came() {
    isolated(|| {
        for rig in rigs() {
            let waiters: [Waiter; 6] = rig.waiters();
            for next in 0..waiters.len() {
                (rig.give)();
                schedule();
                let finished = waiters.iter().take_while(|waiter| waiter.is_finished());
                assert_eq!(finished.count(), next + 1, "{}", rig.name);
                let waiting = waiters.iter().filter(|waiter| !waiter.is_finished());
                assert_eq!(waiting.count(), waiters.len() - next - 1, "{}", rig.name);
            }
        }
    });
}

#[test]
fn thousands_die_on_their_way_and_the_rest_get_all_there_is() {
    isolated(|| {
        for rig in rigs() {
            let waiters: Vec<_> = (0..2000)
                .map(|_| {
                    let take = rig.take.clone();
                    spawn(move || take(None))
                })
                .collect();
            schedule();
            if rig.name == "queue put" {
                // Its queue has no room for so many at once.
                (0..8).for_each(|_| (rig.give)());
            } else {
                (0..1000).for_each(|_| (rig.give)());
            }
            for waiter in waiters.iter().step_by(2) {
                waiter.tasklet().kill_pending().unwrap();
            }
            greenling::run().unwrap();
            let mut got = 0;
            for waiter in waiters {
                if waiter.is_finished() {
                    got += usize::from(waiter.join().is_ok());
                }
            }
            let given = if rig.name == "queue put" { 8 } else { 1000 };
            assert_eq!(got, given, "{}", rig.name);
            assert_eq!((rig.left)(), 0, "{}", rig.name);
        }
    });
}
