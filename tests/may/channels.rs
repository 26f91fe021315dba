//! Sends and receives between coroutines, tasklets and plain threads.

use greenling::thread::{ReceiveError, SendError, TrySendError, channel, remote};
use greenling::{Shutdown, WaitError};
use may::coroutine::{self, JoinHandle, is_coroutine};
use std::sync::Once;
use std::time::{Duration, Instant};
use tests::isolated;

/// Starts a coroutine on may's one thread.
fn go<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    static ONE_WORKER: Once = Once::new();
    ONE_WORKER.call_once(|| {
        may::config().set_workers(1).set_stack_size(0x4000);
    });
    let f = move || {
        assert!(is_coroutine());
        f()
    };
    // SAFETY: may moves no coroutine of one worker between threads, and none of
    // these uses thread-locals or overflows its stack.
    unsafe { coroutine::spawn(f) }
}

#[test]
fn coroutines_wait_for_each_other_on_one_thread() {
    isolated(|| {
        for capacity in [0, 1, 7] {
            let (sender, receiver) = channel(capacity);
            let (back, answers) = channel(capacity);
            let doubling = go(move || {
                for number in receiver.iter() {
                    back.send(2 * number).unwrap();
                }
            });
            let asking = go(move || {
                let ask = |number: u32| {
                    sender.send(number).unwrap();
                    answers.receive().unwrap()
                };
                (0..1000).map(ask).eq((0..1000).map(|number| 2 * number))
            });
            assert!(asking.join().unwrap());
            doubling.join().unwrap();
        }
    });
}

#[test]
fn a_tasklet_a_coroutine_and_a_thread_share_a_channel() {
    isolated(|| {
        let (sender, receiver) = channel(2);
        let from_thread = sender.clone();
        let thread = std::thread::spawn(move || {
            (0..500).for_each(|number| from_thread.send(number).unwrap());
        });
        let from_coroutine = sender.clone();
        let coroutine = go(move || {
            (500..1000).for_each(|number| from_coroutine.send(number).unwrap());
        });
        let tasklet = greenling::spawn(move || {
            (1000..1500).for_each(|number| sender.send(number).unwrap());
        });
        let others = receiver.clone();
        let counting = go(move || others.iter().map(u64::from).sum::<u64>());
        let ours: u64 = receiver.iter().map(|number: u32| u64::from(number)).sum();
        assert_eq!(ours + counting.join().unwrap(), (0..1500).sum());
        thread.join().unwrap();
        coroutine.join().unwrap();
        tasklet.join().unwrap();
    });
}

#[test]
fn a_cancelled_coroutine_keeps_nothing_from_the_others() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        // Two wait, and the one that came first is cancelled.
        let first = receiver.clone();
        let cancelled = go(move || first.receive().unwrap());
        let_them_run();
        let patient = go(move || receiver.receive().unwrap());
        let_them_run();
        // SAFETY: what it holds is given back by its destructors.
        unsafe { cancelled.coroutine().cancel() };
        cancelled.join().unwrap_err();
        sender.send(7).unwrap();
        assert_eq!(patient.join().unwrap(), 7);

        // A sender's value does not arrive when the sender is cancelled.
        let (sender, receiver) = channel(0);
        let other = sender.clone();
        let cancelled = go(move || sender.send(1));
        while receiver.is_empty() {
            greenling::time::sleep(Duration::from_millis(1));
        }
        // SAFETY: as above.
        unsafe { cancelled.coroutine().cancel() };
        assert!(cancelled.join().is_err());
        let thread = std::thread::spawn(move || other.send(2).unwrap());
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [2]);
        thread.join().unwrap();
    });
}

/// Returns when the coroutines that were started before have come to a wait: they
/// are on the one thread, in this order.
fn let_them_run() {
    go(|| ()).join().unwrap();
}

#[test]
fn waits_of_coroutines_have_deadlines() {
    isolated(|| {
        let (sender, receiver) = channel::<u32>(1);
        let waiting = go(move || {
            let limit = Duration::from_millis(5);
            let nothing = receiver.receive_timeout(limit).unwrap_err();
            assert!(matches!(nothing, ReceiveError::Wait(WaitError::TimedOut)));
            receiver
        });
        let receiver = waiting.join().unwrap();
        sender.send(1).unwrap();
        let full = go(move || {
            let deadline = Instant::now() + Duration::from_millis(5);
            match sender.send_deadline(2, deadline).unwrap_err() {
                SendError::Wait(WaitError::TimedOut, value) => assert_eq!(value, 2),
                other => panic!("{other}"),
            }
            let full = sender.try_send(3).unwrap_err();
            assert!(matches!(full, TrySendError::Full(3)));
        });
        full.join().unwrap();
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn coroutines_start_tasklets_and_wait_for_shutdowns() {
    isolated(|| {
        let home = remote().unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let (tell, told) = channel(1);
        let coroutine = go(move || {
            let task = home.spawn(|| greenling::current().id());
            tell.send(task.join().unwrap()).unwrap();
            stop.wait().unwrap();
        });
        assert_ne!(told.receive().unwrap(), greenling::current().id());
        shutdown.trigger();
        coroutine.join().unwrap();
    });
}
