//! Signals as messages. Each test has a process of its own.

use greenling::signal::{
    SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, Signals, ctrl_c, hangup, stop_on, terminate,
    user_defined1, user_defined2,
};
use greenling::time::timeout;
use greenling::{Shutdown, WaitError, Workers, enter, schedule, spawn};
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::time::Duration;
use tests::child;
use tests::process::alone;

#[test]
fn a_signal_wakes_the_tasklet_that_waits_for_it() {
    alone(
        "signals::a_signal_wakes_the_tasklet_that_waits_for_it",
        || {
            enter(|| {
                let signals = Signals::new(&[SIGUSR1, SIGTERM]).unwrap();
                let waiter = spawn(move || [signals.wait().unwrap(), signals.wait().unwrap()]);
                schedule();
                raise(Signal::SIGUSR1).unwrap();
                greenling::time::sleep(Duration::from_millis(1));
                raise(Signal::SIGTERM).unwrap();
                assert_eq!(waiter.join().unwrap(), [SIGUSR1, SIGTERM]);
            });
        },
    );
}

#[test]
fn a_signal_that_comes_before_the_wait_is_kept() {
    alone(
        "signals::a_signal_that_comes_before_the_wait_is_kept",
        || {
            enter(|| {
                let signals = Signals::new(&[SIGHUP]).unwrap();
                raise(Signal::SIGHUP).unwrap();
                assert_eq!(signals.wait().unwrap(), SIGHUP);
            });
        },
    );
}

#[test]
fn every_subscriber_hears_of_it_and_only_of_its_own() {
    alone(
        "signals::every_subscriber_hears_of_it_and_only_of_its_own",
        || {
            enter(|| {
                let both = Signals::new(&[SIGUSR1, SIGUSR2]).unwrap();
                let one = Signals::new(&[SIGUSR1]).unwrap();
                drop(Signals::new(&[SIGUSR1]).unwrap());
                let thread = std::thread::spawn({
                    let other = Signals::new(&[SIGUSR2]).unwrap();
                    move || other.wait()
                });
                raise(Signal::SIGUSR2).unwrap();
                assert_eq!(both.wait().unwrap(), SIGUSR2);
                assert_eq!(thread.join().unwrap().unwrap(), SIGUSR2);
                let nothing = timeout(Duration::from_millis(5), || one.wait()).unwrap_err();
                assert!(matches!(nothing.into_inner(), Err(WaitError::TimedOut)));
                raise(Signal::SIGUSR1).unwrap();
                assert_eq!(one.wait().unwrap(), SIGUSR1);
                assert_eq!(both.wait().unwrap(), SIGUSR1);
            });
        },
    );
}

#[test]
fn the_short_forms_wait_for_their_signal() {
    alone("signals::the_short_forms_wait_for_their_signal", || {
        enter(|| {
            // Caught from here on, whenever the tasklets come to wait.
            let _all = Signals::new(&[SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]).unwrap();
            let mut waiting = vec![
                (Signal::SIGINT, spawn(ctrl_c)),
                (Signal::SIGTERM, spawn(terminate)),
                (Signal::SIGHUP, spawn(hangup)),
                (Signal::SIGUSR1, spawn(user_defined1)),
                (Signal::SIGUSR2, spawn(user_defined2)),
            ];
            schedule();
            while let Some((signal, task)) = waiting.pop() {
                raise(signal).unwrap();
                task.join().unwrap().unwrap();
                assert!(waiting.iter().all(|(_, task)| !task.is_finished()));
            }
        });
    });
}

#[test]
fn a_flood_of_signals_neither_blocks_nor_kills() {
    alone(
        "signals::a_flood_of_signals_neither_blocks_nor_kills",
        || {
            enter(|| {
                let signals = Signals::new(&[SIGUSR1]).unwrap();
                let last = Signals::new(&[SIGUSR2]).unwrap();
                let flood = std::thread::spawn(|| {
                    for _ in 0..100_000 {
                        raise(Signal::SIGUSR1).unwrap();
                    }
                });
                let counter = spawn(move || {
                    let mut count = 0;
                    while signals.wait().is_ok() {
                        count += 1;
                        if count == 20 {
                            return;
                        }
                    }
                });
                counter.join().unwrap();
                flood.join().unwrap();
                raise(Signal::SIGUSR2).unwrap();
                assert_eq!(last.wait().unwrap(), SIGUSR2);
            });
        },
    );
}

#[test]
fn a_signal_that_can_not_be_caught_is_refused() {
    alone(
        "signals::a_signal_that_can_not_be_caught_is_refused",
        || {
            enter(|| {
                let error = Signals::new(&[Signal::SIGKILL as i32]).unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            });
        },
    );
}

#[test]
fn a_fault_is_not_to_be_waited_for() {
    alone("signals::a_fault_is_not_to_be_waited_for", || {
        use nix::libc::{SIGBUS, SIGFPE, SIGILL, SIGSEGV};
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL] {
            let error = Signals::new(&[SIGUSR1, fault]).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            let shutdown = greenling::Shutdown::new();
            assert!(stop_on(&[fault], &shutdown).is_err());
        }
    });
}

