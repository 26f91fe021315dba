//! A future that ends at a given time.

use super::timers::{Key, Timers};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Waits until a deadline, as a future; made by [`sleep`] and [`sleep_until`].
///
/// It needs no thread and no timer of its own: the [`block_on`](super::block_on)
/// that polls it parks until the earliest deadline of all sleeps that it polls.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Panics
///
/// When it is polled before its deadline on a tasklet or thread that is not
/// inside `block_on`: an executor that does not know of the deadline would never
/// poll it again, and to fail is better than to hang.
///
/// # Examples
///
/// ```
/// use greenling::future::{block_on, sleep};
/// use std::time::Duration;
/// block_on(sleep(Duration::from_millis(1))).unwrap();
/// ```
pub struct Sleep {
    deadline: Instant,
    /// In which list it is, and where.
    entry: Option<(Arc<Timers>, Key)>,
}

/// A future that is ready after `duration`.
///
/// # Scheduling
///
/// Never switches; nor does the future, it is whoever polls it that waits.
#[doc(alias = "delay")]
pub fn sleep(duration: Duration) -> Sleep {
    let now = Instant::now();
    // Beyond what the clock can express: longer than anyone lives.
    let forever = Duration::from_secs(u32::MAX.into());
    sleep_until(now.checked_add(duration).unwrap_or(now + forever))
}

/// A future that is ready at `deadline`.
///
/// # Scheduling
///
/// Never switches; as [`sleep`].
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        entry: None,
    }
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Makes it end at another time. Whoever polled it must poll it again, as
    /// for a new future.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn reset(&mut self, deadline: Instant) {
        self.leave();
        self.deadline = deadline;
    }

    fn leave(&mut self) {
        if let Some((timers, key)) = self.entry.take() {
            timers.remove(key);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.deadline <= Instant::now() {
            self.leave();
            return Poll::Ready(());
        }
        let Some(timers) = Timers::current() else {
            panic!("greenling: a future::Sleep was polled outside of greenling::block_on");
        };
        if let Some((there, key)) = &self.entry
            && Arc::ptr_eq(there, &timers)
            && there.set_waker(*key, context.waker())
        {
            return Poll::Pending;
        }
        // Polled for the first time, or by another `block_on` than last time.
        self.leave();
        let key = timers.add(self.deadline, context.waker());
        self.entry = Some((timers, key));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
