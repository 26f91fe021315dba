//! The inbox in every order in which its threads can take turns.
//!
//! The driver is a flag that a poll waits for and takes back, as an eventfd
//! does. A wake-up that is lost leaves the scheduler in its poll for ever,
//! which loom reports as a deadlock.

use super::*;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::atomic::AtomicUsize as Counter;

/// What the reactor is to a scheduler.
#[derive(Default)]
struct Poller {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Poller {
    fn wake(&self) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn poll(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

fn inbox() -> (Arc<Poller>, Arc<Inbox>, Outlet) {
    let poller = Arc::new(Poller::default());
    let waker = poller.clone();
    let (inbox, outlet) = Inbox::new(0);
    outlet.connect(Arc::new(move || waker.wake()));
    (poller, inbox, outlet)
}

/// The tickets among the messages, as the scheduler drains them.
fn drain(outlet: &Outlet, into: &mut Vec<u64>) {
    if !outlet.take_poke() {
        return;
    }
    for message in outlet.take_batch() {
        match message {
            Message::Unpark(ticket) => into.push(ticket),
            Message::Run(job) => job(),
            Message::Wake => {}
        }
    }
}

/// As the scheduler waits while tasklets hold tickets.
fn receive(count: usize, poller: &Poller, outlet: &Outlet) -> Vec<u64> {
    let mut tickets = Vec::new();
    loop {
        drain(outlet, &mut tickets);
        if tickets.len() >= count {
            return tickets;
        }
        poller.poll();
    }
}

#[test]
fn no_wake_up_of_several_threads_is_lost() {
    loom::model(|| {
        let (poller, inbox, outlet) = inbox();
        let threads = [[1, 2], [3, 4]].map(|tickets| {
            let wakers = tickets.map(|ticket| ExternalWaker::new(inbox.clone(), ticket));
            thread::spawn(move || wakers.iter().for_each(ExternalWaker::wake))
        });
        let received = receive(4, &poller, &outlet);
        for pair in [[1, 2], [3, 4]] {
            let theirs: Vec<u64> = received
                .iter()
                .copied()
                .filter(|t| pair.contains(t))
                .collect();
            assert_eq!(theirs, pair, "each thread's wake-ups keep their order");
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(outlet.take_batch().next().is_none());
    });
}

#[test]
fn three_threads_race_with_one_drain() {
    loom::model(|| {
        let (poller, inbox, outlet) = inbox();
        let threads = [1, 2, 3].map(|ticket| {
            let waker = ExternalWaker::new(inbox.clone(), ticket);
            thread::spawn(move || waker.wake())
        });
        let mut received = receive(3, &poller, &outlet);
        received.sort_unstable();
        assert_eq!(received, [1, 2, 3]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_scheduler_that_naps_is_woken() {
    loom::model(|| {
        let (inbox, outlet) = Inbox::new(0);
        let threads = [1, 2].map(|ticket| {
            let waker = ExternalWaker::new(inbox.clone(), ticket);
            thread::spawn(move || waker.wake())
        });
        let mut received = Vec::new();
        drain(&outlet, &mut received);
        while received.len() < 2 {
            outlet.nap(None);
            drain(&outlet, &mut received);
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn no_wake_up_is_lost_while_the_driver_is_made() {
    loom::model(|| {
        let (inbox, outlet) = Inbox::new(0);
        let waker = ExternalWaker::new(inbox, 1);
        let thread = thread::spawn(move || waker.wake());
        let poller = Arc::new(Poller::default());
        let driver = poller.clone();
        outlet.connect(Arc::new(move || driver.wake()));
        assert_eq!(receive(1, &poller, &outlet), [1]);
        thread.join().unwrap();
    });
}

/// A handle of another thread, as `thread::Remote` counts it.
struct Remote(Arc<Inbox>);

impl Remote {
    fn new(inbox: &Arc<Inbox>) -> Remote {
        inbox.add_remote();
        Remote(inbox.clone())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.0.drop_remote();
    }
}

/// As the scheduler waits when only other threads could bring work.
fn receive_until_abandoned(poller: &Poller, outlet: &Outlet) -> Vec<u64> {
    let mut tickets = Vec::new();
    while outlet.could_bring() {
        drain(outlet, &mut tickets);
        if !outlet.could_bring() {
            break;
        }
        poller.poll();
        drain(outlet, &mut tickets);
    }
    tickets
}

#[test]
fn the_last_remote_to_go_wakes_the_scheduler_and_leaves_no_work_behind() {
    loom::model(|| {
        let (poller, inbox, outlet) = inbox();
        let threads = [1, 2].map(|ticket| {
            let remote = Remote::new(&inbox);
            thread::spawn(move || {
                assert!(remote.0.send(Message::Unpark(ticket)));
            })
        });
        let mut received = receive_until_abandoned(&poller, &outlet);
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_remote_that_is_cloned_and_dropped_elsewhere_counts_once() {
    loom::model(|| {
        let (poller, inbox, outlet) = inbox();
        let first = Remote::new(&inbox);
        let thread = thread::spawn(move || {
            let second = Remote::new(&first.0);
            let other = thread::spawn(move || {
                assert!(second.0.send(Message::Unpark(2)));
            });
            drop(first);
            other.join().unwrap();
        });
        assert_eq!(receive_until_abandoned(&poller, &outlet), [2]);
        thread.join().unwrap();
    });
}

/// Counts its own end.
struct Counted(Arc<Counter>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn work_for_a_scheduler_that_ends_runs_or_is_dropped() {
    loom::model(|| {
        let (_poller, inbox, outlet) = inbox();
        let (runs, drops) = (Arc::new(Counter::new(0)), Arc::new(Counter::new(0)));
        let (run, counted) = (runs.clone(), Counted(drops.clone()));
        let dropped = drops.clone();
        let thread = thread::spawn(move || {
            let job = move || {
                let _counted = counted;
                run.fetch_add(1, Ordering::Relaxed);
            };
            let delivered = inbox.send(Message::Run(Box::new(job)));
            if !delivered {
                assert_eq!(dropped.load(Ordering::Relaxed), 1);
            }
            delivered
        });
        drain(&outlet, &mut Vec::new());
        drop(outlet);
        let delivered = thread.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1, "dropped once, run or not");
        assert!(delivered || runs.load(Ordering::Relaxed) == 0);
    });
}

#[test]
fn an_ended_scheduler_takes_nothing() {
    loom::model(|| {
        let (_poller, inbox, outlet) = inbox();
        drop(outlet);
        let drops = Arc::new(Counter::new(0));
        let counted = Counted(drops.clone());
        assert!(!inbox.send(Message::Run(Box::new(move || drop(counted)))));
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(!inbox.send(Message::Wake));
    });
}
