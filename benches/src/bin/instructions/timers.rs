//! Waits with a deadline that does not come, and one that has come.

use std::time::{Duration, Instant};

use greenling::sync::Semaphore;
use greenling::time::{CancelToken, sleep_until, timeout_at};
use greenling::{schedule, spawn};
use std::rc::Rc;

use crate::meter::{Failure, Meter};

/// Tasklets that sleep meanwhile; a million would take five gigabytes.
const CROWD: u64 = 100_000;

/// Counts all operations of this file, and then calls `end`.
pub(crate) fn count(meter: &Meter, end: impl FnOnce(&Meter)) -> Result<(), Failure> {
    let later = Instant::now() + Duration::from_secs(3600);
    meter.count("timeout-scope", |times| {
        for _ in 0..times {
            assert!(timeout_at(later, || std::hint::black_box(())).is_ok());
        }
    });
    let token = CancelToken::new();
    meter.count("token-scope", |times| {
        for _ in 0..times {
            assert!(token.run(|| std::hint::black_box(())).is_ok());
        }
    });
    let past = Instant::now();
    meter.count("timer-fire", |times| {
        (0..times).for_each(|_| sleep_until(past));
    });
    wait(meter, "wait", None)?;
    wait(meter, "wait-deadline", Some(later))?;
    let crowd: Vec<_> = (0..CROWD)
        .map(|index| {
            // In no order.
            let offset = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let deadline = later + Duration::from_micros(offset);
            spawn(move || sleep_until(deadline))
        })
        .collect();
    schedule();
    wait(
        meter,
        "wait-deadline-100k",
        Some(later + Duration::from_secs(1800)),
    )?;
    end(meter);
    drop(crowd);
    Ok(())
}

/// A permit there and back: two waits, each until a deadline if one is given,
/// which is a little later every time.
fn wait(meter: &Meter, name: &'static str, first: Option<Instant>) -> Result<(), Failure> {
    let (there, back) = (Rc::new(Semaphore::new(0)), Rc::new(Semaphore::new(0)));
    let mut deadline = first;
    let mut acquire = move |semaphore: &Semaphore| {
        let permit = match &mut deadline {
            None => semaphore.acquire(),
            Some(deadline) => {
                *deadline += Duration::from_micros(1);
                semaphore.acquire_deadline(*deadline)
            }
        };
        permit.map(|permit| permit.forget()).is_ok()
    };
    let partner = spawn({
        let (there, back) = (there.clone(), back.clone());
        let mut acquire = acquire;
        move || {
            while acquire(&there) {
                if back.add_permits(1).is_err() {
                    return;
                }
            }
        }
    });
    let mut woken = true;
    meter.count(name, |times| {
        for _ in 0..times {
            woken &= there.add_permits(1).is_ok() && acquire(&back);
        }
    });
    partner.tasklet().kill()?;
    if woken {
        Ok(())
    } else {
        Err("a wait has failed".into())
    }
}
