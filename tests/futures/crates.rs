//! Crates of others, as they are.

use futures_channel::{mpsc, oneshot};
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use greenling::{block_on, schedule, spawn};
use tests::isolated;

#[test]
fn an_async_channel_between_tasklets_of_a_thread() {
    isolated(|| {
        let (mut sender, receiver) = mpsc::channel(2);
        let producer = spawn(move || {
            for number in 0..1000u32 {
                block_on(sender.send(number)).unwrap().unwrap();
            }
        });
        let all: Vec<_> = block_on(receiver.collect()).unwrap();
        assert!(all.into_iter().eq(0..1000));
        producer.join().unwrap();
    });
}

#[test]
fn an_async_channel_between_threads() {
    isolated(|| {
        let (sender, receiver) = mpsc::channel(4);
        let threads = [0u64, 1, 2].map(|thread| {
            let mut sender = sender.clone();
            std::thread::spawn(move || {
                greenling::enter(|| {
                    for number in 0..2000 {
                        block_on(sender.send(thread * 2000 + number))
                            .unwrap()
                            .unwrap();
                    }
                });
            })
        });
        drop(sender);
        let mut all: Vec<u64> = block_on(receiver.collect()).unwrap();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..6000));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_thousand_oneshots_answered_in_another_order() {
    isolated(|| {
        let (senders, receivers): (Vec<_>, FuturesUnordered<_>) =
            (0..1000).map(|_| oneshot::channel()).unzip();
        let answering = spawn(move || {
            for (number, sender) in senders.into_iter().enumerate().rev() {
                sender.send(number).unwrap();
                if number % 10 == 0 {
                    schedule();
                }
            }
        });
        let all: Vec<usize> = block_on(receivers.map(Result::unwrap).collect()).unwrap();
        assert!(all.into_iter().eq((0..1000).rev()));
        answering.join().unwrap();
    });
}

#[test]
fn a_sender_that_goes_away_is_noticed() {
    isolated(|| {
        let (sender, receiver) = oneshot::channel::<()>();
        spawn(move || drop(sender));
        assert_eq!(block_on(receiver).unwrap(), Err(oneshot::Canceled));
    });
}

#[test]
fn a_crowd_of_tasklets_that_wait_for_each_other() {
    isolated(|| {
        let (first, mut passed) = oneshot::channel::<u32>();
        let mut runners = Vec::new();
        for _ in 0..1000 {
            let (handing, handed) = oneshot::channel();
            let waiting = std::mem::replace(&mut passed, handed);
            runners.push(spawn(move || {
                let count = block_on(waiting).unwrap().unwrap();
                handing.send(count + 1).unwrap();
            }));
        }
        first.send(0).unwrap();
        assert_eq!(block_on(passed).unwrap(), Ok(1000));
        let joined = join_all(runners.into_iter().map(|runner| async { runner.join() }));
        assert!(block_on(joined).unwrap().iter().all(Result::is_ok));
    });
}
