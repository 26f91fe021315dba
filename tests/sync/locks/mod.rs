//! Locks, and condition variables.
//!
//! | file | has |
//! |---|---|
//! | `exclusive`, with `kinds` | what all locks with one owner have in common |
//! | `mutex`, `reentrant`, `rw_lock`, `lock_table` | what they do not |
//! | `condvar` | waiting for a change of what a mutex guards |
//! | `models` | random programs, compared with plain data |

mod condvar;
mod exclusive;
mod kinds;
mod lock_table;
mod models;
mod mutex;
mod reentrant;
mod rw_lock;

use greenling::{WaitError, run, schedule};
use std::time::Instant;

/// Runs all others until none is runnable.
fn settle() {
    run().unwrap();
}

/// Waits, without giving way, until the clock has reached `at`.
fn hold_the_thread_until(at: Instant) {
    while Instant::now() < at {
        std::hint::spin_loop();
    }
}

/// Lets the others run, and the time pass, until `done`.
fn schedule_until(done: impl Fn() -> bool) {
    while !done() {
        schedule();
    }
}

fn is_thrown<T>(result: &Result<T, WaitError>) -> bool {
    matches!(result, Err(WaitError::Thrown(_)))
}

fn is_timed_out<T>(result: &Result<T, WaitError>) -> bool {
    matches!(result, Err(WaitError::TimedOut))
}
