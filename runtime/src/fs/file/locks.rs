//! Locks of whole files (`flock(2)`), as those of [`std::fs::File`].
//!
//! The kernel's wait for a lock would hold a thread of the pool for as long as
//! another process likes, and one that was cut short could get a lock that nobody
//! knows of. So a lock is tried for again and again, with pauses of 1 to 64 ms.

use super::File;
use crate::time::sleep;
use std::fs::{self, TryLockError};
use std::io;
use std::time::Duration;

/// First and longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(64));

impl File {
    /// Locks the file, alone. The lock belongs to the open file: it ends with
    /// [`unlock`](File::unlock) or when that is closed, and who opens the file
    /// once more waits for it, in this process as in others.
    ///
    /// # Scheduling
    ///
    /// Always switches: it is tried again after 1 to 64 ms while another has
    /// the lock. Nobody's turn is kept.
    ///
    /// # Cancellation
    ///
    /// It may be locked all the same.
    ///
    /// # Errors
    ///
    /// Those of `flock(2)` and of the wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::fs::File;
    /// # fn main() -> std::io::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("greenling-lock-{}", std::process::id()));
    /// # let path = folder.as_path();
    /// let (one, other) = (File::create(path)?, File::open(path)?);
    /// one.lock()?;
    /// assert!(other.try_lock().is_err());
    /// one.unlock()?;
    /// other.try_lock()?;
    /// # std::fs::remove_file(path)
    /// # }
    /// ```
    #[track_caller]
    pub fn lock(&self) -> io::Result<()> {
        self.lock_by(fs::File::try_lock)
    }

    /// Locks the file, together with others who do so.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](File::lock).
    ///
    /// # Cancellation
    ///
    /// It may be locked all the same.
    ///
    /// # Errors
    ///
    /// As [`lock`](File::lock).
    #[track_caller]
    pub fn lock_shared(&self) -> io::Result<()> {
        self.lock_by(fs::File::try_lock_shared)
    }

    /// Locks the file, alone, unless another has the lock.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// It may be locked all the same.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] when another has it; else as
    /// [`lock`](File::lock).
    #[track_caller]
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.try_lock_by(fs::File::try_lock)
    }

    /// Locks the file, together with others who do so, unless another has it
    /// alone.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// It may be locked all the same.
    ///
    /// # Errors
    ///
    /// As [`try_lock`](File::try_lock).
    #[track_caller]
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.try_lock_by(fs::File::try_lock_shared)
    }

    /// Gives the lock up, after all changes that were asked for.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// It may still happen.
    ///
    /// # Errors
    ///
    /// Those of `flock(2)` and of the wait.
    #[track_caller]
    pub fn unlock(&self) -> io::Result<()> {
        self.shared.change(|shared| shared.file.unlock())
    }

    #[track_caller]
    fn lock_by(&self, attempt: fn(&fs::File) -> Result<(), TryLockError>) -> io::Result<()> {
        let mut pause = PAUSE.0;
        loop {
            match self.try_lock_by(attempt) {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => sleep(pause),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    #[track_caller]
    fn try_lock_by(
        &self,
        attempt: fn(&fs::File) -> Result<(), TryLockError>,
    ) -> Result<(), TryLockError> {
        // In turn with the changes, since an `unlock` that was cut short is one.
        let tried = self.shared.change(move |shared| Ok(attempt(&shared.file)));
        tried.unwrap_or_else(|error| Err(TryLockError::Error(error)))
    }
}
