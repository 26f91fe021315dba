//! From a signal handler to a message.
//!
//! ```text
//!   handler: write(pipe, number)  -->  thread: read(pipe)  -->  subscribers
//! ```
//!
//! The handlers are installed with SA_ONSTACK, since they may interrupt a
//! tasklet whose stack is nearly full, and with SA_RESTART. The pipe's writing
//! end is non-blocking: when it is full, thousands of signals are waiting
//! already, and one more of the same kind tells nothing new. One of another kind
//! does, so those for which there is no room are noted, once each.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// The pipe's writing end; -1 before there is one.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// Signals for which the pipe had no room: bit 0 for number 1, and so on.
static WITHOUT_ROOM: AtomicU64 = AtomicU64::new(0);

/// No signal: somebody is to look for those without room.
const LOOK: u8 = 0;

/// Opens the pipe; the reading end blocks.
pub(crate) fn open_pipe() -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    set_nonblocking(&writer)?;
    // Kept open for ever: a handler may run at any moment.
    PIPE.store(writer.into_raw_fd(), Ordering::Release);
    Ok(reader)
}

/// The next signal's number.
pub(crate) fn next_signal(pipe: &mut PipeReader) -> io::Result<i32> {
    loop {
        let lowest = WITHOUT_ROOM.load(Ordering::Acquire).trailing_zeros();
        if lowest < u64::BITS {
            WITHOUT_ROOM.fetch_and(!(1 << lowest), Ordering::AcqRel);
            return Ok(lowest as i32 + 1);
        }
        let mut number = [LOOK];
        pipe.read_exact(&mut number)?;
        if number[0] != LOOK {
            return Ok(i32::from(number[0]));
        }
    }
}

/// Has a signal written to the pipe from now on.
pub(crate) fn catch(signal: i32) -> io::Result<()> {
    // SAFETY: an all-zero sigaction is a valid value of the C structure.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = on_signal as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: `action` is initialised and names a handler of the right type,
    // which calls nothing but `write`.
    if unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether `SIGPIPE` is ignored, as Rust's programs have it.
pub(crate) fn ignores_broken_pipes() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one.
    if unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call has written it, and zeros were valid before.
    unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

extern "C" fn on_signal(signal: libc::c_int) {
    // SAFETY: one of the thread's own words.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: valid for the thread's life.
    let saved = unsafe { *errno };
    if !write(signal as u8) {
        WITHOUT_ROOM.fetch_or(1 << (signal - 1), Ordering::AcqRel);
        // The reader may have emptied the pipe meanwhile, and wait.
        write(LOOK);
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

/// Whether there was room for it in the pipe.
fn write(byte: u8) -> bool {
    // SAFETY: write is async-signal-safe; the byte is initialised.
    unsafe { libc::write(PIPE.load(Ordering::Acquire), (&raw const byte).cast(), 1) == 1 }
}

fn set_nonblocking(pipe: &PipeWriter) -> io::Result<()> {
    let fd = pipe.as_raw_fd();
    // SAFETY: the descriptor is open.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than a pipe holds; the kernel gives it 64 KiB.
    const FLOOD: usize = (64 << 10) + 10;

    #[test]
    fn a_flood_of_one_signal_leaves_room_for_another() {
        let mut pipe = open_pipe().unwrap();
        for signal in [libc::SIGUSR1, libc::SIGUSR2] {
            catch(signal).unwrap();
        }
        for signal in std::iter::repeat_n(libc::SIGUSR1, FLOOD).chain([libc::SIGUSR2]) {
            // SAFETY: both have a handler, which returns.
            assert_eq!(unsafe { libc::raise(signal) }, 0);
        }
        // In the order of their numbers, and before what is in the pipe: it is late.
        assert_eq!(next_signal(&mut pipe).unwrap(), libc::SIGUSR1);
        assert_eq!(next_signal(&mut pipe).unwrap(), libc::SIGUSR2);
        for _ in 0..64 << 10 {
            assert_eq!(next_signal(&mut pipe).unwrap(), libc::SIGUSR1);
        }
        assert_eq!(WITHOUT_ROOM.load(Ordering::Acquire), 0);
    }
}
