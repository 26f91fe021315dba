//! So many coroutines of may, on one worker; as `tasklets`, as far as may has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::machine::{self, Footprint};
use may::coroutine::yield_now;
use may::go;
use may::sync::mpmc;

use super::Failure;
use crate::programs::child::{Figures, cost};

/// How long the ring turns.
const RING: Duration = Duration::from_millis(200);

pub(super) fn tasklets(count: u64) -> Result<Figures, Failure> {
    may::config().set_workers(1);
    // The worker thread and its structures start with the first coroutine.
    go!(|| ()).join().map_err(|_| "a coroutine panicked")?;

    let (open, gate) = mpmc::channel();
    let waiting = Arc::new(AtomicU64::new(0));
    let turning = Arc::new(AtomicBool::new(true));
    let switches = Arc::new(AtomicU64::new(0));
    let before = Footprint::of("self")?;
    let start = Instant::now();
    for _ in 0..count {
        let (gate, waiting) = (gate.clone(), waiting.clone());
        let (turning, switches) = (turning.clone(), switches.clone());
        go!(move || {
            waiting.fetch_add(1, Ordering::Relaxed);
            if gate.recv().is_err() {
                return;
            }
            while turning.load(Ordering::Relaxed) {
                switches.fetch_add(1, Ordering::Relaxed);
                yield_now();
            }
            waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
    // This is an OS thread: it leaves the core to may's worker.
    while waiting.load(Ordering::Relaxed) < count {
        std::thread::yield_now();
    }
    let elapsed = start.elapsed();
    let held = Footprint::of("self")?
        .bytes()
        .saturating_sub(before.bytes());
    let mut figures = cost("start", elapsed, count);
    if count >= super::HELD_MIN {
        figures.push(("bytes".into(), held as f64 / count as f64));
    }

    for _ in 0..count {
        open.send(())?;
    }
    while switches.load(Ordering::Relaxed) < count {
        std::thread::yield_now();
    }
    let (start, first) = (Instant::now(), switches.load(Ordering::Relaxed));
    machine::pause(RING);
    let last = switches.load(Ordering::Relaxed);
    figures.extend(cost("switch", start.elapsed(), last - first));
    turning.store(false, Ordering::Relaxed);
    while waiting.load(Ordering::Relaxed) > 0 {
        std::thread::yield_now();
    }
    Ok(figures)
}
