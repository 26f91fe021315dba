//! New processes, kept from tests that look for the last copy of a descriptor to be
//! closed: a child has a copy of each until it runs its program, close-on-exec or not.

use std::io;
use std::process::{Child, Command};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Taken to write from the fork to the program.
static FORKS: RwLock<()> = RwLock::new(());

/// Starts `command`, between tests that want no forks.
///
/// # Errors
///
/// Those of `spawn`.
pub fn start(command: &mut Command) -> io::Result<Child> {
    let _between = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    // Returns when the program runs.
    command.spawn()
}

/// Lets nobody [`start`] a process for as long as it lives.
pub fn none() -> RwLockReadGuard<'static, ()> {
    FORKS.read().unwrap_or_else(PoisonError::into_inner)
}
