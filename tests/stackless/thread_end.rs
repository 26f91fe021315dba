//! What becomes of tasklets when their main, their thread or their process
//! ends.

use crate::{Told, queued};
use greenling::thread::RemoteTasklet;
use greenling::{Channel, Tasklet, TaskletError, TaskletExit, run, schedule, schedule_remove};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tests::{Trace, child, isolated, on_bare_thread};

/// Something a tasklet waits in.
type Wait = Box<dyn FnOnce()>;

/// Notes how `wait` ends, and lets a kill go on.
fn noting_its_end(told: &Told, name: &'static str, wait: impl FnOnce()) {
    match catch_unwind(AssertUnwindSafe(wait)) {
        Ok(()) => told.note(format!("{name} resumed")),
        Err(payload) => {
            told.note(format!("{name} exit: {}", payload.is::<TaskletExit>()));
            resume_unwind(payload);
        }
    }
}

#[test]
fn tasklets_still_queued_when_main_returns_are_not_run() {
    let trace = on_bare_thread(|| {
        let trace = Trace::new();
        greenling::enter(|| {
            let dropped = trace.on_drop("never ran");
            let inner = trace.clone();
            queued(move || {
                inner.note("ran");
                drop(dropped);
            });
        });
        trace.take()
    });
    assert_eq!(trace, "never ran");
    let told = Told::default();
    let inner = told.clone();
    on_bare_thread(move || drop(queued(move || inner.note("ran"))));
    assert!(told.take().is_empty(), "the thread just ended");
}

#[test]
fn the_tasklets_of_a_thread_that_ends_are_killed_whatever_they_were_doing() {
    let told = Told::default();
    let notes = told.clone();
    isolated(move || {
        let channel = Channel::<()>::new();
        let waits: [(&str, Wait); 4] = [
            ("yielding", Box::new(schedule)),
            ("pausing", Box::new(schedule_remove)),
            ("receiving", Box::new(move || drop(channel.receive()))),
            ("running", Box::new(|| drop(run()))),
        ];
        for (name, wait) in waits {
            let told = notes.clone();
            // Held on to, or it would be killed when it pauses.
            std::mem::forget(queued(move || noting_its_end(&told, name, wait)));
        }
        schedule();
        notes.note("main ends");
    });
    assert_eq!(
        told.take(),
        [
            "main ends",
            "yielding exit: true",
            "pausing exit: true",
            "receiving exit: true",
            "running exit: true"
        ]
    );
}

#[test]
fn tasklets_that_are_killed_at_the_end_leave_their_channel_the_oldest_first() {
    let trace = on_bare_thread(|| {
        let trace = Trace::new();
        let channel = Channel::<u8>::new();
        greenling::enter(|| {
            for name in ["A", "B"] {
                let (trace, channel) = (trace.clone(), channel.clone());
                queued(move || {
                    let _note = trace.on_drop(format!("{name} unwound"));
                    let _ = channel.receive();
                });
            }
            schedule();
            assert_eq!(channel.balance(), -2);
        });
        trace.note(channel.balance());
        trace.take()
    });
    assert_eq!(trace, "A unwound B unwound 0");
}

/// Tasklets in each state in which the end of their thread may find them, as
/// another thread knows them afterwards.
fn of_an_ended_thread(told: &Told, with_enter: bool) -> Vec<RemoteTasklet> {
    let told = told.clone();
    let life = move || {
        let channel = Channel::<()>::new();
        let waiting = [told.clone(), told.clone(), told.clone()];
        let [blocked, removed, yielded] = waiting;
        let tasklets = [
            Tasklet::new(move || noting_its_end(&blocked, "blocked", || drop(channel.receive()))),
            Tasklet::new(move || noting_its_end(&removed, "removed", schedule)),
            Tasklet::new(move || noting_its_end(&yielded, "yielded", schedule)),
            Tasklet::new(|| ()),
            Tasklet::new(|| ()),
        ];
        for started in &tasklets[..3] {
            started.insert().unwrap();
        }
        schedule();
        tasklets[1].remove().unwrap();
        tasklets[3].insert().unwrap();
        let remotes = tasklets.each_ref().map(|it| it.remote().unwrap());
        std::mem::forget(tasklets);
        remotes.to_vec()
    };
    if with_enter {
        isolated(life)
    } else {
        on_bare_thread(life)
    }
}

