//! Metrics, accounts, and what other threads tell of theirs.

use greenling::inspect::{
    self, DumpOptions, Metrics, metrics, metrics_all, set_accounting, tasklets,
};
use greenling::{Channel, Tasklet, schedule, schedule_remove, thread, time};
use std::collections::HashSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tests::isolated;

/// Long enough for any machine; whoever answers does so at once.
const PATIENCE: Duration = Duration::from_secs(100);

#[test]
fn tasklets_are_counted_from_birth_to_end() {
    isolated(|| {
        let at_first = metrics();
        assert_eq!(
            (at_first.live, at_first.runnable, at_first.spawned),
            (1, 1, 0)
        );
        let channel = Channel::<()>::new();
        let theirs = channel.clone();
        let waits = greenling::spawn(move || theirs.receive());
        let sleeps = greenling::spawn(|| time::sleep(Duration::from_secs(3600)));
        let paused = Tasklet::new(|| ());
        let unbound = Tasklet::unbound();
        schedule();
        let now = metrics();
        assert_eq!(
            (now.live, now.runnable, now.blocked, now.paused),
            (4, 1, 2, 1)
        );
        assert_eq!((now.spawned, now.ended, now.timers), (3, 0, 1));
        assert_eq!((now.stacks_in_use, now.switches), (3, 3));
        assert!(now.stack_bytes_resident >= 2 * 4096, "{now:?}");
        assert!(now.stack_bytes_mapped > now.stack_bytes_resident, "{now:?}");

        unbound.bind(|| ()).unwrap();
        unbound.unbind().unwrap();
        unbound.bind(|| ()).unwrap();
        sleeps.tasklet().kill().unwrap();
        channel.send(()).unwrap();
        for task in [&paused, &unbound] {
            task.run().unwrap();
        }
        waits.join().unwrap().unwrap();
        let last = metrics();
        assert_eq!((last.live, last.paused, last.timers), (1, 0, 0));
        assert_eq!((last.spawned, last.ended), (5, 5));
        assert_eq!((last.stacks_in_use, last.stacks_pooled), (0, 4));
    });
}

#[test]
fn a_pipe_and_an_offloaded_job_are_counted() {
    isolated(|| {
        let listener = greenling::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let descriptors = metrics().descriptors;
        assert!(descriptors >= 1);
        drop(listener);
        assert_eq!(metrics().descriptors, descriptors - 1);
        let (go, gate) = mpsc::channel::<()>();
        let job = greenling::spawn(move || greenling::offload(move || gate.recv().ok()));
        schedule();
        let offload = metrics().offload;
        assert!(offload.threads >= 1, "{offload:?}");
        assert!(offload.queued + offload.running >= 1, "{offload:?}");
        go.send(()).unwrap();
        job.join().unwrap().unwrap();
    });
}

/// Every sample belongs to a family that was announced just before, once.
fn check_exposition(text: &str) {
    let (mut families, mut current) = (HashSet::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().unwrap().to_owned();
            assert!(
                families.insert(current.clone()),
                "{current} twice in:\n{text}"
            );
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current);
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, current, "{line}");
            let value = line.rsplit(' ').next().unwrap();
            value.parse::<u64>().unwrap();
        }
    }
    assert!(families.len() > 15, "{text}");
}

#[test]
fn metrics_are_displayed_as_prometheus_text() {
    let text = std::thread::Builder::new()
        .name("a \"name\"\\\n".into())
        .spawn(|| greenling::enter(|| metrics().to_string()));
    let text = text.unwrap().join().unwrap();
    check_exposition(&text);
    assert!(
        text.contains("thread=\"a \\\"name\\\"\\\\\\n\"} 1\n"),
        "{text}"
    );
    check_exposition(&Metrics::default().to_string());
}

fn burn(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        black_box(start);
    }
}

