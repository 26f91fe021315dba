//! Receiving in a `for` loop.

use super::{Channel, ReceiveError};
use crate::error::WaitError;
use std::error::Error;
use std::fmt;

/// An error that ends the iteration of whoever receives it.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, StopIteration};
/// let channel = Channel::new();
/// let sender = channel.clone();
/// greenling::spawn(move || {
///     sender.send_sequence(1..=3).unwrap();
///     sender.send_error(StopIteration).unwrap();
/// });
/// let sum: u32 = channel.iter().map(Result::unwrap).sum();
/// assert_eq!(sum, 6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopIteration;

impl fmt::Display for StopIteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sender has no more items")
    }
}

impl Error for StopIteration {}

/// Receives from a channel; see [`Channel::iter`].
///
/// Ends when the channel is closing and no sender waits, and at a
/// [`StopIteration`] that was sent. Any other error that was sent, and any
/// failure of the wait, is an item.
#[derive(Debug)]
pub struct Iter<'a, T> {
    channel: &'a Channel<T>,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(channel: &'a Channel<T>) -> Iter<'a, T> {
        Iter { channel }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = Result<T, ReceiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.channel.receive() {
            Err(ReceiveError::Closed) => None,
            Err(ReceiveError::Wait(WaitError::Thrown(error))) if error.is::<StopIteration>() => {
                None
            }
            result => Some(result),
        }
    }
}

impl<'a, T> IntoIterator for &'a Channel<T> {
    type Item = Result<T, ReceiveError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
