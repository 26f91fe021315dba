//! The position of a file whose bytes the kernel moves by itself.

use super::File;
use super::cursor::Cursor;
use super::job::Access;
use crate::sync::MutexGuard;
use std::io;

/// The right to read where the file stands: nobody moves the position
/// meanwhile, and all changes that were asked for have happened.
pub(crate) struct HeldPosition<'a>(MutexGuard<'a, Cursor>);

impl File {
    /// Whether the object has a position of its own.
    pub(crate) fn has_position(&self) -> bool {
        self.shared.access != Access::Stream
    }

    /// Waits for its turn, and for changes that were cut short.
    #[track_caller]
    pub(crate) fn hold_position(&self) -> io::Result<HeldPosition<'_>> {
        let cursor = self.cursor.lock()?;
        if self.shared.is_changing() {
            self.shared.after_changes(|_| Ok(()))?;
        }
        Ok(HeldPosition(cursor))
    }

    /// The same if nothing is to be waited for.
    pub(crate) fn try_hold_position(&self) -> Option<HeldPosition<'_>> {
        let cursor = self.cursor.try_lock()?;
        (!self.shared.is_changing()).then_some(HeldPosition(cursor))
    }
}

impl HeldPosition<'_> {
    pub(crate) fn position(&self) -> u64 {
        self.0.position
    }

    /// Some bytes from the position on have been read.
    pub(crate) fn advance(&mut self, count: usize) {
        self.0.position += count as u64;
        self.0.forget();
    }
}
