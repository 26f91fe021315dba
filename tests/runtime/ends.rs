//! Ends: of `enter`, of threads, of the process.

use greenling::{Channel, JoinHandle, Tasklet, schedule, schedule_remove};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::mpsc;
use tests::{Trace, child, isolated, logs, on_bare_thread};

/// Sends when it is dropped.
struct Report(mpsc::Sender<&'static str>, &'static str);

impl Drop for Report {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

#[test]
fn enter_kills_what_is_left_in_the_order_of_ids() {
    let trace = on_bare_thread(|| {
        let trace = Trace::new();
        let value = greenling::enter(|| {
            let channel = Channel::<()>::new();
            let note = trace.on_drop("paused");
            std::mem::forget(Tasklet::new(move || drop(note)));
            for name in ["one", "two", "three"] {
                let (trace, channel) = (trace.clone(), channel.clone());
                greenling::spawn(move || {
                    let _note = trace.on_drop(name);
                    let _ = channel.receive();
                });
            }
            schedule();
            let note = trace.on_drop("never started");
            greenling::spawn(move || drop(note));
            7
        });
        trace.note(value);
        trace.take()
    });
    assert_eq!(trace, "paused one two three never started 7");
}

#[test]
fn enter_kills_the_leftovers_also_when_its_closure_panics() {
    let trace = on_bare_thread(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let result = catch_unwind(AssertUnwindSafe(|| {
            greenling::enter(|| {
                let note = inner.on_drop("killed");
                greenling::spawn(move || drop(note));
                panic_any("out");
            })
        }));
        trace.note(result.unwrap_err().downcast::<&str>().unwrap());
        trace.take()
    });
    assert_eq!(trace, "killed out");
}

#[test]
fn only_the_outermost_enter_cleans_up() {
    on_bare_thread(|| {
        let trace = Trace::new();
        greenling::enter(|| {
            let note = trace.on_drop("killed");
            greenling::enter(|| {
                greenling::spawn(move || drop(note));
            });
            trace.note("inner left");
        });
        trace.note("outer left");
        assert_eq!(trace.take(), "inner left killed outer left");
    });
}

#[test]
fn enter_kills_what_its_kills_have_spawned_and_gives_up_on_who_catches_every_kill() {
    let (trace, lines) = on_bare_thread(|| {
        logs::keep();
        let trace = Trace::new();
        greenling::enter(|| {
            struct Spawns(Trace);
            impl Drop for Spawns {
                fn drop(&mut self) {
                    let note = self.0.on_drop("grandchild");
                    greenling::spawn(move || {
                        let _note = note;
                        schedule_remove();
                    });
                }
            }
            let spawns = Spawns(trace.clone());
            greenling::spawn(move || {
                let _spawns = spawns;
                schedule_remove();
            });
            let inner = trace.clone();
            let stubborn = greenling::spawn(move || {
                loop {
                    let _ = catch_unwind(schedule_remove);
                    inner.note("caught");
                }
            });
            std::mem::forget(stubborn.tasklet());
            schedule();
        });
        (trace.take_list(), logs::take())
    });
    assert_eq!(trace.iter().filter(|note| *note == "grandchild").count(), 1);
    // Two rounds end others, and ten end nobody.
    assert_eq!(trace.iter().filter(|note| *note == "caught").count(), 12);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("1 tasklets outlive enter")),
        "{lines:#?}"
    );
}

#[test]
fn a_thread_that_just_ends_drops_closures_that_never_started_and_leaks_the_others() {
    let (sender, receiver) = mpsc::channel();
    on_bare_thread(move || {
        for name in ["queued 1", "queued 2"] {
            let report = Report(sender.clone(), name);
            greenling::spawn(move || drop(report));
        }
        let report = Report(sender.clone(), "paused");
        std::mem::forget(Tasklet::new(move || drop(report)));
        let suspended = Tasklet::new(move || {
            let _report = Report(sender, "suspended");
            schedule_remove();
        });
        suspended.run().unwrap();
    });
    // The suspended tasklet's sender lives for ever: no more comes, but the
    // channel is not closed either.
    let got: Vec<_> = receiver.try_iter().collect();
    assert_eq!(got, ["queued 1", "queued 2", "paused"]);
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
}

thread_local! {
    /// Made before the thread's scheduler, so destroyed after it.
    static OLDER: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Runs its functions when the thread-local is destroyed.
struct AtThreadEnd;

thread_local! {
    static AT_END: AtThreadEnd = const { AtThreadEnd };
}

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        for function in OLDER.try_with(RefCell::take).unwrap_or_default() {
            function();
        }
    }
}

/// On a thread of its own, has `prepare` make something of the scheduler's,
/// and what it returns run in a thread-local destructor after the scheduler's.
fn after_the_scheduler<F: FnOnce() + 'static>(
    prepare: fn(mpsc::Sender<String>) -> F,
) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    on_bare_thread(move || {
        OLDER.with_borrow_mut(|_| ());
        AT_END.with(|_| ());
        let function = prepare(sender);
        OLDER.with_borrow_mut(|list| list.push(Box::new(function)));
    });
    receiver.try_iter().collect()
}

