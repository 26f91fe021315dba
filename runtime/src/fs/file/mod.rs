//! An open file.
//!
//! | file | has |
//! |---|---|
//! | `job` | what a file's jobs share |
//! | `cursor` | the position and what was read ahead: `Read`, `Write`, `Seek` |
//! | `locks` | locks of whole files |
//! | `holding` | the position while the kernel moves bytes by itself |

mod cursor;
mod holding;
mod job;
mod locks;

use super::{FileTimes, Metadata, OpenOptions, Permissions};
use crate::sync::Mutex;
use cursor::Cursor;
use job::{Access, PIECE_MAX, Shared, read_piece};
use rustix::io::pwrite;
use std::fs;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// An open file, as [`std::fs::File`].
///
/// `Read`, `Write` and `Seek` are implemented for `&File` as well; tasklets
/// that share a file by `Rc` take turns. The position is the object's own, so
/// that of the descriptor ([`AsFd`]) says nothing. A drop closes the file on
/// the spot, as std's does; it may hold the thread on a network file system.
///
/// Reads ask for 64 KiB at least and keep what is left for the next: bytes that
/// others write there meanwhile are seen after a seek. Pipes, FIFOs and
/// terminals work, unbuffered, at the cost of a thread that waits for them;
/// [`io::Fd`](crate::io::Fd) is for them. Opening a FIFO holds such a thread,
/// too, until the other end is opened.
///
/// # Scheduling
///
/// Every operation switches, but for reads of bytes that are there already and
/// `seek` unless from the end.
///
/// # Cancellation
///
/// A read loses nothing. A write or other change that was cut short may still
/// happen, before all later ones of this object; the position is that from
/// before it, so writing the same again does no harm, unless the file is open
/// for appending.
///
/// # Errors
///
/// Those of the system call, and of the wait.
///
/// # Examples
///
/// ```
/// use greenling::fs::File;
/// use std::io::Read;
/// # fn main() -> std::io::Result<()> {
/// let mut text = String::new();
/// File::open("/proc/self/comm")?.read_to_string(&mut text)?;
/// assert!(text.ends_with('\n'));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct File {
    shared: Arc<Shared>,
    cursor: Mutex<Cursor>,
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost; the file is closed again.
    ///
    /// # Errors
    ///
    /// Those of `open(2)` and of the wait.
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file for writing; it is made or emptied.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The file may still be made or emptied; it is closed again.
    ///
    /// # Errors
    ///
    /// Those of `open(2)` and of the wait.
    #[track_caller]
    pub fn create(path: impl AsRef<Path>) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file for reading and writing; an error if it is there.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The file may still be made; it is closed again.
    ///
    /// # Errors
    ///
    /// Those of `open(2)` and of the wait.
    #[track_caller]
    pub fn create_new(path: impl AsRef<Path>) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).open(path)
    }

    /// How to open a file, to be decided: [`OpenOptions::new`].
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// A file that is read and written where its descriptor stands, since
    /// other objects or processes go on from there.
    pub(crate) fn sharing_its_position(fd: OwnedFd) -> File {
        File {
            shared: Arc::new(Shared::new(fd.into(), false)),
            cursor: Mutex::new(Cursor::at(0)),
        }
    }

    /// Gives the file back to std, with its position.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The file is closed.
    ///
    /// # Errors
    ///
    /// Those of `lseek(2)` and of the wait.
    #[track_caller]
    pub fn into_std(self) -> io::Result<fs::File> {
        let position = self.cursor.into_inner().position;
        self.shared.after_changes(move |shared| {
            if shared.access == Access::Stream {
                return Ok(());
            }
            (&shared.file).seek(SeekFrom::Start(position)).map(drop)
        })?;
        // A read that was cut short may still have it.
        Arc::try_unwrap(self.shared)
            .map(|shared| shared.file)
            .or_else(|shared| shared.file.try_clone())
    }

    /// Reads from `offset` on, past what reads have kept; the position stays.
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
    /// Those of `pread(2)` and of the wait.
    #[track_caller]
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let want = buffer.len().min(PIECE_MAX);
        let bytes = self.shared.after_changes(move |shared| {
            let mut bytes = Vec::with_capacity(want);
            read_piece(shared, &mut bytes, offset)?;
            Ok(bytes)
        })?;
        let count = bytes.len().min(want);
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Fills the buffer from `offset` on; the position stays.
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
    /// `UnexpectedEof` when the file ends before; as
    /// [`read_at`](File::read_at).
    #[track_caller]
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = self.read_at(buffer, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// Writes at `offset`, at most 1 MiB; the position stays. A file that is
    /// open for appending is written at its end.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The bytes may still be written.
    ///
    /// # Errors
    ///
    /// Those of `pwrite(2)` and of the wait.
    #[track_caller]
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let bytes = bytes[..bytes.len().min(PIECE_MAX)].to_vec();
        self.cursor.lock()?.forget();
        self.shared
            .change(move |shared| Ok(pwrite(&shared.file, &bytes, offset)?))
    }

    /// Writes all bytes at `offset`; the position stays.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// The bytes may have been written in part, and more of them may be yet.
    ///
    /// # Errors
    ///
    /// As [`write_at`](File::write_at).
    #[track_caller]
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.write_at(bytes, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// Cuts the file off, or fills it with zeros, to this length.
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
    /// Those of `ftruncate(2)` and of the wait.
    #[track_caller]
    pub fn set_len(&self, length: u64) -> io::Result<()> {
        self.cursor.lock()?.forget();
        self.shared
            .change(move |shared| shared.file.set_len(length))
    }

    /// Waits until all of the file is on its disk.
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
    /// Those of `fsync(2)` and of the wait.
    #[track_caller]
    pub fn sync_all(&self) -> io::Result<()> {
        self.shared.after_changes(|shared| shared.file.sync_all())
    }

    /// As [`sync_all`](File::sync_all), but for what only describes the file.
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
    /// Those of `fdatasync(2)` and of the wait.
    #[track_caller]
    pub fn sync_data(&self) -> io::Result<()> {
        self.shared.after_changes(|shared| shared.file.sync_data())
    }

    /// What is known of the file.
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
    /// Those of `fstat(2)` and of the wait.
    #[track_caller]
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.shared.after_changes(|shared| shared.file.metadata())
    }

    /// Changes the times of last access and change.
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
    /// Those of `futimens(2)` and of the wait.
    #[track_caller]
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.shared
            .change(move |shared| shared.file.set_times(times))
    }

    /// Changes the time of the last change.
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
    /// Those of `futimens(2)` and of the wait.
    #[track_caller]
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    /// Changes the permissions.
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
    /// Those of `fchmod(2)` and of the wait.
    #[track_caller]
    pub fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        self.shared
            .change(move |shared| shared.file.set_permissions(permissions))
    }
}

impl From<fs::File> for File {
    /// Takes the file over at its position.
    fn from(file: fs::File) -> File {
        let position = (&file).stream_position().ok();
        File {
            shared: Arc::new(Shared::new(file, position.is_some())),
            cursor: Mutex::new(Cursor::at(position.unwrap_or(0))),
        }
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> File {
        fs::File::from(fd).into()
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.file.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.shared.file.as_raw_fd()
    }
}
