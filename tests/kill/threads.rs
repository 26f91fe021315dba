//! Waits that another OS thread ends.

use crate::stage::{Stage, kill_tests};
use greenling::signal::{SIGUSR1, Signals};
use greenling::thread::channel;
use greenling::{Channel, Shutdown, offload, schedule, spawn};
use nix::sys::signal::{Signal, raise};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

kill_tests! {
    sending,
    receiving,
    rendezvous,
    closing,
    shutting_down,
    offloading,
    remote_joining,
    signals,
    draining,
}

fn sending(stage: &Stage) {
    let (sender, receiver) = channel(1);
    let victim = stage.victim(move || {
        for number in 0..5 {
            sender.send(number).unwrap();
        }
    });
    stage.until_parked();
    let thread = std::thread::spawn(move || receiver.iter().collect::<Vec<_>>());
    let sent = stage.end(victim).is_some();
    let got = thread.join().unwrap();
    assert!(got.iter().copied().eq(0..got.len()), "{got:?}");
    assert!(!sent || got.len() == 5);
}

fn receiving(stage: &Stage) {
    let (sender, receiver) = channel(2);
    let got = Rc::new(RefCell::new(Vec::new()));
    // Two wait; what one was woken for and does not take is the other's.
    let receive_all = || {
        let (receiver, got) = (receiver.clone(), got.clone());
        move || {
            while let Ok(value) = receiver.receive() {
                got.borrow_mut().push(value);
            }
        }
    };
    let victim = stage.victim(receive_all());
    stage.until_parked();
    let other = spawn(receive_all());
    for number in 0..4 {
        let sender = sender.clone();
        let thread = std::thread::spawn(move || sender.send(number).unwrap());
        thread.join().unwrap();
        while got.borrow().len() <= number {
            schedule();
        }
    }
    drop(sender);
    stage.end(victim);
    other.join().unwrap();
    assert_eq!(got.take(), [0, 1, 2, 3], "a value is lost or overtaken");
}

fn rendezvous(stage: &Stage) {
    let (sender, receiver) = channel(0);
    let other_sender = sender.clone();
    let victim = stage.victim(move || {
        for number in 0..3 {
            sender.send(number).unwrap();
        }
    });
    stage.until_parked();
    let thread = std::thread::spawn(move || other_sender.send(100).unwrap());
    let mut got = Vec::new();
    while !stage.is_over() || !thread.is_finished() {
        match receiver.try_receive() {
            Ok(value) => got.push(value),
            Err(_) => schedule(),
        }
    }
    let sent = stage.end(victim).is_some();
    thread.join().unwrap();
    assert!(got.contains(&100));
    got.retain(|&value| value != 100);
    assert!(got.iter().copied().eq(0..got.len()), "{got:?}");
    assert!(!sent || got.len() == 3);
}

fn closing(stage: &Stage) {
    let (sender, receiver) = channel::<u8>(1);
    let other = sender.clone();
    let victim = stage.victim(move || sender.closed().unwrap());
    stage.until_parked();
    std::thread::spawn(move || drop(receiver)).join().unwrap();
    stage.end(victim);
    other.closed().unwrap();
}

fn shutting_down(stage: &Stage) {
    let stop = Shutdown::new();
    let waiting = stop.clone();
    let victim = stage.victim(move || waiting.wait().unwrap());
    stage.until_parked();
    let other_stop = stop.clone();
    let other = spawn(move || other_stop.wait());
    let trigger = stop.clone();
    std::thread::spawn(move || trigger.trigger())
        .join()
        .unwrap();
    stage.end(victim);
    other.join().unwrap().unwrap();
    stop.wait().unwrap();
}

fn offloading(stage: &Stage) {
    let ran = Arc::new(AtomicUsize::new(0));
    let counting = ran.clone();
    let (go, gate) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let victim = stage.victim(move || {
        offload(move || {
            gate.recv().unwrap();
            counting.fetch_add(1, Ordering::SeqCst);
            tell.send(()).unwrap();
            Box::new(5)
        })
        .unwrap()
    });
    stage.until_parked();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    go.send(()).unwrap();
    // The job runs to its end whatever becomes of the waiter.
    told.recv().unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    let value = stage.end(victim);
    assert!(value.is_none_or(|value| *value == 5));
}

fn remote_joining(stage: &Stage) {
    let home = greenling::thread::remote().unwrap();
    let (done, heard) = channel(1);
    let (go, gate) = channel::<()>(1);
    let task = std::thread::spawn(move || {
        home.spawn(move || {
            gate.receive().unwrap();
            done.send(6).unwrap();
            7
        })
    });
    let task = task.join().unwrap();
    let victim = stage.victim(move || task.join().unwrap());
    stage.until_parked();
    go.send(()).unwrap();
    let value = stage.end(victim);
    assert!(value.is_none_or(|value| value == 7));
    assert_eq!(heard.receive().unwrap(), 6);
    while greenling::inspect::tasklets().len() > 1 {
        schedule();
    }
}

fn signals(stage: &Stage) {
    let kept = Signals::new(&[SIGUSR1]).unwrap();
    let victim = stage.victim(|| Signals::new(&[SIGUSR1]).unwrap().wait().unwrap());
    stage.until_parked();
    raise(Signal::SIGUSR1).unwrap();
    let number = stage.end(victim);
    assert!(number.is_none_or(|number| number == SIGUSR1));
    assert_eq!(kept.wait().unwrap(), SIGUSR1);
}

fn draining(stage: &Stage) {
    let stop = Shutdown::with_limits(Duration::from_secs(1000), Duration::from_secs(1000));
    let (go, gate) = (Channel::new(), Channel::new());
    let (first, second) = (go.clone(), gate.clone());
    let workers = [
        spawn(move || first.receive().unwrap()),
        spawn(move || second.receive().unwrap()),
    ];
    let victim = stage.victim(move || stop.drain().unwrap());
    while stage.until_parked() && go.balance() < 0 {
        go.send(()).unwrap();
    }
    // Whoever has not ended goes on when the drainer is gone.
    for channel in [&go, &gate] {
        while channel.balance() < 0 {
            channel.send(()).unwrap();
            schedule();
        }
    }
    let report = stage.end(victim);
    assert!(report.is_none_or(|report| report.killed == 0 && report.left == 0));
    for worker in workers {
        worker.join().unwrap();
    }
}
