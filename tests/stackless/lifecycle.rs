//! What a tasklet says of itself at each step of its life.

use crate::queued;
use greenling::{Channel, Preference, Tasklet, TaskletError, run, schedule, schedule_remove};
use std::cell::RefCell;
use std::rc::Rc;
use tests::{Trace, isolated};

/// A letter for each that is true: alive, blocked, scheduled, paused, current,
/// main.
fn flags(tasklet: &Tasklet) -> String {
    let all = [
        (tasklet.is_alive(), 'a'),
        (tasklet.is_blocked(), 'b'),
        (tasklet.is_scheduled(), 's'),
        (tasklet.is_paused(), 'p'),
        (tasklet.is_current(), 'c'),
        (tasklet.is_main(), 'm'),
    ];
    all.iter().filter(|(on, _)| *on).map(|(_, c)| c).collect()
}

/// Each step of a tasklet's life, and what it says of itself then.
const LIFE: [(&str, &str); 19] = [
    ("without a function", ""),
    ("bound", "ap"),
    ("killed before its start", ""),
    ("bound again", "ap"),
    ("inserted", "as"),
    ("removed before its start", "ap"),
    ("inserted again", "as"),
    ("current", "asc"),
    ("waits to receive", "abs"),
    ("handed a value", "as"),
    ("waits to send", "abs"),
    ("its value taken", "as"),
    ("has yielded", "as"),
    ("removed after a yield", "ap"),
    ("has paused itself", "ap"),
    ("runs a loop of its own", "ap"),
    ("a kill is pending", "as"),
    ("unwinds", "asc"),
    ("killed", ""),
];

#[test]
fn the_flags_follow_each_step_of_the_life_cycle() {
    isolated(|| {
        let seen: Rc<RefCell<Vec<(&str, String)>>> = Rc::default();
        let tasklet = Tasklet::unbound();
        let (notes, subject) = (seen.clone(), tasklet.clone());
        let step = move |name| notes.borrow_mut().push((name, flags(&subject)));
        step("without a function");
        tasklet.bind(|| ()).unwrap();
        step("bound");
        tasklet.kill().unwrap();
        step("killed before its start");
        let channel = Channel::new();
        channel.set_preference(Preference::Neither);
        let (inner, shared) = (step.clone(), channel.clone());
        let life = move || {
            inner("current");
            struct Unwinds<F: Fn(&'static str)>(F);
            impl<F: Fn(&'static str)> Drop for Unwinds<F> {
                fn drop(&mut self) {
                    self.0("unwinds");
                }
            }
            let _last = Unwinds(inner);
            shared.receive().unwrap();
            shared.send(()).unwrap();
            schedule();
            schedule_remove();
            run().unwrap();
        };
        tasklet.bind(life).unwrap();
        step("bound again");
        tasklet.insert().unwrap();
        step("inserted");
        tasklet.remove().unwrap();
        step("removed before its start");
        tasklet.insert().unwrap();
        step("inserted again");
        schedule();
        step("waits to receive");
        channel.send(()).unwrap();
        step("handed a value");
        schedule();
        step("waits to send");
        channel.receive().unwrap();
        step("its value taken");
        schedule();
        step("has yielded");
        tasklet.remove().unwrap();
        step("removed after a yield");
        tasklet.run().unwrap();
        step("has paused itself");
        tasklet.run().unwrap();
        step("runs a loop of its own");
        tasklet.kill_pending().unwrap();
        step("a kill is pending");
        schedule();
        step("killed");
        let expected = LIFE.map(|(name, flags)| (name, flags.to_owned()));
        assert_eq!(*seen.borrow(), expected);
    });
}

#[test]
fn main_is_marked_as_such_and_is_current() {
    isolated(|| {
        let main = greenling::main_tasklet();
        assert_eq!(flags(&main), "ascm");
        assert_eq!(main, greenling::current());
        assert_eq!(main.name().as_deref(), Some("main"));
        let seen = greenling::spawn(|| flags(&greenling::main_tasklet()));
        assert_eq!(seen.join().unwrap(), "absm", "main waits for the join");
        let inside: Rc<RefCell<String>> = Rc::default();
        let note = inside.clone();
        queued(move || *note.borrow_mut() = flags(&greenling::main_tasklet()));
        run().unwrap();
        assert_eq!(*inside.borrow(), "apm", "main is inside `run`");
    });
}

#[test]
fn a_tasklet_that_has_begun_can_not_be_bound_until_it_has_ended() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::unbound();
        let id = tasklet.id();
        let inner = trace.clone();
        let first = move || {
            schedule_remove();
            inner.note("first");
        };
        tasklet.bind(first).unwrap();
        tasklet.insert().unwrap();
        assert!(matches!(tasklet.bind(|| ()), Err(TaskletError::Scheduled)));
        run().unwrap();
        assert!(matches!(tasklet.bind(|| ()), Err(TaskletError::Bound)));
        tasklet.run().unwrap();
        tasklet.bind(trace.noting("second")).unwrap();
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "first second");
        assert_eq!(tasklet.id(), id);
    });
}

