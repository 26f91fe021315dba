//! Futures on tasklets: when they are polled, what wakes them, what ends them.
//!
//! | file | has |
//! |---|---|
//! | `driving` | `block_on` itself: errors, nesting, kills, deadlocks |
//! | `wakes` | wakes from everywhere, at every moment |
//! | `timers` | sleeps |
//! | `tls` | TLS streams that are polled |
//! | `readiness` | descriptors |
//! | `work` | tasklets that futures wait for |
//! | `crates` | `futures-util`, `futures-channel` |

mod crates;
mod driving;
mod readiness;
mod timers;
mod tls;
mod wakes;
mod work;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A future that is pending until `open` is called, which wakes nobody.
#[derive(Clone, Default)]
struct Gate(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    is_open: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl Gate {
    /// Waits for the gate, and leaves its waker there.
    fn wait(&self) -> impl Future<Output = usize> + use<> {
        let state = self.0.clone();
        poll_fn(move |context| {
            let mut state = state.borrow_mut();
            state.polls += 1;
            if state.is_open {
                return Poll::Ready(state.polls);
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
    }

    fn open(&self) {
        self.0.borrow_mut().is_open = true;
    }

    /// The waker of the last poll.
    fn take_waker(&self) -> Option<Waker> {
        self.0.borrow_mut().waker.take()
    }

    fn polls(&self) -> usize {
        self.0.borrow().polls
    }
}

/// Lets others run until `done`.
fn until(done: impl Fn() -> bool) {
    while !done() {
        greenling::schedule();
    }
}
