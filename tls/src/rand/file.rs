//! Seed files, which carry randomness from one run of a program to the next.
//!
//! OpenSSL's functions take paths as C strings and tell errors by number only; these
//! read and write the same files.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::{add, fill_private};
use crate::config_error::ConfigError;
use crate::error::Error;

/// Bytes in a seed file, as OpenSSL has it.
const FILE_LENGTH: usize = 1024;

/// What is read of a device, which has no end, unless the caller says how much.
const DEVICE_LENGTH: u64 = 256;

/// Mixes the content of a file into the generator, at most `max` bytes of it, and
/// returns how many they were.
///
/// Without `max` it reads files to their end, and 256 bytes of a device.
///
/// # Scheduling
///
/// Never switches: it reads with blocking system calls. A FIFO blocks the whole OS
/// thread until it has a writer.
///
/// # Errors
///
/// [`Error::Config`] of kind [`Unreadable`](crate::ConfigErrorKind::Unreadable), naming the
/// file. What was read before is mixed in already.
#[doc(alias = "RAND_load_file")]
pub fn load_file(path: impl AsRef<Path>, max: Option<usize>) -> Result<usize, Error> {
    let path = path.as_ref();
    let failed = |error| ConfigError::unreadable(path, error);
    let file = File::open(path).map_err(failed)?;
    let is_file = file.metadata().map_err(failed)?.is_file();
    let most = match max {
        Some(max) => u64::try_from(max).unwrap_or(u64::MAX),
        None if is_file => u64::MAX,
        None => DEVICE_LENGTH,
    };
    let mut file = file.take(most);
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut total = 0;
    loop {
        match file.read(&mut buffer[..]) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                add(&buffer[..count], count as f64);
                total += count;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error).into()),
        }
    }
}

/// Writes 1024 random bytes to a file for [`load_file`], and returns their number.
///
/// The file is made, or overwritten, with access for its owner only.
///
/// # Scheduling
///
/// Never switches: it writes with blocking system calls.
///
/// # Errors
///
/// [`Error::Config`] of kind [`Unwritable`](crate::ConfigErrorKind::Unwritable), naming the
/// file, also when it is a device or a FIFO. [`Error::Ssl`] as [`fill`](super::fill).
#[doc(alias = "RAND_write_file")]
pub fn write_file(path: impl AsRef<Path>) -> Result<usize, Error> {
    let path = path.as_ref();
    let mut bytes = Zeroizing::new([0; FILE_LENGTH]);
    fill_private(&mut bytes[..])?;
    write(path, &bytes[..]).map_err(|error| ConfigError::unwritable(path, error))?;
    Ok(FILE_LENGTH)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        // Opening a FIFO that nobody reads would wait for ever.
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    // One that was there may be open to others, and longer.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.set_len(0)?;
    file.write_all(bytes)
}