#[test]
fn interrupted_system_calls_go_on() {
    alone("signals::interrupted_system_calls_go_on", || {
        enter(|| {
            let signals = Signals::new(&[SIGUSR1]).unwrap();
            let target = nix::sys::pthread::pthread_self();
            let stop = greenling::Shutdown::new();
            let flag = stop.clone();
            let pest = std::thread::spawn(move || {
                while !flag.is_triggered() {
                    nix::sys::pthread::pthread_kill(target, Signal::SIGUSR1).unwrap();
                    std::thread::yield_now();
                }
            });
            let (mut ours, theirs) = tests::sockets::half_pair();
            let echo = std::thread::spawn(move || {
                std::io::copy(&mut &theirs, &mut &theirs).unwrap();
            });
            for number in 0..500u32 {
                use std::io::{Read, Write};
                ours.write_all(&number.to_le_bytes()).unwrap();
                let mut answer = [0; 4];
                ours.read_exact(&mut answer).unwrap();
                assert_eq!(answer, number.to_le_bytes());
                greenling::time::sleep(Duration::from_micros(10));
            }
            drop(ours);
            stop.trigger();
            pest.join().unwrap();
            echo.join().unwrap();
            drop(signals);
        });
    });
}

#[test]
fn what_arrives_between_two_waits_is_kept_up_to_the_backlog() {
    alone(
        "signals::what_arrives_between_two_waits_is_kept_up_to_the_backlog",
        || {
            enter(|| {
                let all = [SIGUSR1, SIGUSR2];
                let signals = Signals::new(&all).unwrap();
                let witness = Signals::new(&all).unwrap();
                assert_eq!(signals.try_next(), None);
                for round in 0..100 {
                    let signal = [Signal::SIGUSR1, Signal::SIGUSR2][round % 2];
                    raise(signal).unwrap();
                    // Both have it, as they are told one after the other.
                    assert_eq!(witness.wait().unwrap(), signal as i32);
                }
                raise(Signal::SIGUSR1).unwrap();
                witness.wait().unwrap();
                let mut kept = Vec::new();
                while let Some(number) = signals.try_next() {
                    kept.push(number);
                }
                let expected = (0..64).map(|round| all[round % 2]);
                assert!(kept.iter().copied().eq(expected), "{kept:?}");
            });
        },
    );
}

#[test]
fn subscriptions_work_on_any_workers_thread_and_as_iterators() {
    alone(
        "signals::subscriptions_work_on_any_workers_thread_and_as_iterators",
        || {
            let subscribed = Barrier::new(3);
            let results = Workers::new(3).run(|worker| {
                let signals = Signals::new(&[SIGHUP, SIGTERM]).unwrap();
                subscribed.wait();
                if worker.index() == 1 {
                    raise(Signal::SIGHUP).unwrap();
                    raise(Signal::SIGTERM).unwrap();
                }
                let mut numbers: Vec<_> = signals.iter().take(2).collect();
                numbers.sort_unstable();
                numbers
            });
            for numbers in results {
                assert_eq!(numbers.unwrap(), [SIGHUP, SIGTERM]);
            }
        },
    );
}

/// Such a process, once it says that it is ready, and its output from then on.
fn started(test: &str, part: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = child::command(test, part);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    wait_for("ready", &mut output);
    (process, output)
}

fn wait_for(word: &str, output: &mut impl BufRead) {
    let mut line = String::new();
    while line.trim_end() != word {
        line.clear();
        assert_ne!(
            output.read_line(&mut line).unwrap(),
            0,
            "it ended before {word}"
        );
    }
}

fn send(process: &Child, signal: Signal) {
    kill(Pid::from_raw(process.id().cast_signed()), signal).unwrap();
}

#[test]
fn another_process_sends_each_of_them() {
    const TEST: &str = "signals::another_process_sends_each_of_them";
    const ALL: [Signal; 5] = [
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGINT,
        Signal::SIGTERM,
    ];
    if child::is("each") {
        return enter(|| {
            let signals = Signals::new(&ALL.map(|signal| signal as i32)).unwrap();
            println!("\nready");
            for number in signals.iter() {
                println!("\ngot {number}");
                if number == SIGTERM {
                    std::process::exit(0);
                }
            }
        });
    }
    let (mut process, mut output) = started(TEST, "each");
    for signal in ALL {
        send(&process, signal);
        wait_for(&format!("got {}", signal as i32), &mut output);
    }
    assert!(process.wait().unwrap().success());
}

#[test]
fn the_first_signal_triggers_and_the_second_exits() {
    const TEST: &str = "signals::the_first_signal_triggers_and_the_second_exits";
    if child::is("stubborn") {
        return enter(|| {
            let shutdown = Shutdown::new();
            stop_on(&[SIGINT, SIGTERM], &shutdown).unwrap();
            println!("\nready");
            shutdown.wait().unwrap();
            println!("\nstopping");
            // No tasklet of this thread runs any more.
            loop {
                std::thread::park();
            }
        });
    }
    let (mut process, mut output) = started(TEST, "stubborn");
    send(&process, Signal::SIGINT);
    wait_for("stopping", &mut output);
    assert!(process.try_wait().unwrap().is_none());
    send(&process, Signal::SIGINT);
    assert_eq!(process.wait().unwrap().code(), Some(128 + SIGINT));
}

/// A server that was stopped before has its subscription to the end.
#[test]
fn one_that_was_triggered_before_does_not_make_the_first_signal_the_second() {
    const TEST: &str =
        "signals::one_that_was_triggered_before_does_not_make_the_first_signal_the_second";
    if child::is("two") {
        return enter(|| {
            let (gone, shutdown) = (Shutdown::new(), Shutdown::new());
            stop_on(&[SIGINT], &gone).unwrap();
            stop_on(&[SIGINT], &shutdown).unwrap();
            gone.trigger();
            println!("\nready");
            shutdown.wait().unwrap();
            println!("\nstopping");
            loop {
                std::thread::park();
            }
        });
    }
    let (mut process, mut output) = started(TEST, "two");
    send(&process, Signal::SIGINT);
    wait_for("stopping", &mut output);
    assert!(process.try_wait().unwrap().is_none());
    send(&process, Signal::SIGINT);
    assert_eq!(process.wait().unwrap().code(), Some(128 + SIGINT));
}
