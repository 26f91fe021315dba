//! Tasklets that change threads: only those that have not started can.

use crate::foreign::Home;
use crate::{Told, queued};
use greenling::thread::remote;
use greenling::{Channel, Tasklet, TaskletError, current, run, schedule, schedule_remove};
use std::sync::mpsc;
use tests::{Trace, isolated};

#[test]
fn a_tasklet_that_never_started_moves_to_another_thread_and_runs_there() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let notes = told.clone();
        let tasklet = Tasklet::new_send(move || {
            notes.note(format!("{:?}", std::thread::current().id()));
        });
        let id = tasklet.id();
        let moved = tasklet.bind_thread(&home.remote).unwrap();
        assert!(!tasklet.is_alive(), "it is there now");
        assert!(matches!(tasklet.run(), Err(TaskletError::Dead)));
        home.ask(|| ());
        assert_eq!((moved.id(), moved.thread_id()), (id, Some(home.id())));
        assert!(told.take().is_empty(), "it has arrived paused");
        moved.insert().unwrap();
        home.ask(|| ());
        assert_eq!(told.take(), [format!("{:?}", home.id())]);
        home.end();
    });
}

#[test]
fn a_tasklet_of_another_thread_that_never_started_can_be_taken_over() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let notes = told.clone();
        let theirs = home.ask(move || {
            let tasklet = Tasklet::new_send(move || {
                notes.note(format!("{:?}", std::thread::current().id()));
            });
            tasklet.remote().unwrap()
        });
        assert_eq!(theirs.thread_id(), Some(home.id()));
        let mine = theirs.bind_thread().unwrap();
        assert!(mine.is_paused());
        assert_eq!(mine.id(), theirs.id());
        let here = std::thread::current().id();
        assert_eq!(theirs.thread_id(), Some(here));
        assert_eq!(theirs.bind_thread().unwrap(), mine, "it is here already");
        mine.run().unwrap();
        assert_eq!(told.take(), [format!("{here:?}")]);
        assert!(matches!(theirs.bind_thread(), Err(TaskletError::Dead)));
        home.end();
    });
}

#[test]
fn a_tasklet_that_is_runnable_has_started_or_is_not_send_stays_where_it_is() {
    isolated(|| {
        let home = Home::new();
        let trace = Trace::new();
        let local = Tasklet::new(trace.noting("local"));
        assert!(matches!(
            local.bind_thread(&home.remote),
            Err(TaskletError::Pinned)
        ));
        let runnable = Tasklet::new_send(|| ());
        runnable.insert().unwrap();
        assert!(matches!(
            runnable.bind_thread(&home.remote),
            Err(TaskletError::Scheduled)
        ));
        let started = Tasklet::new_send(schedule_remove);
        started.run().unwrap();
        assert!(started.is_paused());
        assert!(matches!(
            started.bind_thread(&home.remote),
            Err(TaskletError::Pinned)
        ));
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let blocked = queued(move || drop(waiting.receive()));
        schedule();
        for refused in [
            current().bind_thread(&home.remote),
            blocked.bind_thread(&home.remote),
            runnable.bind_thread(&home.remote),
            Tasklet::unbound().bind_thread(&home.remote),
        ] {
            assert!(refused.is_err());
        }
        assert!(!runnable.is_alive(), "it has run here");
        local.run().unwrap();
        started.run().unwrap();
        channel.send(()).unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "local");
        home.end();
    });
}

#[test]
fn what_another_thread_must_not_let_go_of_it_keeps() {
    isolated(|| {
        let home = Home::new();
        let [local, runnable] = home.ask(|| {
            let local = Tasklet::new(schedule_remove);
            let runnable = Tasklet::new_send(schedule_remove);
            let remotes = [&local, &runnable].map(|it| it.remote().unwrap());
            runnable.insert().unwrap();
            local.run().unwrap();
            remotes
        });
        assert!(matches!(local.bind_thread(), Err(TaskletError::Pinned)));
        assert!(matches!(
            runnable.bind_thread(),
            Err(TaskletError::Pinned | TaskletError::Scheduled)
        ));
        assert_eq!(local.thread_id(), Some(home.id()));
        local.kill().unwrap();
        runnable.kill().unwrap();
        home.end();
    });
}

#[test]
fn what_was_moved_to_a_thread_that_has_ended_can_be_taken_back() {
    isolated(|| {
        let home = Home::new();
        let gone = home.remote.clone();
        home.end();
        let told = Told::default();
        let notes = told.clone();
        let tasklet = Tasklet::new_send(move || notes.note("ran"));
        let lost = tasklet.bind_thread(&gone).unwrap();
        assert_eq!(lost.thread_id(), None);
        assert!(matches!(lost.insert(), Err(TaskletError::Dead)));
        lost.bind_thread().unwrap().run().unwrap();
        assert_eq!(told.take(), ["ran"]);
    });
}

#[test]
fn a_request_that_lay_there_before_the_tasklet_came_back_reaches_it() {
    isolated(|| {
        let home = Home::new();
        let here = remote().unwrap();
        let back = here.clone();
        let told = Told::default();
        let notes = told.clone();
        let tasklet = Tasklet::new_send(move || notes.note("ran"));
        let moving = tasklet.remote().unwrap();
        // This thread looks at nothing until the tasklet is back.
        let killer = moving.clone();
        let other = std::thread::spawn(move || killer.kill().unwrap());
        other.join().unwrap();
        tasklet.bind_thread(&home.remote).unwrap();
        let (tell, sent_back) = mpsc::channel();
        let returning = moving.clone();
        drop(home.remote.spawn(move || {
            let adopted = returning.bind_thread().unwrap();
            adopted.bind_thread(&back).unwrap();
            tell.send(()).unwrap();
        }));
        sent_back.recv().unwrap();
        // What this thread asks itself comes after all that lay there.
        here.spawn(|| ()).join().unwrap();
        assert!(matches!(moving.bind_thread(), Err(TaskletError::Dead)));
        assert!(told.take().is_empty(), "it was killed before it ran");
        home.end();
    });
}

#[test]
fn a_tasklet_with_a_kill_on_its_way_does_not_leave_it_behind() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let notes = told.clone();
        let tasklet = Tasklet::new_send(move || notes.note("ran"));
        tasklet.kill_pending().unwrap();
        tasklet.remove().unwrap();
        let refused = tasklet.bind_thread(&home.remote);
        assert!(matches!(refused, Err(TaskletError::Pinned)));
        tasklet.insert().unwrap();
        run().unwrap();
        assert!(!tasklet.is_alive());
        assert!(told.take().is_empty(), "it was killed before it ran");
        home.end();
    });
}
