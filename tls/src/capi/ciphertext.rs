//! The transport's side of a connection.

use std::ffi::c_int;

use super::answer::Fault;
use super::arguments::{buffer, copy_out, place};
use super::connection::{Inner, RawConnection, look, with, with_buffer, with_bytes};
use crate::engine::Engine;

pub(super) unsafe extern "C" fn feed(
    connection: *mut RawConnection,
    start: *const u8,
    len: usize,
    taken: *mut usize,
) -> c_int {
    let body = |engine: &mut Engine, data: &[u8]| Ok(engine.feed(data));
    // SAFETY: null or alive, and the caller's to read or write, as the header says.
    unsafe { with_bytes(connection, start, len, taken, body) }
}

pub(super) unsafe extern "C" fn in_space(
    connection: *mut RawConnection,
    start: *mut *mut u8,
    len: *mut usize,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: null or the caller's to write.
        let mut start = unsafe { place(start) }?;
        // SAFETY: as above.
        let mut len = unsafe { place(len) }?;
        let space = inner.engine.in_space();
        len.put(space.len());
        start.put(space.as_mut_ptr());
        Ok(())
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn commit_in(connection: *mut RawConnection, n: usize) -> c_int {
    let body = |inner: &mut Inner| {
        if n > inner.engine.in_space().len() {
            return Err(Fault::misuse("more than the space that was lent"));
        }
        inner.engine.commit_in(n);
        Ok(())
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn close_in(connection: *mut RawConnection) -> c_int {
    // SAFETY: null or alive, as the header says.
    unsafe {
        with(connection, |inner| {
            inner.engine.close_in();
            Ok(())
        })
    }
}

pub(super) unsafe extern "C" fn in_pending(connection: *const RawConnection) -> usize {
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, 0, |inner| inner.engine.in_pending()) }
}

pub(super) unsafe extern "C" fn drain(
    connection: *mut RawConnection,
    start: *mut u8,
    len: usize,
    taken: *mut usize,
) -> c_int {
    let body = |engine: &mut Engine, buf: &mut [u8]| Ok(engine.drain(buf));
    // SAFETY: null or alive, and the caller's to read or write, as the header says.
    unsafe { with_buffer(connection, start, len, taken, body) }
}

pub(super) unsafe extern "C" fn out_data(
    connection: *mut RawConnection,
    start: *mut *const u8,
    len: *mut usize,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: null or the caller's to write.
        let mut start = unsafe { place(start) }?;
        // SAFETY: as above.
        let mut len = unsafe { place(len) }?;
        let data = inner.engine.out_data();
        len.put(data.len());
        start.put(data.as_ptr());
        Ok(())
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn consume_out(connection: *mut RawConnection, n: usize) -> c_int {
    let body = |inner: &mut Inner| {
        if n > inner.engine.out_data().len() {
            return Err(Fault::misuse("more than the data that was lent"));
        }
        inner.engine.consume_out(n);
        Ok(())
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}

pub(super) unsafe extern "C" fn out_pending(connection: *const RawConnection) -> usize {
    // SAFETY: null or alive, as the header says.
    unsafe { look(connection, 0, |inner| inner.engine.out_pending()) }
}

pub(super) unsafe extern "C" fn take_unread(
    connection: *mut RawConnection,
    start: *mut u8,
    size: usize,
    len: *mut usize,
) -> c_int {
    let body = |inner: &mut Inner| {
        // SAFETY: null or the caller's to write.
        let mut len = unsafe { place(len) }?;
        // SAFETY: as above.
        let to = unsafe { buffer(start, size) }?;
        let waiting = inner.engine.in_pending();
        if waiting > to.len() {
            len.put(waiting);
            return Err(Fault::new(
                super::answer::TOO_SMALL,
                "the buffer is too small",
            ));
        }
        copy_out(&inner.engine.take_unread(), to, &mut len)
    };
    // SAFETY: null or alive, as the header says.
    unsafe { with(connection, body) }
}
