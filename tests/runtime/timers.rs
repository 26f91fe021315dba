//! Timers, nested scopes, and what yielding tasklets must not starve.

use greenling::net::UnixStream;
use greenling::time::{deadline, sleep, sleep_until, timeout, timeout_at};
use greenling::{Channel, ReceiveError, WaitError, inspect, schedule};
use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, isolated};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

fn timed_out<T>(result: &Result<T, ReceiveError>) -> bool {
    matches!(result, Err(ReceiveError::Wait(WaitError::TimedOut)))
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_and_ties_in_that_of_their_calls() {
    isolated(|| {
        let trace = Trace::new();
        let base = Instant::now() + SHORT;
        for (name, after) in [
            ("d", 3),
            ("a1", 0),
            ("c", 2),
            ("a2", 0),
            ("b", 1),
            ("a3", 0),
        ] {
            let trace = trace.clone();
            greenling::spawn(move || {
                sleep_until(base + Duration::from_millis(after));
                trace.note(name);
            });
        }
        sleep_until(base + Duration::from_millis(4));
        // Main may have been woken in the same look at the clock as others,
        // but it is the last of them.
        trace.note("main");
        assert_eq!(trace.take(), "a1 a2 a3 b c d main");
    });
}

#[test]
fn the_earliest_of_nested_scopes_counts_and_only_those_that_are_due_report() {
    isolated(|| {
        let channel = Channel::<()>::new();
        // The outer scope is due: the inner one is not to blame.
        let outer = timeout(SHORT, || {
            let inner = timeout(LONG, || channel.receive());
            assert!(timed_out(&inner.unwrap()));
        });
        assert!(outer.is_err());
        // The inner scope is due: the outer one goes on.
        let outer = timeout(LONG, || {
            let inner = timeout(SHORT, || channel.receive());
            assert!(timed_out(&inner.unwrap_err().into_inner()));
            schedule();
            5
        });
        assert_eq!(outer.unwrap(), 5);
        // Both are.
        let at = Instant::now() + SHORT;
        let outer = timeout_at(at, || timeout_at(at, || channel.receive()).is_err());
        assert!(outer.unwrap_err().into_inner());
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn after_a_deadline_every_later_wait_of_the_scope_times_out_as_well() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let result = timeout(SHORT, || {
            for _ in 0..3 {
                assert!(timed_out(&channel.receive()));
            }
            sleep(LONG);
            assert!(greenling::spawn(|| sleep(LONG)).wait().is_err());
        });
        assert!(result.is_err());
    });
}

#[test]
fn a_scope_whose_closure_ends_late_without_having_waited_is_fine() {
    isolated(|| {
        assert_eq!(timeout(Duration::ZERO, || 3).unwrap(), 3);
        let channel = Channel::new();
        let sender = channel.clone();
        greenling::spawn(move || sender.send(1));
        schedule();
        // The partner waits already, so there is nothing to wait for.
        let got = timeout(Duration::ZERO, || channel.receive().unwrap());
        assert_eq!(got.unwrap(), 1);
    });
}

#[test]
fn a_timeout_takes_nothing() {
    isolated(|| {
        let channel = Channel::new();
        let result = timeout(SHORT, || channel.send("kept"));
        let error = result.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.into_inner(), Some("kept"));
        assert_eq!(channel.balance(), 0);
        let worker = greenling::spawn(|| sleep(SHORT * 4));
        let waited = timeout(SHORT, || worker.wait());
        if let Err(elapsed) = waited {
            assert!(matches!(elapsed.into_inner(), Err(WaitError::TimedOut)));
        }
        worker.join().unwrap();
    });
}

#[test]
fn a_scope_ends_with_its_closure_also_by_unwinding() {
    isolated(|| {
        assert_eq!(deadline(), None);
        let at = Instant::now() + LONG;
        timeout_at(at, || {
            assert_eq!(deadline(), Some(at));
            let _ = timeout(LONG * 2, || assert_eq!(deadline(), Some(at)));
            let _ = std::panic::catch_unwind(|| {
                let _ = timeout(SHORT, || std::panic::panic_any(1));
            });
            assert_eq!(deadline(), Some(at));
            // A tasklet does not inherit the scopes of who spawned it.
            let inherited = greenling::spawn(deadline).join().unwrap();
            assert_eq!(inherited, None);
        })
        .unwrap();
        assert_eq!(deadline(), None);
    });
}

