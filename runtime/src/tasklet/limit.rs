//! How many tasklets a thread may have.

use crate::scheduler::local;
use std::io;

/// Limits how many tasklets this thread has, main aside, and returns the limit
/// before; `None` is none, as in the beginning.
///
/// A tasklet counts from when it gets a function until it ends, also while it is
/// paused. Those that are there stay, however many they are. At the limit
/// [`Builder::spawn`](crate::Builder::spawn) says `QuotaExceeded`, and
/// [`spawn`](crate::spawn) panics, as when there is no stack: so memory has a
/// bound, and who asks for too much is told instead of the kernel's choice of a
/// process. The runtime makes no tasklets of its own; a
/// [`server`](crate::server) makes one for each listener.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::{Builder, set_max_tasklets, spawn};
/// use std::io::ErrorKind;
/// assert_eq!(set_max_tasklets(Some(2)), None);
/// let two = [spawn(|| 1), spawn(|| 2)];
/// let refused = Builder::new().spawn(|| 3).unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
/// for tasklet in two {
///     tasklet.join().unwrap();
/// }
/// spawn(|| 3).join().unwrap();
/// ```
pub fn set_max_tasklets(count: Option<usize>) -> Option<usize> {
    let max = &local::expect().max_tasklets;
    as_limit(max.replace(count.unwrap_or(usize::MAX)))
}

/// The limit that [`set_max_tasklets`] has set.
///
/// # Scheduling
///
/// Never switches.
pub fn max_tasklets() -> Option<usize> {
    local::get().and_then(|scheduler| as_limit(scheduler.max_tasklets.get()))
}

fn as_limit(count: usize) -> Option<usize> {
    (count != usize::MAX).then_some(count)
}

/// The error of whoever asks for one more.
#[cold]
pub(super) fn too_many() -> io::Error {
    io::Error::new(
        io::ErrorKind::QuotaExceeded,
        "the thread has as many tasklets as set_max_tasklets allows",
    )
}
