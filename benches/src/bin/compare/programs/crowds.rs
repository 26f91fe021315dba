//! What only Greenling is asked here: crowds that wake or end at once, and the
//! waits of the toolkit, as figures to be watched over time.
//!
//! All are measured in CPU time of the thread, since crowds wait for the clock.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use benches::machine;
use greenling::net::UdpSocket;
use greenling::select::{Operation, select};
use greenling::sync::{Event, Mutex, Semaphore};
use greenling::time::{CancelToken, sleep_until};
use greenling::{Channel, JoinHandle, block_on, schedule, scope, spawn};

use super::child::{self, Figures};
use super::program::{CROWD, Program};

/// Why a program could not run to its end.
type Failure = Box<dyn std::error::Error>;

/// Runs one of the programs that are for Greenling alone.
pub(crate) fn run(program: Program, count: u64) -> Result<Figures, Failure> {
    let (spent, operations) = match program {
        Program::Sleepers => (sleepers(count)?, CROWD * count),
        Program::CancelStorm => (cancel_storm(count)?, CROWD * count),
        Program::ScopeJoin => (warm(count, scope_join)?, count),
        Program::BlockOnReady => (warm(count, block_on_ready)?, count),
        Program::Semaphore => (semaphore_round_trip(count)?, count),
        Program::MutexHandover => (mutex_handover(count)?, count),
        Program::EventWake => (event_wake(count)?, CROWD * count),
        _ => match program.arms() {
            Some(arms) => (select_round_trip(arms, count)?, count),
            None => return Err("no program of this file".into()),
        },
    };
    Ok(child::each(spent, operations))
}

/// Times `f` after a tenth of the count as warm-up.
fn warm(count: u64, f: fn(u64) -> Result<(), Failure>) -> Result<Duration, Failure> {
    f(count / 10)?;
    timed(|| f(count))
}

fn timed(f: impl FnOnce() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let before = machine::thread_time();
    f()?;
    Ok(machine::thread_time() - before)
}

/// A crowd of tasklets, each of which `run`s to its end.
fn crowd<T: 'static, F>(mut run: impl FnMut() -> F) -> Vec<JoinHandle<T>>
where
    F: FnOnce() -> T + 'static,
{
    (0..CROWD).map(|_| spawn(run())).collect()
}

fn join_all<T>(crowd: Vec<JoinHandle<T>>) -> Result<(), Failure> {
    for member in crowd {
        member.join()?;
    }
    Ok(())
}

/// Timers of one deadline: armed, fired, everybody woken in order.
fn sleepers(rounds: u64) -> Result<Duration, Failure> {
    let mut spent = Duration::ZERO;
    for round in 0..=rounds {
        let deadline = Instant::now() + Duration::from_millis(100);
        let asleep = crowd(|| move || sleep_until(deadline));
        let elapsed = timed(|| join_all(asleep))?;
        // The first round makes the stacks.
        if round > 0 {
            spent += elapsed;
        }
    }
    Ok(spent)
}

/// Readers of a socket each, all ended by one token.
fn cancel_storm(rounds: u64) -> Result<Duration, Failure> {
    let sockets: Vec<_> = (0..CROWD)
        .map(|_| UdpSocket::bind("127.0.0.1:0").map(Rc::new))
        .collect::<Result<_, _>>()?;
    let mut spent = Duration::ZERO;
    for round in 0..=rounds {
        let token = CancelToken::new();
        let mut sockets = sockets.iter();
        let readers = crowd(|| {
            let (token, socket) = (token.clone(), sockets.next().cloned());
            move || {
                let read = || socket.map(|socket| socket.recv(&mut [0; 8]));
                token.run(read).is_err()
            }
        });
        schedule();
        let mut cancelled = 0;
        let elapsed = timed(|| {
            token.cancel();
            for reader in readers {
                cancelled += u64::from(reader.join()?);
            }
            Ok(())
        })?;
        if cancelled != CROWD {
            return Err(format!("{cancelled} of {CROWD} readers were cancelled").into());
        }
        if round > 0 {
            spent += elapsed;
        }
    }
    Ok(spent)
}

