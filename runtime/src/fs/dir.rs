//! The entries of a directory.

use super::{FileType, Metadata, run};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries read by one job.
const BATCH: usize = 128;

/// The entries of a directory, as [`std::fs::ReadDir`]; made by [`read_dir`].
///
/// # Scheduling
///
/// One of 128 calls of `next` switches.
///
/// # Cancellation
///
/// Nothing is lost. A wait that is cut short is an error and then `None`, so
/// that loops end; calls after that go on with the next entry.
pub struct ReadDir {
    shared: Arc<Mutex<Entries>>,
    /// The last call was cut short.
    cut_short: bool,
}

struct Entries {
    unread: fs::ReadDir,
    read: VecDeque<io::Result<fs::DirEntry>>,
    at_end: bool,
}

impl Entries {
    fn read_batch(&mut self) {
        while self.read.len() < BATCH && !self.at_end {
            match self.unread.next() {
                Some(entry) => self.read.push_back(entry),
                None => self.at_end = true,
            }
        }
    }
}

/// The entries of the directory `path`.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost.
///
/// # Errors
///
/// Those of `opendir(3)` and of the wait.
#[track_caller]
pub fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let entries = run(move || {
        let mut entries = Entries {
            unread: fs::read_dir(path)?,
            read: VecDeque::new(),
            at_end: false,
        };
        entries.read_batch();
        Ok(entries)
    })?;
    Ok(ReadDir {
        shared: Arc::new(Mutex::new(entries)),
        cut_short: false,
    })
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    #[track_caller]
    fn next(&mut self) -> Option<io::Result<DirEntry>> {
        if std::mem::take(&mut self.cut_short) {
            return None;
        }
        loop {
            // A job that was left behind may hold the lock: then it reads what
            // is wanted here, and another job waits for it.
            if let Ok(mut entries) = self.shared.try_lock() {
                if let Some(entry) = entries.read.pop_front() {
                    return Some(entry.map(DirEntry::new));
                }
                if entries.at_end {
                    return None;
                }
            }
            let shared = self.shared.clone();
            let read = run(move || {
                let mut entries = shared.lock().unwrap_or_else(PoisonError::into_inner);
                entries.read_batch();
                Ok(())
            });
            if let Err(error) = read {
                self.cut_short = true;
                return Some(Err(error));
            }
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

/// An entry of a directory, as [`std::fs::DirEntry`].
#[derive(Clone, Debug)]
pub struct DirEntry(Arc<fs::DirEntry>);

impl DirEntry {
    fn new(entry: fs::DirEntry) -> DirEntry {
        DirEntry(Arc::new(entry))
    }

    /// The directory's path joined with the entry's name.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn path(&self) -> PathBuf {
        self.0.path()
    }

    /// The entry's name.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn file_name(&self) -> OsString {
        self.0.file_name()
    }

    /// The number of its inode.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn ino(&self) -> u64 {
        self.0.ino()
    }

    /// What is known of the entry; links are not followed.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// Those of `lstat(2)` and of the wait.
    #[track_caller]
    pub fn metadata(&self) -> io::Result<Metadata> {
        let entry = self.0.clone();
        run(move || entry.metadata())
    }

    /// The kind of the entry; links are not followed.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// Those of `lstat(2)` and of the wait.
    #[track_caller]
    pub fn file_type(&self) -> io::Result<FileType> {
        let entry = self.0.clone();
        run(move || entry.file_type())
    }
}
