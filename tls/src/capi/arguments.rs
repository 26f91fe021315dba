//! Arguments as C passes them.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::answer::{self, Fault, Result};

/// A string that may be null.
///
/// # Safety
///
/// Null, or NUL-terminated and unchanged for `'a`.
pub(super) unsafe fn optional<'a>(text: *const c_char) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    let text = text.to_str();
    text.map(Some)
        .map_err(|_| Fault::misuse("text that is not UTF-8"))
}

/// A string.
///
/// # Safety
///
/// As for [`optional`].
pub(super) unsafe fn string<'a>(text: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { optional(text) }?.ok_or_else(Fault::null)
}

/// A path, in whatever encoding.
///
/// # Safety
///
/// As for [`optional`].
pub(super) unsafe fn path<'a>(path: *const c_char) -> Result<&'a Path> {
    if path.is_null() {
        return Err(Fault::null());
    }
    // SAFETY: the caller's promise.
    let path = unsafe { CStr::from_ptr(path) };
    Ok(Path::new(OsStr::from_bytes(path.to_bytes())))
}

/// Bytes to read. Null is fine for none.
///
/// # Safety
///
/// Null, or readable for `len` bytes that do not change for `'a`.
pub(super) unsafe fn bytes<'a>(start: *const u8, len: usize) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if start.is_null() {
        return Err(Fault::null());
    }
    check_len(len)?;
    #[allow(clippy::disallowed_methods, reason = "the pointer is not null")]
    // SAFETY: the caller's promise; the length was looked at.
    Ok(unsafe { std::slice::from_raw_parts(start, len) })
}

/// A buffer to write to. Null is fine for an empty one.
///
/// # Safety
///
/// Null, or ours to write for `len` bytes and `'a`.
pub(super) unsafe fn buffer<'a>(start: *mut u8, len: usize) -> Result<&'a mut [u8]> {
    if len == 0 {
        return Ok(&mut []);
    }
    if start.is_null() {
        return Err(Fault::null());
    }
    check_len(len)?;
    // SAFETY: the caller's promise; the length was looked at. The bytes may not have
    // been written yet, and are only written here.
    Ok(unsafe { std::slice::from_raw_parts_mut(start, len) })
}

fn check_len(len: usize) -> Result<()> {
    if len > isize::MAX.unsigned_abs() {
        return Err(Fault::misuse("a length that no buffer has"));
    }
    Ok(())
}

/// Where to put an answer.
///
/// # Safety
///
/// Null, or ours to write for `'a`.
pub(super) unsafe fn place<'a, T>(place: *mut T) -> Result<Place<'a, T>> {
    match std::ptr::NonNull::new(place) {
        Some(place) => Ok(Place {
            place,
            lifetime: std::marker::PhantomData,
        }),
        None => Err(Fault::null()),
    }
}

/// A place that may not have been written yet.
pub(super) struct Place<'a, T> {
    place: std::ptr::NonNull<T>,
    lifetime: std::marker::PhantomData<&'a mut T>,
}

impl<T> Place<'_, T> {
    pub(super) fn put(&mut self, value: T) {
        // SAFETY: ours to write, by the promise made to `place`.
        unsafe { self.place.write(value) };
    }
}

/// Copies `data` to a buffer of the caller's and says how long it is.
pub(super) fn copy_out(data: &[u8], to: &mut [u8], len: &mut Place<'_, usize>) -> Result<()> {
    len.put(data.len());
    match to.get_mut(..data.len()) {
        Some(to) => {
            to.copy_from_slice(data);
            Ok(())
        }
        None => Err(Fault::new(answer::TOO_SMALL, "the buffer is too small")),
    }
}