/// A value to one of several channels, in turn, and an answer over another one.
fn select_round_trip(arms: usize, count: u64) -> Result<Duration, Failure> {
    let there: Vec<Channel<u64>> = (0..arms).map(|_| Channel::new()).collect();
    let back = Channel::new();
    let echo = spawn({
        let (there, back) = (there.clone(), back.clone());
        move || -> Result<(), String> {
            loop {
                let mut operations: Vec<_> = there.iter().map(Channel::receiving).collect();
                let mut all: Vec<_> = operations.iter_mut().map(|one| one as _).collect();
                let index = select(&mut all).map_err(|error| error.to_string())?;
                let Some(Ok(value)) = operations[index].take() else {
                    return Err("a receive gave nothing".into());
                };
                if back.send(value).is_err() || value == u64::MAX {
                    return Ok(());
                }
            }
        }
    });
    let timer = spawn(move || -> Result<Duration, String> {
        let trip = |rounds: u64| {
            for value in 0..rounds {
                let channel = &there[value as usize % arms];
                channel.send(value).map_err(|error| error.to_string())?;
                if back.receive().map_err(|error| error.to_string())? != value {
                    return Err("a value was lost".to_string());
                }
            }
            Ok(())
        };
        trip(count / 10)?;
        let before = machine::thread_time();
        trip(count)?;
        let elapsed = machine::thread_time() - before;
        there[0].send(u64::MAX).map_err(|error| error.to_string())?;
        back.receive().map_err(|error| error.to_string())?;
        Ok(elapsed)
    });
    let elapsed = timer.join()??;
    echo.join()??;
    Ok(elapsed)
}

/// As `spawn-join`, within a scope and so with a borrow.
fn scope_join(count: u64) -> Result<(), Failure> {
    let sum = Cell::new(0);
    for value in 0..count {
        scope(|scope| {
            scope.spawn(|| sum.set(sum.get() + value));
        });
    }
    check_sum(sum.get(), count)
}

fn block_on_ready(count: u64) -> Result<(), Failure> {
    let mut sum = 0;
    for value in 0..count {
        sum += block_on(std::future::ready(value))?;
    }
    check_sum(sum, count)
}

fn check_sum(sum: u64, count: u64) -> Result<(), Failure> {
    if sum == count * count.saturating_sub(1) / 2 {
        Ok(())
    } else {
        Err("a value was lost".into())
    }
}

/// Two tasklets that wake each other.
fn semaphore_round_trip(count: u64) -> Result<Duration, Failure> {
    let [there, back] = [(); 2].map(|()| Rc::new(Semaphore::new(0)));
    let total = count + count / 10;
    let other = spawn({
        let (there, back) = (there.clone(), back.clone());
        move || {
            for _ in 0..total {
                let Ok(permit) = there.acquire() else { return };
                permit.forget();
                if back.add_permits(1).is_err() {
                    return;
                }
            }
        }
    });
    let timer = spawn(move || {
        let trip = |rounds: u64| {
            for _ in 0..rounds {
                there.add_permits(1).map_err(|error| error.to_string())?;
                let permit = back.acquire().map_err(|error| error.to_string())?;
                permit.forget();
            }
            Ok::<_, String>(())
        };
        trip(count / 10)?;
        let before = machine::thread_time();
        trip(count)?;
        Ok::<_, String>(machine::thread_time() - before)
    });
    let elapsed = timer.join()??;
    other.join()?;
    Ok(elapsed)
}

/// Two tasklets at one lock: each unlock hands it to the other, who waits.
fn mutex_handover(count: u64) -> Result<Duration, Failure> {
    let mutex = Rc::new(Mutex::new(0_u64));
    let work = |turns: u64| {
        let mutex = mutex.clone();
        spawn(move || -> Result<(), String> {
            for _ in 0..turns {
                let mut guard = mutex.lock().map_err(|error| error.to_string())?;
                // The other one comes and waits.
                schedule();
                *guard += 1;
            }
            Ok(())
        })
    };
    let run = |turns: u64| {
        for worker in [work(turns), work(turns)] {
            worker.join()??;
        }
        Ok(())
    };
    run(count / 20)?;
    timed(|| run(count / 2))
}

/// A crowd that waits for one event.
fn event_wake(rounds: u64) -> Result<Duration, Failure> {
    let mut spent = Duration::ZERO;
    for round in 0..=rounds {
        let event = Rc::new(Event::new());
        let waiting = crowd(|| {
            let event = event.clone();
            move || event.wait().is_ok()
        });
        schedule();
        let elapsed = timed(|| {
            event.set();
            join_all(waiting)
        })?;
        if round > 0 {
            spent += elapsed;
        }
    }
    Ok(spent)
}
