//! Leave to keep rings through a wait, for connections whose waits may end on another
//! thread: their engines cannot be left in the lists of one.
//!
//! As many connections of the process have it as a list holds engines. Those that ask
//! later give their rings back before they wait. So the earliest keep theirs however long
//! they wait: nobody else may touch their engines.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{KNOWN_AFTER, KNOWN_MAX, NEW_MAX};
use crate::engine::Engine;

/// How many have it.
static KNOWN: AtomicUsize = AtomicUsize::new(0);
static NEW: AtomicUsize = AtomicUsize::new(0);

/// Returned when it is dropped.
#[derive(Debug)]
pub(crate) struct Leave(&'static AtomicUsize);

impl Leave {
    /// For a wait of `engine` that begins now.
    pub(crate) fn ask_for(engine: &mut Engine) -> Option<Leave> {
        let (count, most) = if engine.count_wait() > KNOWN_AFTER {
            (&KNOWN, KNOWN_MAX)
        } else {
            (&NEW, NEW_MAX)
        };
        // Only a number is shared, nothing that it guards.
        let before = count.fetch_add(1, Ordering::Relaxed);
        let leave = Leave(count);
        (before < most).then_some(leave)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