#[test]
fn what_an_ended_thread_leaves_is_dead_and_belongs_to_no_thread() {
    let told = Told::default();
    for with_enter in [true, false] {
        for tasklet in of_an_ended_thread(&told, with_enter) {
            assert_eq!(tasklet.thread_id(), None);
            let refused = [
                tasklet.insert(),
                tasklet.run(),
                tasklet.throw("boom"),
                tasklet.bind_thread().map(drop),
            ];
            for (nth, refused) in refused.into_iter().enumerate() {
                assert!(refused.is_err(), "{nth}");
            }
            // A kill has nothing left to do.
            tasklet.kill().unwrap();
        }
    }
}

#[test]
fn the_clean_up_of_tasklets_runs_when_their_thread_leaves_enter_and_not_when_it_just_ends() {
    let told = Told::default();
    of_an_ended_thread(&told, true);
    assert_eq!(
        told.take(),
        [
            "blocked exit: true",
            "removed exit: true",
            "yielded exit: true"
        ]
    );
    of_an_ended_thread(&told, false);
    assert!(told.take().is_empty());
}

#[test]
fn operations_on_a_tasklet_of_an_ended_thread_say_that_it_is_dead() {
    let tasklet = of_an_ended_thread(&Told::default(), true).remove(0);
    assert!(matches!(tasklet.insert(), Err(TaskletError::Dead)));
    assert!(matches!(tasklet.run(), Err(TaskletError::Dead)));
    assert!(matches!(tasklet.throw("boom"), Err(TaskletError::Dead)));
    assert!(matches!(tasklet.remove(), Ok(()) | Err(TaskletError::Dead)));
    tasklet.kill().unwrap();
    assert_ne!(tasklet.id(), 0);
}

#[test]
fn a_function_that_never_started_and_may_move_is_adopted_after_its_thread_has_ended() {
    for with_enter in [false, true] {
        let told = Told::default();
        let notes = told.clone();
        let life = move || {
            let tasklet = Tasklet::new_send(move || notes.note("ran"));
            let remote = tasklet.remote().unwrap();
            std::mem::forget(tasklet);
            remote
        };
        let orphan = if with_enter {
            isolated(life)
        } else {
            on_bare_thread(life)
        };
        assert_eq!(orphan.thread_id(), None);
        let ran = isolated(move || {
            let Ok(adopted) = orphan.bind_thread() else {
                return false;
            };
            assert!(adopted.is_paused());
            assert_eq!(adopted.id(), orphan.id());
            assert_eq!(orphan.thread_id(), Some(std::thread::current().id()));
            adopted.insert().unwrap();
            run().unwrap();
            !adopted.is_alive()
        });
        // `enter` leaves nothing behind: it has killed it.
        assert_eq!(ran, !with_enter);
        assert_eq!(told.take().len(), usize::from(ran));
    }
}

/// Suspends the tasklet below `depth` frames.
fn deep(depth: u32) -> u32 {
    let below = match depth {
        0 => {
            schedule_remove();
            0
        }
        _ => deep(depth - 1),
    };
    std::hint::black_box(below + 1)
}

fn suspend_twenty() {
    for _ in 0..20 {
        let tasklet = Tasklet::new(|| {
            deep(200);
        });
        tasklet.run().unwrap();
        std::mem::forget(tasklet);
    }
}

#[test]
fn a_process_with_deeply_nested_suspended_tasklets_exits_cleanly() {
    const NAME: &str = "thread_end::a_process_with_deeply_nested_suspended_tasklets_exits_cleanly";
    if child::is("returns") {
        // The harness ends the thread and then the process.
        return suspend_twenty();
    }
    if child::is("exits") {
        suspend_twenty();
        std::process::exit(0);
    }
    if child::is("exits beside a thread") {
        let (ready, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            suspend_twenty();
            greenling::spawn(move || {
                ready.send(()).unwrap();
                // For ever: the thread is inside a tasklet when the process ends.
                std::thread::park();
            });
            let _ = run();
        });
        wait.recv().unwrap();
        std::process::exit(0);
    }
    for part in ["returns", "exits", "exits beside a thread"] {
        child::run(NAME, part, &[]).success();
    }
}
