//! Signals as messages. Each test has a process of its own.

use greenling::signal::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, Signals, ctrl_c, terminate};
use greenling::time::timeout;
use greenling::{WaitError, enter, schedule, spawn};
use nix::sys::signal::{Signal, raise};
use std::time::Duration;
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
            let _both = Signals::new(&[SIGINT, SIGTERM]).unwrap();
            let first = spawn(ctrl_c);
            let second = spawn(terminate);
            schedule();
            raise(Signal::SIGTERM).unwrap();
            second.join().unwrap().unwrap();
            assert!(!first.is_finished());
            raise(Signal::SIGINT).unwrap();
            first.join().unwrap().unwrap();
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
