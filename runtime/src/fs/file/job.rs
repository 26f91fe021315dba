//! What the jobs of one file share, and in which order they run.

use super::super::changes::Changes;
use super::super::run;
use rustix::buffer::spare_capacity;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Read or written at most by one job.
pub(super) const PIECE_MAX: usize = 1 << 20;

/// How a file is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Positioned,
    /// Read at positions, written at the end.
    Appending,
    /// Read and written where it stands: there are no positions, or the one
    /// that there is is not ours alone.
    Stream,
}

/// The file, and the order of its jobs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) file: fs::File,
    pub(super) access: Access,
    changes: Arc<Changes>,
    /// Reads of a stream, which change what is left, but don't hold up writes.
    takings: Arc<Changes>,
    /// Bytes of a stream that nobody has been given. Whoever reads next takes
    /// them, so none is lost with the tasklet that had asked for them.
    unclaimed: Mutex<VecDeque<u8>>,
}

impl Shared {
    pub(super) fn new(file: fs::File, has_positions: bool) -> Shared {
        let flags = rustix::fs::fcntl_getfl(&file);
        let appends = flags.is_ok_and(|flags| flags.contains(OFlags::APPEND));
        Shared {
            file,
            access: match (has_positions, appends) {
                (false, _) => Access::Stream,
                (true, true) => Access::Appending,
                (true, false) => Access::Positioned,
            },
            changes: Arc::default(),
            takings: Arc::default(),
            unclaimed: Mutex::default(),
        }
    }

    /// Whether a change that was asked for has not happened yet.
    pub(super) fn is_changing(&self) -> bool {
        self.changes.are_pending()
    }

    /// Runs a job that changes nothing, after the changes so far.
    #[track_caller]
    pub(super) fn after_changes<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Shared) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (shared, issued) = (self.clone(), self.changes.issued());
        run(move || {
            shared.changes.wait_for(issued);
            job(&shared)
        })
    }

    /// Runs a job that changes the file, after the changes so far.
    #[track_caller]
    pub(super) fn change<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Shared) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.in_turn(&self.changes, job)
    }

    #[track_caller]
    fn in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        line: &Arc<Changes>,
        job: impl FnOnce(&Shared) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (shared, turn) = (self.clone(), line.issue());
        run(move || {
            turn.wait_for_turn();
            job(&shared)
        })
    }

    fn unclaimed(&self) -> MutexGuard<'_, VecDeque<u8>> {
        let bytes = self.unclaimed.lock();
        bytes.unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a stream.
    #[track_caller]
    pub(super) fn read_stream(self: &Arc<Self>, buffer: &mut [u8]) -> io::Result<usize> {
        // No more than that: the rest may be somebody else's.
        let want = buffer.len().min(PIECE_MAX);
        loop {
            let count = self.unclaimed().read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let at_end = self.in_turn(&self.takings, move |shared| {
                // What an earlier job has read comes first.
                if !shared.unclaimed().is_empty() {
                    return Ok(false);
                }
                let mut bytes = Vec::with_capacity(want);
                let count = rustix::io::read(&shared.file, spare_capacity(&mut bytes))?;
                shared.unclaimed().extend(bytes);
                Ok(count == 0)
            })?;
            if at_end {
                return Ok(0);
            }
        }
    }
}

/// Reads what fits into `bytes`, after what is in there.
pub(super) fn read_piece(shared: &Shared, bytes: &mut Vec<u8>, offset: u64) -> io::Result<()> {
    loop {
        match rustix::io::pread(&shared.file, spare_capacity(bytes), offset) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