#[test]
fn a_sleep_of_zero_lets_others_run() {
    isolated(|| {
        let trace = Trace::new();
        greenling::spawn(trace.noting("other"));
        sleep(Duration::ZERO);
        trace.note("main");
        assert_eq!(trace.take(), "other main");
    });
}

#[test]
fn a_sleep_longer_than_the_clock_can_express_is_a_sleep() {
    isolated(|| {
        let sleeper = greenling::spawn(|| sleep(Duration::MAX));
        let scope = timeout(Duration::MAX, || 1);
        assert_eq!(scope.unwrap(), 1);
        schedule();
        assert!(!sleeper.is_finished());
        sleeper.tasklet().kill().unwrap();
        assert!(sleeper.join().unwrap_err().is_killed());
    });
}

/// Spawns two tasklets that yield until `stop` is set.
fn two_that_yield(stop: &Rc<Cell<bool>>) {
    for _ in 0..2 {
        let stop = stop.clone();
        greenling::spawn(move || {
            while !stop.get() {
                schedule();
            }
        });
    }
}

#[test]
fn tasklets_that_yield_for_ever_do_not_starve_a_sleeper() {
    isolated(|| {
        let stop = Rc::new(Cell::new(false));
        two_that_yield(&stop);
        // Would never return if only an idle thread looked at its timers.
        sleep(SHORT);
        stop.set(true);
    });
}

#[test]
fn sockets_that_end_every_poll_do_not_starve_a_sleeper() {
    isolated(|| {
        let stop = Rc::new(Cell::new(false));
        let (near, far) = UnixStream::pair().unwrap();
        // From now on a ball is always under way: each poll finds one.
        (&near).write_all(b"o").unwrap();
        let players = [near, far].map(|mut stream| {
            let stop = stop.clone();
            greenling::spawn(move || {
                let mut ball = [0];
                while !stop.get()
                    && stream.read_exact(&mut ball).is_ok()
                    && stream.write_all(&ball).is_ok()
                {}
            })
        });
        sleep(SHORT);
        stop.set(true);
        for player in players {
            // One ends by itself, and then the other has nobody to play with.
            player.join().unwrap();
        }
    });
}

#[test]
fn tasklets_that_yield_for_ever_do_not_starve_a_socket() {
    isolated(|| {
        let listener = greenling::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::thread::spawn(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"ping").unwrap();
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).unwrap();
            answer
        });
        let stop = Rc::new(Cell::new(false));
        two_that_yield(&stop);
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = [0; 4];
        stream.read_exact(&mut question).unwrap();
        stream.write_all(&question).unwrap();
        stop.set(true);
        assert_eq!(&peer.join().unwrap(), b"ping");
    });
}

#[test]
fn tasklets_that_yield_for_ever_do_not_starve_an_offloaded_job() {
    isolated(|| {
        let stop = Rc::new(Cell::new(false));
        two_that_yield(&stop);
        assert_eq!(greenling::offload(|| 6 * 7).unwrap(), 42);
        stop.set(true);
    });
}

#[test]
fn an_idle_thread_does_not_poll() {
    isolated(|| {
        let listener = greenling::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        greenling::spawn(move || listener.accept().map(drop));
        greenling::spawn(|| sleep(LONG));
        schedule();
        let before = inspect::polls();
        let (knock, answered) = std::sync::mpsc::channel();
        // However long the other thread takes, this one sleeps meanwhile: one
        // poll ends with the connection, none comes for the passing of time.
        let peer = std::thread::spawn(move || {
            #[expect(
                clippy::disallowed_methods,
                reason = "a plain thread, and the idle time"
            )]
            std::thread::sleep(Duration::from_millis(50));
            let stream = std::net::TcpStream::connect(address).unwrap();
            knock.send(()).unwrap();
            stream
        });
        let waiting = Channel::<()>::new();
        let report = timeout(LONG, || {
            greenling::offload(move || answered.recv().unwrap())
        });
        report.unwrap().unwrap();
        drop(peer.join().unwrap());
        drop(waiting);
        let polls = inspect::polls() - before;
        assert!(polls <= 8, "{polls} polls for two events");
    });
}