#[test]
fn the_current_a_main_and_a_blocked_tasklet_can_not_be_bound() {
    isolated(|| {
        assert!(matches!(
            greenling::current().bind(|| ()),
            Err(TaskletError::Current)
        ));
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let blocked = queued(move || waiting.receive().unwrap());
        schedule();
        assert!(matches!(blocked.bind(|| ()), Err(TaskletError::Blocked)));
        let of_main = greenling::spawn(|| greenling::main_tasklet().bind(|| ()).is_err());
        assert!(of_main.join().unwrap());
        channel.send(()).unwrap();
    });
}

#[test]
fn an_ended_spawned_tasklet_can_not_be_bound_again() {
    isolated(|| {
        let handle = greenling::spawn(|| 5);
        schedule();
        assert!(matches!(
            handle.tasklet().bind(|| ()),
            Err(TaskletError::Dead)
        ));
        assert_eq!(handle.join().unwrap(), 5);
    });
}

#[test]
fn setting_up_an_ended_tasklet_is_an_error() {
    isolated(|| {
        let tasklet = queued(|| ());
        run().unwrap();
        assert!(matches!(tasklet.setup(), Err(TaskletError::Dead)));
    });
}

#[test]
fn ids_are_never_reused() {
    isolated(|| {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let handle = greenling::spawn(|| greenling::current().id());
            assert!(seen.insert(handle.join().unwrap()));
        }
        let elsewhere = std::thread::spawn(|| greenling::current().id());
        assert!(seen.insert(elsewhere.join().unwrap()));
    });
}

#[test]
fn a_kill_that_came_too_late_does_not_meet_the_next_function() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::new(|| {
            let guard = greenling::defer_kill();
            schedule();
            // The kill that came meanwhile would be delivered by a next wait;
            // `run` is at a safe point, but has nothing to wait for.
            drop(guard);
        });
        tasklet.insert().unwrap();
        schedule();
        tasklet.kill_pending().unwrap();
        schedule();
        assert!(!tasklet.is_alive());
        tasklet.bind(trace.noting("second life")).unwrap();
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "second life");
    });
}

#[test]
fn setting_up_twice_queues_once_and_a_blocked_tasklet_not_at_all() {
    isolated(|| {
        let trace = Trace::new();
        let twice = queued(trace.noting("A"));
        queued(trace.noting("B"));
        let twice = twice.setup().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "A B");
        assert!(!twice.is_alive());
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let blocked = queued(move || waiting.receive().unwrap());
        run().unwrap();
        let refused = blocked.setup();
        assert!(matches!(refused, Err(TaskletError::Blocked)));
        assert_eq!(channel.balance(), -1);
        channel.send(()).unwrap();
    });
}
