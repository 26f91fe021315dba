//! When nothing could ever wake anybody.

use crate::queued;
use greenling::thread::channel;
use greenling::time::{sleep, timeout};
use greenling::{
    Channel, JoinError, ReceiveError, SendErrorKind, Tasklet, WaitError, run, schedule_remove,
};
use std::error::Error;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tests::{Trace, isolated, logs};

fn is_deadlock<T>(result: Result<T, ReceiveError>) -> bool {
    matches!(result, Err(ReceiveError::Wait(WaitError::Deadlock)))
}

#[test]
fn a_lone_main_that_receives_or_sends_gets_a_deadlock_and_its_value_back() {
    isolated(|| {
        let channel = Channel::new();
        assert!(is_deadlock(channel.receive()));
        let refused = channel.send(8).unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::Deadlock)
        ));
        assert_eq!(refused.into_inner(), Some(8));
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn main_is_told_when_it_waits_and_the_last_tasklet_ends() {
    isolated(|| {
        logs::keep();
        let channel = Channel::<()>::new();
        queued(|| ());
        assert!(is_deadlock(channel.receive()));
        assert_eq!(channel.balance(), 0);
        let lines = logs::take();
        assert!(
            lines.iter().any(|line| line.contains("deadlock")
                && line.contains("\"main\", waits for channel receive")),
            "{lines:#?}"
        );
        queued(|| ());
        assert!(channel.send(()).is_err());
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn the_last_to_block_gets_the_deadlock_while_main_waits_on() {
    isolated(|| {
        let trace = Trace::new();
        let (mains, workers) = (Channel::new(), Channel::<()>::new());
        let (inner, rescue) = (trace.clone(), mains.clone());
        queued(move || {
            inner.note(is_deadlock(workers.receive()));
            inner.note(workers.balance());
            rescue.send("rescued").unwrap();
        });
        assert_eq!(mains.receive().unwrap(), "rescued");
        assert_eq!(trace.take(), "true 0");
    });
}

#[test]
fn a_worker_that_blocks_for_ever_under_run_is_no_deadlock() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let worker = queued(move || {
            let _ = inner.receive();
        });
        assert_eq!(run().unwrap().blocked, 1);
        assert!(worker.is_blocked());
    });
}

#[test]
fn a_worker_that_blocks_for_ever_while_main_is_paused_is_no_deadlock() {
    isolated(|| {
        logs::keep();
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        queued(move || {
            inner.note("waits");
            let _ = waiting.receive();
            inner.note("not reached");
        });
        schedule_remove();
        trace.note(format!("main, balance {}", channel.balance()));
        queued(|| ()).switch().unwrap();
        assert_eq!(trace.take(), "waits main, balance -1");
        assert!(logs::take().is_empty());
    });
}

#[test]
fn schedule_remove_returns_to_a_worker_when_main_waits_and_nobody_else_could_run() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, sender) = (trace.clone(), channel.clone());
        // Held on to: without a handle it would be finalised.
        let _worker = queued(move || {
            schedule_remove();
            inner.note("returned");
            sender.send(()).unwrap();
        });
        channel.receive().unwrap();
        assert_eq!(trace.take(), "returned");
    });
}

#[test]
fn joining_a_tasklet_that_can_never_end_is_a_deadlock() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let handle = greenling::spawn(move || inner.receive());
        greenling::schedule();
        assert!(matches!(handle.wait(), Err(WaitError::Deadlock)));
        assert!(matches!(
            handle.join(),
            Err(JoinError::Wait(WaitError::Deadlock))
        ));
        assert_eq!(channel.balance(), -1);
    });
}

#[test]
fn a_tasklet_can_not_wait_for_itself() {
    isolated(|| {
        let channel = Channel::new();
        let inner = channel.clone();
        let handle = greenling::spawn(move || {
            let handle: greenling::JoinHandle<()> = inner.receive().unwrap();
            matches!(handle.join(), Err(JoinError::Wait(WaitError::Deadlock)))
                .then_some(())
                .unwrap()
        });
        let tasklet = handle.tasklet();
        channel.send(handle).unwrap();
        run().unwrap();
        assert!(!tasklet.is_alive());
    });
}

#[test]
fn a_deadlock_that_its_victim_does_not_deal_with_is_an_error_like_any_other() {
    isolated(|| {
        let (mains, workers) = (Channel::<()>::new(), Channel::<()>::new());
        let inner = workers.clone();
        let victim = Tasklet::new(move || inner.receive()).setup().unwrap();
        let payload = catch_unwind(AssertUnwindSafe(|| mains.receive())).unwrap_err();
        let error = payload.downcast::<Box<dyn Error + Send + Sync>>().unwrap();
        assert!(
            error.to_string().starts_with("deadlock"),
            "it went on to main: {error}"
        );
        assert!(!victim.is_alive());
        assert_eq!((mains.balance(), workers.balance()), (0, 0));
    });
}

/// Something that a tasklet waits for and that is not another tasklet.
type Wait = fn();

const WORLD: [(&str, Wait); 6] = [
    ("a timer", || sleep(Duration::from_millis(1))),
    ("a deadline", || {
        let waited = timeout(Duration::from_millis(1), || Channel::<()>::new().receive());
        assert!(waited.is_err());
    }),
    ("a descriptor", || {
        let (mut ours, mut theirs) = tests::sockets::half_pair();
        let other = std::thread::spawn(move || theirs.write_all(b"x").unwrap());
        ours.read_exact(&mut [0]).unwrap();
        other.join().unwrap();
    }),
    ("an offloaded job", || greenling::offload(|| ()).unwrap()),
    ("another thread's value", || {
        let (sender, receiver) = channel(0);
        std::thread::spawn(move || sender.send(()).unwrap());
        receiver.receive().unwrap();
    }),
    ("another thread's request", || {
        let me = greenling::current().remote().unwrap();
        std::thread::spawn(move || me.insert().unwrap());
        schedule_remove();
    }),
];

#[test]
fn what_could_wake_a_tasklet_is_waited_for_and_nothing_else() {
    for (name, wait) in WORLD {
        isolated(move || {
            let channel = Channel::new();
            let sending = channel.clone();
            queued(move || {
                wait();
                sending.send(name).unwrap();
            });
            assert_eq!(channel.receive().unwrap(), name);
            // Other threads are there, but none of them could wake anybody.
            assert!(is_deadlock(channel.receive()), "{name}");
        });
    }
}
