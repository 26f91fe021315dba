//! What a tasklet owes to another thread that joins it.
//!
//! The sending end of the answer must not lie on the tasklet's stack: a thread
//! that just ends leaks the stacks of its tasklets, and whoever waits for one
//! would wait for ever. It lies in a table of the thread, which ends with it,
//! and the tasklet has the key.

use super::channel::Sender;
use crate::error::JoinError;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static OWED: RefCell<HashMap<u64, Box<dyn Any>>> = RefCell::default();
}

/// The key to the sender of an answer. Dropped, the answer is that there is
/// none.
pub(super) struct Answer<T: 'static> {
    key: u64,
    value: PhantomData<fn(T)>,
}

impl<T: Send + 'static> Answer<T> {
    /// Keeps `sender` for a tasklet of this thread.
    pub(super) fn by(sender: Sender<Result<T, JoinError>>) -> Answer<T> {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        let key = KEYS.fetch_add(1, Ordering::Relaxed);
        // On a thread that is ending there is no table, and no answer.
        let _ = OWED.try_with(|owed| owed.borrow_mut().insert(key, Box::new(sender)));
        Answer {
            key,
            value: PhantomData,
        }
    }

    /// Answers; nobody may be waiting any more.
    pub(super) fn give(self, result: Result<T, JoinError>) {
        let sender = take(self.key).and_then(|sender| {
            let sender = sender.downcast::<Sender<Result<T, JoinError>>>();
            sender.ok()
        });
        if let Some(sender) = sender {
            drop(sender.try_send(result));
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        drop(take(self.key));
    }
}

fn take(key: u64) -> Option<Box<dyn Any>> {
    OWED.try_with(|owed| owed.borrow_mut().remove(&key))
        .unwrap_or_default()
}
