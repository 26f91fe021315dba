//! Switch traps and block traps.

use crate::queued;
use greenling::{
    Channel, Preference, ReceiveError, SendErrorKind, Tasklet, TaskletError, WaitError, run,
    run_count, schedule, schedule_remove, switch_trap,
};
use tests::{Trace, isolated};

fn is_trapped<T>(result: Result<T, TaskletError>) -> bool {
    matches!(result, Err(TaskletError::SwitchTrap))
}

#[test]
fn under_a_switch_trap_nothing_switches_and_everything_stays_as_it_was() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, receiving) = (trace.clone(), channel.clone());
        let blocked = queued(move || inner.note(format!("got {}", receiving.receive().unwrap())));
        schedule();
        let paused = Tasklet::new(trace.noting("paused"));
        let worker = queued(trace.noting("worker"));
        let trap = switch_trap();
        schedule();
        schedule_remove();
        assert!(is_trapped(run()));
        assert!(is_trapped(worker.run()));
        assert!(is_trapped(worker.switch()));
        assert!(is_trapped(worker.kill()));
        assert!(is_trapped(paused.run()));
        assert!(is_trapped(paused.switch()));
        assert!(is_trapped(blocked.kill()));
        assert!(is_trapped(blocked.throw("no")));
        let refused = channel.send(1).unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::SwitchTrap)
        ));
        assert_eq!(refused.into_inner(), Some(1));
        let refused = channel.send_error("no").unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::SwitchTrap)
        ));
        let other = Channel::<()>::new();
        assert!(matches!(
            other.receive(),
            Err(ReceiveError::Wait(WaitError::SwitchTrap))
        ));
        assert_eq!((channel.balance(), other.balance()), (-1, 0));
        assert_eq!(channel.queue(), [blocked]);
        assert!(paused.is_paused() && worker.is_scheduled());
        assert_eq!(run_count(), 2);
        assert_eq!(trace.take(), "");
        drop(trap);
        channel.send(1).unwrap();
        paused.run().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "got 1 worker paused");
    });
}

#[test]
fn a_switch_trap_lets_operations_pass_whose_caller_goes_on() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let sending = channel.clone();
        queued(move || sending.send(1).unwrap());
        schedule();
        {
            let _trap = switch_trap();
            assert_eq!(channel.receive().unwrap(), 1);
        }
        run().unwrap();
        let (inner, receiving) = (trace.clone(), channel.clone());
        queued(move || inner.note(receiving.receive().unwrap()));
        schedule();
        channel.set_preference(Preference::Neither);
        {
            let _trap = switch_trap();
            channel.send(2).unwrap();
        }
        assert_eq!(trace.take(), "");
        run().unwrap();
        assert_eq!(trace.take(), "2");
    });
}

#[test]
fn a_switch_trap_lets_a_switch_to_oneself_pass() {
    isolated(|| {
        let _trap = switch_trap();
        greenling::current().switch().unwrap();
        greenling::current().run().unwrap();
    });
}

#[test]
fn a_switch_to_a_blocked_tasklet_says_blocked_under_a_trap_too() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let blocked = queued(move || inner.receive().unwrap());
        schedule();
        let trap = switch_trap();
        assert!(matches!(blocked.switch(), Err(TaskletError::Blocked)));
        assert!(matches!(blocked.run(), Err(TaskletError::Blocked)));
        drop(trap);
        channel.send(()).unwrap();
    });
}

#[test]
fn what_a_channel_refuses_anyway_is_not_blamed_on_the_switch_trap() {
    isolated(|| {
        let channel = Channel::<i32>::new();
        let _trap = switch_trap();
        let refused = |closed: bool| {
            let (sent, received) = (channel.send(1).unwrap_err(), channel.receive());
            if closed {
                assert!(matches!(sent.kind(), SendErrorKind::Closed));
                assert!(matches!(received, Err(ReceiveError::Closed)));
            } else {
                let kind = sent.kind();
                assert!(matches!(kind, SendErrorKind::Wait(WaitError::BlockTrap)));
                let received = received.unwrap_err();
                assert!(matches!(received, ReceiveError::Wait(WaitError::BlockTrap)));
            }
        };
        greenling::current().set_block_trap(true);
        refused(false);
        channel.close();
        refused(false);
        greenling::current().set_block_trap(false);
        refused(true);
    });
}

#[test]
fn switch_traps_nest() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("worker"));
        let outer = switch_trap();
        drop(switch_trap());
        schedule();
        assert_eq!(trace.take(), "");
        drop(outer);
        schedule();
        assert_eq!(trace.take(), "worker");
    });
}

#[test]
fn a_switch_trap_allows_spawns_inserts_removes_and_pending_kills() {
    isolated(|| {
        let trace = Trace::new();
        let _note = {
            let _trap = switch_trap();
            let doomed = queued(trace.noting("doomed"));
            let removed = queued(trace.noting("removed"));
            queued(trace.noting("spawned"));
            removed.remove().unwrap();
            doomed.kill_pending().unwrap();
            removed
        };
        run().unwrap();
        assert_eq!(trace.take(), "spawned");
    });
}

