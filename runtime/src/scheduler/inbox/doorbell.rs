//! What ends the wait of an idle scheduler: its driver's waker or, as long as it has
//! no driver, the end of its nap.

use crate::primitives::{AtomicBool, Condvar, Mutex};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct Doorbell {
    /// Set before `has_driver`.
    driver: OnceLock<Arc<dyn Fn() + Send + Sync>>,
    has_driver: AtomicBool,
    /// Somebody has rung since the last nap.
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Doorbell {
    pub(super) fn new() -> Doorbell {
        Doorbell {
            driver: OnceLock::new(),
            has_driver: AtomicBool::new(false),
            rung: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Ends the wait, or the next one if there is none.
    pub(super) fn ring(&self) {
        if self.has_driver.load(Ordering::Acquire)
            && let Some(ring) = self.driver.get()
        {
            return ring();
        }
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// From now on to ring is to call this.
    pub(super) fn connect(&self, ring: Arc<dyn Fn() + Send + Sync>) {
        let _ = self.driver.set(ring);
        self.has_driver.store(true, Ordering::Release);
    }

    /// Sleeps until somebody rings, or so long.
    pub(super) fn nap(&self, timeout: Option<Duration>) {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            let changed = &self.changed;
            rung = match end {
                None => changed.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    let woken = changed.wait_timeout(rung, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *rung = false;
    }
}