#[test]
fn accounts_are_kept_while_they_are_asked_for() {
    isolated(|| {
        let info = |task: &Tasklet| {
            let id = task.id();
            tasklets().into_iter().find(|info| info.id == id).unwrap()
        };
        assert!(!set_accounting(true));
        let busy = greenling::spawn(|| {
            loop {
                burn(Duration::from_millis(2));
                schedule();
            }
        });
        let waits = greenling::spawn(schedule_remove);
        let (busy, waits) = (busy.tasklet(), waits.tasklet());
        for _ in 0..5 {
            schedule();
        }
        assert_eq!((info(&busy).switches, info(&waits).switches), (5, 1));
        let ran = info(&busy).running_time;
        assert!(ran >= Duration::from_millis(10), "{ran:?}");
        assert!(info(&waits).running_time < ran);
        assert!(info(&busy).to_string().contains("5 switches, ran "));
        assert!(set_accounting(false));
        for _ in 0..5 {
            schedule();
        }
        assert_eq!((info(&busy).switches, info(&busy).running_time), (5, ran));
        assert!(!set_accounting(true));
        schedule();
        assert_eq!(info(&busy).switches, 6);
        // Nothing of it passes to the next tasklet in that place.
        busy.kill().unwrap();
        drop(busy);
        let next = greenling::spawn(schedule_remove).tasklet();
        assert_eq!(info(&next).switches, 0);
        set_accounting(false);
        waits.kill().unwrap();
        next.kill().unwrap();
    });
}

#[test]
fn idling_is_nobodys_running_time() {
    isolated(|| {
        set_accounting(true);
        let pause = Duration::from_millis(300);
        time::sleep(pause);
        let ran = tasklets()[0].running_time;
        assert!(ran < pause, "{ran:?}");
        set_accounting(false);
    });
}

#[inline(never)]
fn waits_over_there(channel: &Channel<()>) {
    let _ = black_box(channel.receive());
}

/// A thread with a tasklet that waits, and its remote.
fn other_thread(name: &str) -> (thread::Remote, impl FnOnce() + use<>) {
    let (sender, receiver) = mpsc::channel();
    let (end, ended) = thread::channel::<()>(1);
    let run = move || {
        greenling::enter(|| {
            let channel = Channel::new();
            let task = greenling::spawn(move || waits_over_there(&channel));
            sender.send(thread::remote().unwrap()).unwrap();
            let _ = ended.receive();
            drop(task);
        });
    };
    let thread = std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .unwrap();
    let remote = receiver.recv().unwrap();
    (remote, move || {
        drop(end);
        thread.join().unwrap();
    })
}

#[inline(never)]
fn dumps_all(options: &DumpOptions) -> String {
    let mut all = Vec::new();
    inspect::dump_all(&mut all, options).unwrap();
    black_box(String::from_utf8(all).unwrap())
}

#[test]
fn another_threads_tasklets_are_dumped_and_counted() {
    isolated(|| {
        let (remote, end) = other_thread("its name");
        let options = DumpOptions::new().backtraces(true).patience(PATIENCE);
        let text = remote.dump(&options).unwrap();
        assert!(text.contains("waits for channel receive"), "{text}");
        assert!(text.contains("waits_over_there at "), "{text}");
        let metrics = remote.metrics().unwrap();
        assert_eq!((metrics.live, metrics.blocked), (2, 2));
        assert_eq!(metrics.thread.as_deref(), Some("its name"));

        let all = dumps_all(&options);
        assert!(all.contains("thread \"its name\" (ThreadId("), "{all}");
        assert!(all.contains("waits_over_there at "), "{all}");
        // And this one.
        assert!(all.contains("dumps_all at "), "{all}");
        let every = metrics_all(PATIENCE).unwrap();
        let found = every
            .threads
            .iter()
            .any(|it| it.scheduler == metrics.scheduler);
        assert!(found, "{every:?}");
        check_exposition(&every.to_string());
        end();
        let error = remote.dump(&options).unwrap_err();
        assert!(matches!(error, greenling::TaskletError::Dead), "{error}");
    });
}

/// A thread with two tasklets that knows of no other thread and watches no
/// descriptor, and what ends it. `wait` keeps it from its end.
fn aloof_thread(name: &str, wait: impl FnOnce(&AtomicBool) + Send + 'static) -> impl FnOnce() {
    let end = Arc::new(AtomicBool::new(false));
    let (sender, started) = mpsc::channel();
    let ended = end.clone();
    let run = move || {
        greenling::enter(|| {
            let channel = Channel::new();
            greenling::spawn(move || waits_over_there(&channel));
            sender.send(()).unwrap();
            wait(&ended);
        });
    };
    let thread = std::thread::Builder::new().name(name.into()).spawn(run);
    started.recv().unwrap();
    move || {
        end.store(true, Ordering::Relaxed);
        thread.unwrap().join().unwrap();
    }
}

