//! Futures that a tasklet drives.

use crate::stage::{Stage, kill_tests};
use greenling::future::{PollStream, sleep};
use greenling::{block_on, spawn};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;
use tests::sockets::half_pair;

kill_tests! {
    driven,
    polled_reads,
    polled_sleeps,
    woken_from_a_thread,
}

/// A door that two futures wait for, one after the other.
#[derive(Default)]
struct Door {
    opened: Cell<u32>,
    waker: RefCell<Option<Waker>>,
}

impl Door {
    fn pass(self: &Rc<Door>, number: u32) -> impl Future<Output = ()> + use<> {
        let door = self.clone();
        poll_fn(move |context| {
            if door.opened.get() >= number {
                return Poll::Ready(());
            }
            door.waker.replace(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    fn open(&self) {
        self.opened.set(self.opened.get() + 1);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn driven(stage: &Stage) {
    let door = Rc::new(Door::default());
    let (first, second) = (door.pass(1), door.pass(2));
    let inside = Rc::new(());
    let held = inside.clone();
    let victim = stage.victim(move || {
        block_on(async move {
            first.await;
            block_on(second).unwrap();
            drop(held);
        })
        .unwrap();
    });
    while stage.until_parked() {
        door.open();
    }
    stage.end(victim);
    assert_eq!(Rc::strong_count(&inside), 1, "the future lives on");
    // A late wake is for nobody.
    door.open();
}

fn polled_reads(stage: &Stage) {
    let (ours, theirs) = half_pair();
    let (ours, got) = (Rc::new(ours), Rc::new(RefCell::new(Vec::new())));
    let (reading, keeping) = (ours.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = [0; 4];
        loop {
            let read = block_on(poll_fn(|context| reading.poll_read(context, &mut buffer)));
            match read.unwrap().unwrap() {
                0 => return,
                count => keeping.borrow_mut().extend_from_slice(&buffer[..count]),
            }
        }
    });
    stage.feed(victim, theirs, &got, &*ours);
}

fn polled_sleeps(stage: &Stage) {
    let victim = stage.victim(|| {
        for _ in 0..2 {
            block_on(sleep(Duration::from_micros(300))).unwrap();
        }
        let limit = Duration::from_micros(300);
        let limited = greenling::time::timeout(limit, || block_on(sleep(Duration::from_secs(60))));
        limited.unwrap_err().into_inner().unwrap_err();
    });
    // A second sleeper with a later time keeps its timer.
    let other = spawn(|| block_on(sleep(Duration::from_millis(2))).unwrap());
    stage.end(victim);
    other.join().unwrap();
}

fn woken_from_a_thread(stage: &Stage) {
    let (handing, handed) = std::sync::mpsc::channel::<Waker>();
    let thread = std::thread::spawn(move || handed.into_iter().for_each(Waker::wake));
    let waker = Rc::new(RefCell::new(None));
    let left = waker.clone();
    let victim = stage.victim(move || {
        let mut polls = 0;
        block_on(poll_fn(|context| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(());
            }
            left.replace(Some(context.waker().clone()));
            Poll::Pending
        }))
        .unwrap();
    });
    // The thread has it only once the victim is parked, which it otherwise might
    // find not to be needed any more.
    while stage.until_parked() {
        if let Some(waker) = waker.take() {
            handing.send(waker).unwrap();
        }
    }
    drop(handing);
    stage.end(victim);
    thread.join().unwrap();
}
