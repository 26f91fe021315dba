//! Receiving from a queue channel in a `for` loop.

use super::queue_channel::QueueChannel;
use crate::channel::{ReceiveError, StopIteration};
use crate::error::WaitError;

/// Receives from a queue channel; see [`QueueChannel::iter`].
///
/// # Examples
///
/// ```
/// use greenling::{StopIteration, port::QueueChannel};
/// let queue = QueueChannel::unbounded();
/// (1..=3).for_each(|n| queue.send(n).unwrap());
/// queue.send_error(StopIteration).unwrap();
/// let mut sum = 0;
/// for item in &queue {
///     sum += item.unwrap();
/// }
/// assert_eq!(sum, 6);
/// ```
#[derive(Debug)]
pub struct QueueIter<'a, T> {
    queue: &'a QueueChannel<T>,
}

impl<'a, T> QueueIter<'a, T> {
    pub(super) fn new(queue: &'a QueueChannel<T>) -> QueueIter<'a, T> {
        QueueIter { queue }
    }
}

impl<T> Iterator for QueueIter<'_, T> {
    type Item = Result<T, ReceiveError>;

    #[track_caller]
    fn next(&mut self) -> Option<Result<T, ReceiveError>> {
        match self.queue.receive() {
            Err(ReceiveError::Closed) => None,
            Err(ReceiveError::Wait(WaitError::Thrown(error))) if error.is::<StopIteration>() => {
                None
            }
            received => Some(received),
        }
    }
}

impl<'a, T> IntoIterator for &'a QueueChannel<T> {
    type Item = Result<T, ReceiveError>;
    type IntoIter = QueueIter<'a, T>;

    fn into_iter(self) -> QueueIter<'a, T> {
        self.iter()
    }
}