#[test]
fn handles_in_older_thread_locals_outlive_the_scheduler_harmlessly() {
    let seen = after_the_scheduler(|sender| {
        let tasklet = Tasklet::new(schedule_remove).setup().unwrap();
        let ended: JoinHandle<String> = greenling::spawn(|| "result".to_owned());
        let dropped = greenling::spawn(|| vec![1, 2, 3]);
        let pending = greenling::spawn(schedule_remove);
        schedule();
        let unstarted = greenling::spawn(|| ());
        move || {
            let say = |what: &dyn std::fmt::Debug| sender.send(format!("{what:?}")).unwrap();
            say(&tasklet.is_alive());
            say(&tasklet.kill().is_ok());
            say(&tasklet.remove().is_ok());
            say(&tasklet.run().unwrap_err());
            say(&tasklet.insert().unwrap_err());
            say(&tasklet.throw("x").unwrap_err());
            say(&ended.join().unwrap());
            drop(dropped);
            say(&pending.is_finished());
            say(&pending.join().unwrap_err());
            say(&unstarted.join().unwrap_err());
            drop(tasklet);
            say(&greenling::run_count());
        }
    });
    assert_eq!(
        seen,
        [
            "false",
            "true",
            "true",
            "Dead",
            "Dead",
            "Dead",
            "\"result\"",
            "true",
            "Killed",
            "Killed",
            "0"
        ]
    );
}

#[test]
fn channels_in_older_thread_locals_still_name_their_waiters_but_serve_nobody() {
    let seen = after_the_scheduler(|sender| {
        let channel = Channel::<u8>::new();
        let waiting = channel.clone();
        greenling::spawn(move || waiting.receive());
        schedule();
        move || {
            let queue = channel.queue();
            sender
                .send(format!("{} {}", queue.len(), queue[0].is_alive()))
                .unwrap();
            sender
                .send(format!("{:?}", channel.send(1).is_err()))
                .unwrap();
            sender
                .send(format!("{:?}", channel.try_receive().is_err()))
                .unwrap();
            sender.send(channel.balance().to_string()).unwrap();
        }
    });
    assert_eq!(seen, ["1 false", "true", "true", "-1"]);
}

#[test]
fn a_thread_that_is_ending_refuses_new_tasklets() {
    let seen = after_the_scheduler(|sender| {
        schedule();
        let _ = greenling::current();
        move || {
            let refused = greenling::Builder::new().spawn(|| ()).unwrap_err();
            sender.send(refused.to_string()).unwrap();
            let panicked = catch_unwind(|| greenling::spawn(|| ()));
            sender.send(panicked.is_err().to_string()).unwrap();
            schedule();
            greenling::time::sleep(std::time::Duration::from_secs(3600));
            sender.send(greenling::run().is_ok().to_string()).unwrap();
        }
    });
    assert_eq!(
        seen,
        [
            "the thread is ending and runs no tasklets any more",
            "true",
            "true"
        ]
    );
}

#[test]
fn a_closure_dropped_at_the_end_of_its_thread_can_not_spawn_another() {
    let (sender, receiver) = mpsc::channel();
    on_bare_thread(move || {
        struct Spawns(mpsc::Sender<String>);
        impl Drop for Spawns {
            fn drop(&mut self) {
                let report = self.0.clone();
                let spawned = greenling::Builder::new().spawn(move || drop(report));
                let _ = self.0.send(format!("spawned: {}", spawned.is_ok()));
            }
        }
        let spawns = Spawns(sender);
        greenling::spawn(move || drop(spawns));
    });
    // Closed, so nothing that holds a sender was leaked.
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["spawned: false"]);
}

#[test]
fn a_worker_thread_may_come_and_go_many_times() {
    for _ in 0..50 {
        on_bare_thread(|| {
            greenling::enter(|| {
                let handles: Vec<_> = (0..10).map(|n| greenling::spawn(move || n)).collect();
                let sum: i32 = handles.into_iter().map(|h| h.join().unwrap()).sum();
                assert_eq!(sum, 45);
            });
        });
    }
}

#[test]
fn process_exit_inside_a_tasklet_ends_the_process_cleanly() {
    if child::is("exit in a tasklet") {
        greenling::spawn(|| {
            // Suspended frames, unstarted closures, a system stack: all there.
            let suspended = Tasklet::new(schedule_remove);
            suspended.run().unwrap();
            let _unstarted = Tasklet::new(|| ());
            greenling::on_system_stack(|| std::process::exit(37));
        });
        let _ = greenling::run();
    }
    if child::is("exit beside tasklets") {
        for _ in 0..20 {
            greenling::spawn(schedule_remove);
        }
        schedule();
        std::process::exit(38);
    }
    let name = "ends::process_exit_inside_a_tasklet_ends_the_process_cleanly";
    let finished = child::run(name, "exit in a tasklet", &[]);
    assert_eq!(finished.status.code(), Some(37), "{}", finished.text());
    let finished = child::run(name, "exit beside tasklets", &[]);
    assert_eq!(finished.status.code(), Some(38), "{}", finished.text());
}

#[test]
fn enter_works_in_a_tasklet_too() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        // The test's own `enter` is outermost, so this one only runs.
        let handle = greenling::spawn(move || greenling::enter(|| inner.note("inside")));
        handle.join().unwrap();
        assert_eq!(trace.take(), "inside");
    });
}
