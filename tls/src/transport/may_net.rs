//! Sockets of the `may` crate: only the coroutine waits.
//!
//! `may` runs OpenSSL on the coroutine's own stack, which must have 32 KiB to
//! spare for it: set `may::config().set_stack_size(0x4000)` (in words) or more.
//!
//! Its wait for events knows no deadline. So one thread, started when it is first
//! needed, wakes the waits whose time is up.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use may::coroutine::is_coroutine;
use may::io::{WaitIo, WaitIoWaker};
use may::net::TcpStream;
use may::os::unix::net::UnixStream;

use super::{Interest, Ready, Transport, ready, std_net};

macro_rules! socket_transport {
    ($socket:ty) => {
        impl Transport for $socket {
            const MAY_SUSPEND: bool = false;
            const MAY_MIGRATE: bool = true;

            fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                std_net::recv(self.inner(), buf)
            }

            fn try_send(&self, data: &[u8]) -> io::Result<usize> {
                std_net::send(self.inner(), data)
            }

            fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
                if !is_coroutine() {
                    return std_net::wait(self.inner(), interest, deadline);
                }
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let _alarm = deadline.map(|deadline| Alarm::set(deadline, self.waker()));
                self.wait_io();
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                // Whatever it was that happened, the calls find out.
                Ok(ready(interest.is_read(), interest.is_write()))
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                <$socket>::shutdown(self, how)
            }

            fn give_way(&self) {
                if is_coroutine() {
                    may::coroutine::yield_now();
                }
            }
        }
    };
}

socket_transport!(TcpStream);
socket_transport!(UnixStream);

/// The waits that have a deadline.
#[derive(Default)]
struct Alarms {
    pending: BTreeMap<Key, WaitIoWaker>,
    made: u64,
}

/// Deadlines may coincide, so they are numbered; the earliest comes last.
type Key = Reverse<(Instant, u64)>;

static ALARMS: LazyLock<Mutex<Alarms>> = LazyLock::new(|| {
    let started = thread::Builder::new()
        .name("tls deadlines".to_owned())
        .spawn(ring);
    if let Err(error) = started {
        log::error!("greenling-tls: deadlines of may sockets do not work: {error}");
    }
    Mutex::default()
});

/// An earlier deadline than all others was set.
static SOONER: Condvar = Condvar::new();

fn alarms() -> MutexGuard<'static, Alarms> {
    // Nothing in here can be left half done.
    ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One wait's deadline; taken off the list when the wait ends.
struct Alarm(Key);

impl Alarm {
    fn set(deadline: Instant, waker: WaitIoWaker) -> Alarm {
        let mut alarms = alarms();
        let key = Reverse((deadline, alarms.made));
        alarms.made += 1;
        alarms.pending.insert(key, waker);
        if alarms
            .pending
            .last_key_value()
            .is_some_and(|(first, _)| *first == key)
        {
            SOONER.notify_one();
        }
        Alarm(key)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        alarms().pending.remove(&self.0);
    }
}

/// Wakes each wait at its deadline, for ever.
fn ring() {
    let mut alarms = alarms();
    loop {
        let now = Instant::now();
        let first = alarms.pending.last_entry();
        let pause = first
            .as_ref()
            .map(|entry| entry.key().0.0.saturating_duration_since(now));
        alarms = match (first, pause) {
            (Some(first), Some(pause)) if pause.is_zero() => {
                let waker = first.remove();
                // The wait that wakes takes the lock in turn.
                drop(alarms);
                waker.wakeup();
                self::alarms()
            }
            (_, Some(pause)) => {
                SOONER
                    .wait_timeout(alarms, pause)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            (_, None) => SOONER.wait(alarms).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