#[test]
fn a_block_trap_forbids_waiting_in_a_channel_for_main_and_for_workers() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<i32>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let try_both = move |name: &str| {
            let me = greenling::current();
            me.set_block_trap(true);
            assert!(me.block_trap());
            let sent = waiting.send(1).unwrap_err();
            let why = sent.to_string();
            inner.note(format!("{name}: {why}, {:?}", sent.into_inner()));
            inner.note(waiting.receive().unwrap_err());
            assert_eq!(waiting.balance(), 0);
            me.set_block_trap(false);
        };
        let for_worker = try_both.clone();
        queued(move || for_worker("worker"));
        run().unwrap();
        try_both("main");
        let trapped = "the tasklet's block trap is set";
        assert_eq!(
            trace.take_list(),
            [
                format!("worker: {trapped}, Some(1)"),
                trapped.into(),
                format!("main: {trapped}, Some(1)"),
                trapped.into(),
            ]
        );
    });
}

#[test]
fn a_block_trap_does_not_forbid_hand_overs_not_even_those_that_switch() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, receiving) = (trace.clone(), channel.clone());
        queued(move || inner.note(receiving.receive().unwrap()));
        schedule();
        greenling::current().set_block_trap(true);
        channel.send(1).unwrap();
        assert_eq!(trace.take(), "1");
        greenling::current().set_block_trap(false);
        let sending = channel.clone();
        queued(move || sending.send(2).unwrap());
        schedule();
        greenling::current().set_block_trap(true);
        assert_eq!(channel.receive().unwrap(), 2);
        greenling::current().set_block_trap(false);
    });
}

#[test]
fn a_new_tasklet_has_no_block_trap() {
    isolated(|| {
        greenling::current().set_block_trap(true);
        assert!(!queued(|| ()).block_trap());
        greenling::current().set_block_trap(false);
    });
}

/// Partners for every kind of operation, and what each of them notes.
struct Stage {
    trace: Trace,
    wanted: Channel<i32>,
    offered: Channel<i32>,
    receiver: Tasklet,
    worker: Tasklet,
    paused: Tasklet,
}

impl Stage {
    fn new() -> Stage {
        let trace = Trace::new();
        let (wanted, offered) = (Channel::new(), Channel::new());
        offered.set_preference(Preference::Sender);
        let (inner, receiving) = (trace.clone(), wanted.clone());
        let receiver = queued(move || {
            let _note = inner.on_drop("receiver-ends");
            match receiving.receive() {
                Ok(number) => inner.note(number),
                Err(_) => inner.note("failed"),
            }
        });
        let (inner, sending) = (trace.clone(), offered.clone());
        queued(move || {
            sending.send(7).unwrap();
            inner.note("sent");
        });
        schedule();
        Stage {
            wanted,
            offered,
            receiver,
            worker: queued(trace.noting("worker")),
            paused: Tasklet::new(trace.noting("paused")),
            trace,
        }
    }
}

/// Nothing for a call that returns nothing.
type Refused = Option<String>;

fn refusal<T, E: ToString>(result: Result<T, E>) -> Refused {
    result.err().map(|error| error.to_string())
}

/// An operation, and what is noted by those that it makes run.
type Operation = (&'static str, fn(&Stage) -> Refused, &'static str);

const OPERATIONS: [Operation; 12] = [
    (
        "schedule",
        |_| {
            schedule();
            None
        },
        "worker",
    ),
    (
        "schedule_remove",
        |_| {
            schedule_remove();
            None
        },
        "worker",
    ),
    ("run", |_| refusal(run()), "worker"),
    ("run a queued one", |s| refusal(s.worker.run()), "worker"),
    ("run a paused one", |s| refusal(s.paused.run()), "paused"),
    (
        "switch to a queued one",
        |s| refusal(s.worker.switch()),
        "worker",
    ),
    (
        "switch to a paused one",
        |s| refusal(s.paused.switch()),
        "paused worker",
    ),
    (
        "send",
        |s| refusal(s.wanted.send(1)),
        "1 receiver-ends worker",
    ),
    (
        "send an error",
        |s| refusal(s.wanted.send_error("e")),
        "failed receiver-ends worker",
    ),
    ("receive", |s| refusal(s.offered.receive()), "sent worker"),
    (
        "throw",
        |s| refusal(s.receiver.throw("e")),
        "failed receiver-ends",
    ),
    ("kill", |s| refusal(s.receiver.kill()), "receiver-ends"),
];

#[test]
fn each_operation_that_was_trapped_works_once_the_trap_is_lifted() {
    for (name, operation, expected) in OPERATIONS {
        isolated(move || {
            let stage = Stage::new();
            let trap = switch_trap();
            let refused = operation(&stage);
            if !name.starts_with("schedule") {
                assert_eq!(
                    refused.as_deref(),
                    Some("switching is trapped here"),
                    "{name}"
                );
            }
            assert_eq!(
                (stage.trace.take().as_str(), run_count()),
                ("", 2),
                "{name}"
            );
            assert_eq!(
                (stage.wanted.balance(), stage.offered.balance()),
                (-1, 1),
                "{name}"
            );
            assert!(
                stage.paused.is_paused() && stage.receiver.is_blocked(),
                "{name}"
            );
            drop(trap);
            assert_eq!(operation(&stage), None, "{name}");
            assert_eq!(stage.trace.take(), expected, "{name}");
        });
    }
}

#[test]
fn a_switch_trap_holds_for_its_own_thread_only() {
    isolated(|| {
        let _trap = switch_trap();
        let elsewhere = std::thread::spawn(|| {
            let trace = Trace::new();
            queued(trace.noting("worker"));
            schedule();
            trace.take()
        });
        assert_eq!(elsewhere.join().unwrap(), "worker");
    });
}