thread_local! {
    static RING: Channel<()> = Channel::new();
}

#[test]
fn threads_that_know_of_no_other_are_asked_too() {
    isolated(|| {
        let ends: [Box<dyn FnOnce()>; 2] = [
            Box::new(aloof_thread("turning", |end| {
                while !end.load(Ordering::Relaxed) {
                    schedule();
                }
            })),
            Box::new(aloof_thread("napping", |_| {
                let rung = RING.with(Channel::clone);
                time::timeout(PATIENCE, || rung.receive()).unwrap().unwrap();
            })),
        ];
        let text = dumps_all(&DumpOptions::new().backtraces(true).patience(PATIENCE));
        for name in ["turning", "napping"] {
            let (_, theirs) = text.split_once(&format!("thread \"{name}\" (")).unwrap();
            let (theirs, _) = theirs.split_once("thread \"").unwrap_or((theirs, ""));
            assert!(theirs.contains("tasklets: 2"), "{text}");
            assert!(theirs.contains("waits_over_there at "), "{text}");
        }
        let every = metrics_all(PATIENCE).unwrap();
        let named = |name| {
            every
                .threads
                .iter()
                .find(|it| it.thread.as_deref() == Some(name))
        };
        let counts = ["turning", "napping"].map(|name| named(name).unwrap().live);
        assert_eq!(counts, [2, 2]);
        let naps = |it: &thread::Remote| {
            let id = it.thread_id();
            id.is_some_and(|id| text.contains(&format!("thread \"napping\" ({id:?})")))
        };
        let napping = thread::threads().unwrap().into_iter().find(naps);
        // The receiver runs first, and its end is that of who rings.
        drop(napping.unwrap().spawn(|| RING.with(|ring| ring.send(()))));
        ends.into_iter().for_each(|end| end());
    });
}

/// Begins without a driver, naps, gets one, and ends, with somebody waiting all the time.
fn short_life() {
    greenling::enter(|| {
        greenling::spawn(|| waits_over_there(&Channel::new()));
        time::sleep(Duration::from_micros(300));
        let (_sender, receiver) = thread::channel::<()>(1);
        receiver
            .receive_timeout(Duration::from_micros(300))
            .unwrap_err();
    });
}

#[test]
fn threads_are_asked_at_any_moment_of_their_lives() {
    let done = Arc::new(AtomicBool::new(false));
    let lives: Vec<_> = (0..3)
        .map(|_| {
            let done = done.clone();
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    std::thread::spawn(short_life).join().unwrap();
                }
            })
        })
        .collect();
    let options = DumpOptions::new().patience(PATIENCE);
    let mut met = 0;
    while met < 100 {
        let text = dumps_all(&options);
        assert!(!text.contains("has not answered"), "{text}");
        met += text.matches("waits for channel receive").count();
    }
    done.store(true, Ordering::Relaxed);
    lives.into_iter().for_each(|life| life.join().unwrap());
}

#[test]
fn to_be_asked_is_no_reason_to_wait_for_ever() {
    // It is asked again and again, and sees its deadlock all the same.
    let done = Arc::new(AtomicBool::new(false));
    let asked = done.clone();
    let deadlock = std::thread::spawn(move || {
        greenling::enter(|| {
            greenling::spawn(|| waits_over_there(&Channel::new()));
            let result = Channel::<()>::new().receive();
            done.store(true, Ordering::Relaxed);
            result.unwrap_err().to_string()
        })
    });
    while !asked.load(Ordering::Relaxed) {
        dumps_all(&DumpOptions::new());
    }
    let error = deadlock.join().unwrap();
    assert!(error.contains("deadlock"), "{error}");
}

