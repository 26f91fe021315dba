//! Receiving in a `for` loop.

use super::{Channel, ReceiveError};

/// Receives from a channel; see [`Channel::iter`].
///
/// Ends when the channel is closing and no sender waits. An error that was
/// sent, and any other failure of the wait, is an item.
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
