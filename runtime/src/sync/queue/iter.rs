//! Getting in a `for` loop.

use super::{GetError, Queue};

/// Gets from a queue; see [`Queue::iter`].
///
/// Each step is a [`get`](Queue::get), and switches as that does. `Closed` ends
/// the loop; any other failure of the wait is an item.
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Iter<'a, T> {
        Iter { queue }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = Result<T, GetError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.queue.get() {
            Err(GetError::Closed) => None,
            result => Some(result),
        }
    }
}

impl<'a, T> IntoIterator for &'a Queue<T> {
    type Item = Result<T, GetError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