#[test]
fn a_thread_that_is_about_something_else_is_not_waited_for() {
    tests::process::alone(
        "numbers::a_thread_that_is_about_something_else_is_not_waited_for",
        || {
            let (sender, receiver) = mpsc::channel();
            let (end, ended) = mpsc::channel::<()>();
            let thread = std::thread::spawn(move || {
                greenling::enter(|| greenling::spawn(|| ()).join().unwrap());
                sender.send(()).unwrap();
                let _ = ended.recv();
                // Who is in there once more is back, and so is who waits outside of it.
                greenling::enter(|| {
                    let task = greenling::spawn(|| ());
                    sender.send(()).unwrap();
                    let _ = ended.recv();
                    drop(task);
                });
                let task = greenling::spawn(schedule_remove);
                time::sleep(Duration::from_millis(1));
                sender.send(()).unwrap();
                let _ = ended.recv();
                drop(task);
            });
            receiver.recv().unwrap();
            let options = DumpOptions::new().patience(Duration::from_millis(100));
            assert_eq!(dumps_all(&options), "");
            assert_eq!(metrics_all(options.patience).unwrap().silent, 0);
            for _ in 0..2 {
                end.send(()).unwrap();
                receiver.recv().unwrap();
                let text = dumps_all(&options);
                assert!(text.contains("has not answered within 100ms"), "{text}");
            }
            end.send(()).unwrap();
            thread.join().unwrap();
        },
    );
}

#[test]
fn questions_do_not_pile_up_where_nobody_answers() {
    tests::process::alone(
        "numbers::questions_do_not_pile_up_where_nobody_answers",
        || {
            let (sender, receiver) = mpsc::channel();
            let (go_on, told) = mpsc::channel::<()>();
            let thread = std::thread::spawn(move || {
                let task = greenling::spawn(schedule_remove);
                time::sleep(Duration::from_millis(1));
                for _ in 0..2 {
                    sender.send(metrics().inbox_messages).unwrap();
                    let _ = told.recv();
                    sender.send(metrics().inbox_messages).unwrap();
                    // It looks at its inbox until it is to stop.
                    while told.try_recv().is_err() {
                        time::sleep(Duration::from_millis(1));
                    }
                }
                drop(task);
            });
            let options = DumpOptions::new().patience(Duration::from_millis(50));
            for _ in 0..2 {
                let before = receiver.recv().unwrap();
                for _ in 0..5 {
                    assert_eq!(metrics_all(options.patience).unwrap().silent, 1);
                    let text = dumps_all(&options);
                    assert!(text.contains("has not answered within 50ms"), "{text}");
                }
                go_on.send(()).unwrap();
                // The question, and that nobody is left who could ask another.
                let after = receiver.recv().unwrap();
                assert!(after <= before + 2, "{before}, {after}");
                let every = metrics_all(PATIENCE).unwrap();
                assert_eq!((every.silent, every.threads.len()), (0, 1), "{every:?}");
                go_on.send(()).unwrap();
            }
            thread.join().unwrap();
        },
    );
}

#[inline(never)]
fn holds_its_thread(until: &mpsc::Receiver<()>) {
    let _ = black_box(until.recv());
}

#[test]
fn a_thread_that_runs_wild_is_named_as_silent() {
    tests::process::alone(
        "numbers::a_thread_that_runs_wild_is_named_as_silent",
        || {
            isolated(|| {
                let (held, end_held) = other_thread("held");
                let (_free, end_free) = other_thread("free");
                let (started, running) = mpsc::channel();
                let (stop, stopped) = mpsc::channel::<()>();
                let spins = held.spawn(move || {
                    started.send(()).unwrap();
                    holds_its_thread(&stopped);
                });
                running.recv().unwrap();
                let options = DumpOptions::new().patience(Duration::from_millis(200));
                let text = dumps_all(&options);
                assert!(text.contains("has not answered within 200ms"), "{text}");
                assert!(text.contains("thread \"free\""), "{text}");
                let silent = text.lines().find(|line| line.contains("has not answered"));
                assert!(silent.unwrap().starts_with("thread \"held\" ("), "{text}");
                assert_eq!(metrics_all(options.patience).unwrap().silent, 1);
                // By a signal it can be asked all the same.
                assert!(!text.contains("holds_its_thread at "), "{text}");
                inspect::dump_on(greenling::signal::SIGUSR1).unwrap();
                assert!(!dumps_all(&options).contains("holds_its_thread at "));
                let text = dumps_all(&options.clone().backtraces(true));
                let (_, told) = text
                    .split_once("has not answered within 200ms\n  ")
                    .unwrap();
                assert!(told.contains(" running, made at "), "{text}");
                assert!(told.contains("holds_its_thread at "), "{text}");
                stop.send(()).unwrap();
                spins.join().unwrap();
                assert_eq!(metrics_all(PATIENCE).unwrap().silent, 0);
                end_held();
                end_free();
            });
        },
    );
}
