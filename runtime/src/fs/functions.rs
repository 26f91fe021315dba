//! What is done by path, each with the name that it has in [`std::fs`].

use super::{Metadata, Permissions, run};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes `bytes` as the whole of the file `path`, which is made if need be.
/// The bytes are copied for the job; a `File` writes piece by piece.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// The file may still be written.
///
/// # Errors
///
/// Those of `open(2)` and `write(2)` and of the wait.
#[track_caller]
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, bytes) = (path.as_ref().to_owned(), bytes.as_ref().to_owned());
    run(move || fs::write(path, bytes))
}

/// The bytes of the file `path`.
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
/// Those of `open(2)` and `read(2)` and of the wait.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    run(move || fs::read(path))
}

/// The text of the file `path`.
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
/// Those of `open(2)` and `read(2)`; `InvalidData` for what is not UTF-8 and of the wait.
#[track_caller]
pub fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    run(move || fs::read_to_string(path))
}

/// Copies a file with its permissions, and returns its length.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// The copy may still be made.
///
/// # Errors
///
/// Those of the system calls and of the wait.
#[track_caller]
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    run(move || fs::copy(from, to))
}

/// Renames a file or directory; what is at `to` is replaced.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be renamed.
///
/// # Errors
///
/// Those of `rename(2)` and of the wait.
#[track_caller]
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    run(move || fs::rename(from, to))
}

/// Makes `link` another name of the file `original`.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// The link may still be made.
///
/// # Errors
///
/// Those of `link(2)` and of the wait.
#[track_caller]
pub fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    run(move || fs::hard_link(original, link))
}

/// Makes `link` a symbolic link to `original`.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// The link may still be made.
///
/// # Errors
///
/// Those of `symlink(2)` and of the wait.
#[track_caller]
pub fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    run(move || std::os::unix::fs::symlink(original, link))
}

/// Where a symbolic link leads to.
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
/// Those of `readlink(2)` and of the wait.
#[track_caller]
pub fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    run(move || fs::read_link(path))
}

/// The path without links, `.` and `..`.
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
/// Those of `realpath(3)` and of the wait.
#[track_caller]
pub fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    run(move || fs::canonicalize(path))
}

/// What is known of a file; links are followed.
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
/// Those of `stat(2)` and of the wait.
#[track_caller]
pub fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    run(move || fs::metadata(path))
}

/// What is known of a file; links are not followed.
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
pub fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    run(move || fs::symlink_metadata(path))
}

/// Whether there is anything at `path`; links are followed.
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
/// Those of `stat(2)`, other than that nothing is there, and of the wait.
#[track_caller]
pub fn exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    run(move || fs::exists(path))
}

/// Changes the permissions of a file.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// They may still be changed.
///
/// # Errors
///
/// Those of `chmod(2)` and of the wait.
#[track_caller]
pub fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::set_permissions(path, permissions))
}

/// Changes whose a file is, by the numbers of a user and a group; `None` leaves
/// that as it is.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be changed.
///
/// # Errors
///
/// Those of `chown(2)` and of the wait.
#[track_caller]
pub fn chown(path: impl AsRef<Path>, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || std::os::unix::fs::chown(path, user, group))
}

/// As [`chown`], of a symbolic link itself.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be changed.
///
/// # Errors
///
/// Those of `lchown(2)` and of the wait.
#[track_caller]
pub fn lchown(path: impl AsRef<Path>, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || std::os::unix::fs::lchown(path, user, group))
}

/// Makes a directory.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be made.
///
/// # Errors
///
/// Those of `mkdir(2)` and of the wait.
#[track_caller]
pub fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::create_dir(path))
}

/// Makes a directory and those that lead to it.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// They may still be made.
///
/// # Errors
///
/// Those of `mkdir(2)` and of the wait.
#[track_caller]
pub fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::create_dir_all(path))
}

/// Removes a file.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be removed.
///
/// # Errors
///
/// Those of `unlink(2)` and of the wait.
#[track_caller]
pub fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::remove_file(path))
}

/// Removes an empty directory.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be removed.
///
/// # Errors
///
/// Those of `rmdir(2)` and of the wait.
#[track_caller]
pub fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::remove_dir(path))
}

/// Removes a directory with all that is in it.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// It may still be removed.
///
/// # Errors
///
/// Those of the system calls and of the wait.
#[track_caller]
pub fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    run(move || fs::remove_dir_all(path))
}
