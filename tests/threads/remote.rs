//! Tasklets that another thread starts.

use greenling::thread::{Remote, channel, remote};
use greenling::{Channel, JoinError, ReceiveError, WaitError, enter, schedule, spawn};
use std::cell::Cell;
use std::sync::mpsc;
use tests::{isolated, on_bare_thread};

/// Runs a scheduler on another thread, which serves until the sender is gone.
fn home() -> (
    Remote,
    greenling::thread::Sender<()>,
    std::thread::JoinHandle<()>,
) {
    let (stop, stopped) = channel::<()>(0);
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        enter(|| {
            tell.send(remote().unwrap()).unwrap();
            // Until all senders are gone.
            stopped.receive().unwrap_err();
        });
    });
    (told.recv().unwrap(), stop, thread)
}

#[test]
fn values_panics_and_kills_come_back() {
    isolated(|| {
        let (home, stop, thread) = home();
        let here = std::thread::current().id();
        let task = home.spawn(move || std::thread::current().id() != here);
        assert!(task.join().unwrap());
        let task = home.spawn(|| panic!("no luck"));
        let panic = task.join().unwrap_err();
        assert!(panic.is_panic());
        assert_eq!(*panic.into_panic().downcast::<&str>().unwrap(), "no luck");
        let task = home.spawn(|| greenling::current().kill().map_err(|_| ()));
        assert!(matches!(task.join(), Err(JoinError::Killed)));
        drop(stop);
        thread.join().unwrap();
    });
}

#[test]
fn plain_threads_can_join() {
    let answer = on_bare_thread(|| {
        let (home, stop, thread) = home();
        let answer = home.spawn(|| 5).join().unwrap();
        drop(stop);
        thread.join().unwrap();
        answer
    });
    assert_eq!(answer, 5);
}

#[test]
fn a_scheduler_that_has_ended_gives_no_value() {
    isolated(|| {
        let (home, stop, thread) = home();
        // Waits for ever, and is killed when the thread's `enter` returns.
        let waiting = home.spawn(|| Channel::<()>::new().receive().is_ok());
        drop(stop);
        thread.join().unwrap();
        assert!(matches!(waiting.join(), Err(JoinError::Killed)));
        assert!(matches!(home.spawn(|| 1).join(), Err(JoinError::Killed)));
        home.wake();
    });
}

#[test]
fn a_thread_that_ends_with_its_tasklets_suspended_owes_nothing() {
    isolated(|| {
        let (tell, told) = mpsc::channel();
        let (parked, is_parked) = mpsc::channel();
        // Without `enter`, which would unwind the tasklet.
        let thread = std::thread::spawn(move || {
            tell.send(remote().unwrap()).unwrap();
            while is_parked.try_recv().is_err() {
                greenling::turn(None).unwrap();
            }
        });
        let task = told.recv().unwrap().spawn(move || {
            parked.send(()).unwrap();
            greenling::schedule_remove();
        });
        assert!(task.join().unwrap_err().is_killed());
        thread.join().unwrap();
    });
}

#[test]
fn a_detached_tasklet_runs_all_the_same() {
    isolated(|| {
        let (home, stop, thread) = home();
        let (done, heard) = channel(1);
        drop(home.spawn(move || done.send(8).unwrap()));
        assert_eq!(heard.receive().unwrap(), 8);
        drop(stop);
        thread.join().unwrap();
    });
}

#[test]
fn a_joiner_that_times_out_leaves_the_tasklet_running() {
    isolated(|| {
        let (home, stop, thread) = home();
        let (go, gate) = channel::<()>(1);
        let (done, heard) = channel(1);
        let task = home.spawn(move || {
            gate.receive().unwrap();
            done.send(3).unwrap();
        });
        let short = std::time::Duration::from_millis(2);
        let elapsed = greenling::time::timeout(short, || task.join()).unwrap_err();
        assert!(matches!(
            elapsed.into_inner(),
            Err(JoinError::Wait(WaitError::TimedOut))
        ));
        go.send(()).unwrap();
        assert_eq!(heard.receive().unwrap(), 3);
        drop(stop);
        thread.join().unwrap();
    });
}

#[test]
fn a_busy_scheduler_still_takes_remote_work() {
    isolated(|| {
        let home = remote().unwrap();
        let (done, heard) = channel(1);
        let thread = std::thread::spawn(move || {
            home.spawn(move || done.send(()).unwrap()).join().unwrap();
        });
        let stop = std::rc::Rc::new(Cell::new(false));
        let busy = stop.clone();
        let spinner = spawn(move || {
            while !busy.get() {
                schedule();
            }
        });
        heard.receive().unwrap();
        stop.set(true);
        spinner.join().unwrap();
        thread.join().unwrap();
    });
}

#[test]
fn a_deadlock_is_reported_only_after_the_last_handle_is_gone() {
    isolated(|| {
        let home = remote().unwrap();
        let again = home.clone();
        let nothing = Channel::<()>::new();
        let thread = std::thread::spawn(move || {
            drop(home);
            // Still one left, so the scheduler waits for this.
            let answer = again.spawn(|| 1).join().unwrap();
            drop(again);
            answer
        });
        let error = nothing.receive().unwrap_err();
        assert!(matches!(error, ReceiveError::Wait(WaitError::Deadlock)));
        assert_eq!(thread.join().unwrap(), 1);
    });
}

#[test]
fn what_a_request_drops_on_arrival_can_neither_switch_nor_unwind() {
    // The closure is dropped between two tasklets if it can't be started.
    struct Nasty;
    impl Drop for Nasty {
        fn drop(&mut self) {
            greenling::schedule();
            let refused = greenling::offload(|| ());
            // Refused everywhere but in a tasklet of its own.
            drop(refused);
        }
    }
    isolated(|| {
        let (home, stop, thread) = home();
        for _ in 0..10 {
            let nasty = Nasty;
            drop(home.spawn(move || drop(nasty)));
        }
        assert_eq!(home.spawn(|| 2).join().unwrap(), 2);
        drop(stop);
        thread.join().unwrap();
    });
}
