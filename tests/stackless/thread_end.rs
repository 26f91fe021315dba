//! What becomes of tasklets when their main, their thread or their process
//! ends.

use crate::queued;
use greenling::{Channel, Tasklet, TaskletExit, run, schedule, schedule_remove};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use tests::{Trace, child, isolated, on_bare_thread};

/// What happened, told to another thread.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, what: impl ToString) {
        self.0.lock().unwrap().push(what.to_string());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

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
fn a_tasklet_killed_at_the_end_leaves_its_channel_and_who_waits_behind_it_is_next() {
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
