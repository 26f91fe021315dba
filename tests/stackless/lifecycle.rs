//! What a tasklet says of itself at each step of its life.

use greenling::{Channel, Tasklet, TaskletError, run, schedule, schedule_remove};
use tests::{Trace, isolated};

/// Alive, blocked, scheduled, paused, current: a letter for each that is true.
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

#[test]
fn the_flags_follow_each_step_of_the_life_cycle() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let tasklet = Tasklet::unbound();
        assert_eq!(flags(&tasklet), "");
        let (inner, waiting) = (trace.clone(), channel.clone());
        tasklet
            .bind(move || {
                inner.note(flags(&greenling::current()));
                waiting.receive().unwrap();
                schedule_remove();
                schedule();
            })
            .unwrap();
        assert_eq!(flags(&tasklet), "ap");
        tasklet.insert().unwrap();
        assert_eq!(flags(&tasklet), "as");
        tasklet.remove().unwrap();
        assert_eq!(flags(&tasklet), "ap");
        tasklet.insert().unwrap();
        schedule();
        assert_eq!(trace.take(), "asc");
        assert_eq!(flags(&tasklet), "abs");
        channel.send(()).unwrap();
        assert_eq!(flags(&tasklet), "ap");
        tasklet.run().unwrap();
        assert_eq!(flags(&tasklet), "as");
        schedule();
        assert_eq!(flags(&tasklet), "");
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
        assert_eq!(seen.join().unwrap(), "abm".replace("m", "sm"));
    });
}

#[test]
fn a_tasklet_is_bound_once_and_again_when_it_has_ended() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::unbound();
        let id = tasklet.id();
        tasklet.bind(trace.noting("first")).unwrap();
        assert!(matches!(tasklet.bind(|| ()), Err(TaskletError::Bound)));
        tasklet.insert().unwrap();
        assert!(matches!(tasklet.bind(|| ()), Err(TaskletError::Scheduled)));
        run().unwrap();
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
        let blocked = Tasklet::new(move || waiting.receive().unwrap())
            .setup()
            .unwrap();
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
        let tasklet = Tasklet::new(|| ()).setup().unwrap();
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
