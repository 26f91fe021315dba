//! Futures on tasklets.
//!
//! [`block_on`] drives a future on the current tasklet, which parks while it is
//! pending. So async crates can be used, and `hyper` serves and fetches:
//!
//! | wanted | take |
//! |---|---|
//! | the result of a future, in code in blocking style | [`block_on`] |
//! | the result of code in blocking style, in a future | [`spawn`] |
//! | many futures side by side | a tasklet each, or a combinator under one `block_on` |
//! | time | [`sleep`], or [`timeout`](crate::time::timeout) around `block_on` |
//! | readiness of a socket | [`ready`], [`PollReady`] |
//! | a stream with the traits of `hyper` or `futures-io` | [`Io`] |
//! | hyper's executor and timer | `Executor`, `Timer` (feature `hyper`) |
//!
//! There is no task queue here: the scheduler's is the only one. A waker makes
//! its tasklet runnable, directly on the same thread and through the scheduler's
//! inbox from others, and knows nothing of the future.

mod block_on;
#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
mod io;
mod ready;
mod signal;
mod sleep;
mod spawn;
mod stream;
mod timers;

#[cfg(feature = "hyper")]
pub use self::hyper::{Executor, Timer};
pub use block_on::block_on;
pub use io::Io;
pub use ready::{PollReady, Readiness, Watch, ready};
pub use sleep::{Sleep, sleep, sleep_until};
pub use spawn::{Work, spawn};
pub use stream::PollStream;
