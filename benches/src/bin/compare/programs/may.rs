//! The programs as `may` coroutines, on one worker.
//!
//! Coroutines migrate between workers, so that a second one would measure
//! the traffic between two cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::machine::Footprint;
use may::coroutine::{JoinHandle, yield_now};
use may::go;
use may::sync::{mpmc, spsc};

use super::child::{self, Figures};
use super::program::{Program, RING};

/// Why a program could not run to its end.
type Failure = Box<dyn std::error::Error>;

/// Runs `program` and returns its figures.
pub(crate) fn run(program: Program, count: u64) -> Result<Figures, Failure> {
    may::config().set_workers(1);
    match program {
        Program::SwitchPair => Ok(child::each(switch_pair(count)?, 2 * count)),
        Program::SwitchSame => Ok(child::each(switch_same(2, count)?, 2 * count)),
        Program::SwitchRing => Ok(child::each(switch_same(RING, count)?, RING * count)),
        Program::ChannelRoundTrip => Ok(child::each(channel_round_trip(count)?, count)),
        Program::SpawnJoin => Ok(child::each(spawn_join(count)?, count)),
        Program::Parked => parked(count),
        _ => Err("this program is for Greenling alone".into()),
    }
}

/// A panic's payload is no error; its text is not needed, the panic was printed.
fn join<T>(handle: JoinHandle<T>) -> Result<T, Failure> {
    handle.join().map_err(|_| "a coroutine panicked".into())
}

/// Waits until all `members` are there, then yields `count` times and says how
/// long that took.
fn timed(there: &AtomicU64, members: u64, count: u64) -> Duration {
    there.fetch_add(1, Ordering::Relaxed);
    while there.load(Ordering::Relaxed) < members {
        yield_now();
    }
    for _ in 0..count / 10 {
        yield_now();
    }
    let start = Instant::now();
    for _ in 0..count {
        yield_now();
    }
    start.elapsed()
}

fn switch_pair(count: u64) -> Result<Duration, Failure> {
    let there = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let (timer, other) = start_together(move || {
        let timer = go!({
            let (there, done) = (there.clone(), done.clone());
            move || {
                let elapsed = timed(&there, 2, count);
                done.store(true, Ordering::Relaxed);
                elapsed
            }
        });
        let other = go!(move || {
            there.fetch_add(1, Ordering::Relaxed);
            let mut turns = 0;
            while !done.load(Ordering::Relaxed) {
                yield_now();
                turns += 1;
            }
            turns
        });
        (timer, other)
    })?;
    let elapsed = join(timer)?;
    if join(other)? < count {
        return Err("the two did not take turns".into());
    }
    Ok(elapsed)
}

fn switch_same(members: u64, count: u64) -> Result<Duration, Failure> {
    let there = Arc::new(AtomicU64::new(0));
    let ring: Vec<JoinHandle<Duration>> = start_together(move || {
        let member = |_| {
            let there = there.clone();
            go!(move || timed(&there, members, count))
        };
        (0..members).map(member).collect()
    })?;
    let mut first = None;
    for member in ring {
        let elapsed = join(member)?;
        first.get_or_insert(elapsed);
    }
    first.ok_or_else(|| "the ring is empty".into())
}

/// Starts coroutines from inside one: they go to the worker's own queue. Those
/// that the main thread starts would wait for ever behind members that yield,
/// since the worker looks elsewhere only when its queue is empty.
fn start_together<T: Send + 'static>(
    start: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    join(go!(start))
}

/// Over `spsc`, the cheapest of may's channels; it has no rendezvous.
fn channel_round_trip(count: u64) -> Result<Duration, Failure> {
    let (there, request) = spsc::channel();
    let (reply, back) = spsc::channel();
    let echo = go!(move || {
        while let Ok(value) = request.recv() {
            if reply.send(value).is_err() {
                return;
            }
        }
    });
    let timer = go!(move || -> Result<Duration, String> {
        let trip = |rounds: u64| {
            for value in 0..rounds {
                there.send(value).map_err(|error| error.to_string())?;
                if back.recv().map_err(|error| error.to_string())? != value {
                    return Err("a value was lost".to_string());
                }
            }
            Ok(())
        };
        trip(count / 10)?;
        let start = Instant::now();
        trip(count)?;
        Ok(start.elapsed())
    });
    let elapsed = join(timer)??;
    join(echo)?;
    Ok(elapsed)
}

fn spawn_join(count: u64) -> Result<Duration, Failure> {
    let timer = go!(move || -> Result<Duration, String> {
        let run = |rounds: u64| {
            for value in 0..rounds {
                if go!(move || value).join().ok() != Some(value) {
                    return Err("a value was lost".to_string());
                }
            }
            Ok(())
        };
        run(count / 10)?;
        let start = Instant::now();
        run(count)?;
        Ok(start.elapsed())
    });
    Ok(join(timer)??)
}

fn parked(count: u64) -> Result<Figures, Failure> {
    let (open, gate) = mpmc::channel();
    let waiting = Arc::new(AtomicU64::new(0));
    // The worker thread and its structures start with the first coroutine.
    join(go!(|| ()))?;
    let before = Footprint::of("self")?;
    let start = Instant::now();
    for _ in 0..count {
        let (gate, waiting) = (gate.clone(), waiting.clone());
        go!(move || {
            waiting.fetch_add(1, Ordering::Relaxed);
            if gate.recv().is_ok() {
                waiting.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }
    // This is an OS thread: it leaves the core to may's worker.
    while waiting.load(Ordering::Relaxed) < count {
        std::thread::yield_now();
    }
    let elapsed = start.elapsed();
    let after = Footprint::of("self")?;
    for _ in 0..count {
        open.send(())?;
    }
    while waiting.load(Ordering::Relaxed) > 0 {
        std::thread::yield_now();
    }
    Ok(child::parked(before, after, elapsed, count))
}
