//! Two transports that make one: bytes come in by the first and go out by the
//! second.

use std::io;
use std::net::Shutdown;
use std::time::Instant;

use super::{Interest, Ready, Transport};

/// Receives by `R` and sends by `W`: the two pipes of a child process, a pair of
/// FIFOs, standard input and output.
///
/// The manual of pyOpenSSL calls this "different transports for reading and
/// writing"; what it says of a single `fileno` is then so for each direction.
///
/// Both should wait in the same way: two objects of Greenling, two sockets of
/// std, two [`Blocking`](super::Blocking) objects. A tasklet that waits to receive
/// while something is left to send waits for both at once; over objects of
/// Greenling a second tasklet helps it with that.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use greenling_tls::transport::{Blocking, Split};
/// use greenling_tls::{ContextBuilder, TlsStream, Identity};
/// use std::io::{Read, Write, pipe};
///
/// let identity = Identity::self_signed(&["localhost"])?;
/// let trusted = identity.chain_pem()?;
/// let server = ContextBuilder::server().identity(identity).build()?;
/// let client = ContextBuilder::client().trust_pem(trusted).build()?;
///
/// let (questions, ask) = pipe()?;
/// let (answers, answer) = pipe()?;
/// let thread = std::thread::spawn(move || {
///     let pipes = Split::new(Blocking::reader(questions), Blocking::writer(answer));
///     let mut stream = TlsStream::accept(&server, pipes).unwrap();
///     let mut word = [0; 4];
///     stream.read_exact(&mut word).unwrap();
///     stream.write_all(&word).unwrap();
/// });
/// let pipes = Split::new(Blocking::reader(answers), Blocking::writer(ask));
/// let mut stream = TlsStream::connect(&client, "localhost", pipes)?;
/// stream.write_all(b"echo")?;
/// let mut word = [0; 4];
/// stream.read_exact(&mut word)?;
/// assert_eq!(&word, b"echo");
/// # thread.join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Split<R, W> {
    receiver: R,
    sender: W,
}

impl<R, W> Split<R, W> {
    /// Joins the two.
    pub fn new(receiver: R, sender: W) -> Split<R, W> {
        Split { receiver, sender }
    }

    /// What bytes come in by.
    pub fn receiver(&self) -> &R {
        &self.receiver
    }

    /// What bytes go out by.
    pub fn sender(&self) -> &W {
        &self.sender
    }

    /// Both, receiver first.
    pub fn into_parts(self) -> (R, W) {
        (self.receiver, self.sender)
    }
}

impl<R: Transport, W: Transport> Transport for Split<R, W> {
    const MAY_SUSPEND: bool = R::MAY_SUSPEND || W::MAY_SUSPEND;
    const MAY_MIGRATE: bool = R::MAY_MIGRATE || W::MAY_MIGRATE;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.receiver.try_recv(buf)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        self.sender.try_send(data)
    }

    fn try_flush(&self) -> io::Result<()> {
        self.sender.try_flush()
    }

    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        match (interest.is_read(), interest.is_write()) {
            (true, true) => either::wait(&self.receiver, &self.sender, deadline),
            (_, true) => self.sender.wait(Interest::WRITE, deadline),
            _ => self.receiver.wait(Interest::READ, deadline),
        }
    }

    /// Each of the two ends the direction it is there for; `Both` ends both of
    /// them altogether.
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match how {
            Shutdown::Read => self.receiver.shutdown(Shutdown::Read),
            Shutdown::Write => self.sender.shutdown(Shutdown::Write),
            Shutdown::Both => {
                let sender = self.sender.shutdown(Shutdown::Both);
                self.receiver.shutdown(Shutdown::Both).and(sender)
            }
        }
    }

    fn wake(&self) {
        self.receiver.wake();
        self.sender.wake();
    }

    fn give_way(&self) {
        self.receiver.give_way();
    }
}

/// Waiting for either of two transports.
mod either {
    use std::io;
    use std::time::{Duration, Instant};

    use super::super::{Interest, Ready, Transport, ready, std_net};

    /// How long one of two that cannot be waited for together is waited for before
    /// the other is tried.
    const SLICE: Duration = Duration::from_millis(10);

    pub(super) fn wait<R: Transport, W: Transport>(
        receiver: &R,
        sender: &W,
        deadline: Option<Instant>,
    ) -> io::Result<Ready> {
        if R::MAY_SUSPEND || W::MAY_SUSPEND {
            // Calls that wait by themselves; these wait only while one is busy.
            let writable = sender.wait(Interest::WRITE, deadline)?.writable;
            let readable = receiver.wait(Interest::READ, deadline)?.readable;
            return Ok(ready(readable, writable));
        }
        // What is there already may be nothing that a wait for the descriptor finds.
        if let Ok(found) = receiver.wait(Interest::READ, Some(Instant::now()))
            && found.readable
        {
            return Ok(found);
        }
        if let (Some(receiver), Some(sender)) = (receiver.as_polled(), sender.as_polled()) {
            return std_net::wait_either(receiver, sender, deadline);
        }
        if R::MAY_MIGRATE || W::MAY_MIGRATE {
            return in_turns(receiver, deadline);
        }
        side_by_side(receiver, sender, deadline)
    }

    /// A second tasklet waits for room and wakes the one that waits for data.
    #[cfg(feature = "greenling")]
    fn side_by_side<R: Transport, W: Transport>(
        receiver: &R,
        sender: &W,
        deadline: Option<Instant>,
    ) -> io::Result<Ready> {
        let room = std::cell::Cell::new(false);
        let room = &room;
        let found = greenling::scope(|scope| {
            let helper = scope.spawn(move || {
                // An error is for the next call to report.
                let _ = sender.wait(Interest::WRITE, deadline);
                room.set(true);
                receiver.wake();
            });
            // A sender that has room already needs no wait.
            greenling::schedule();
            let found = if room.get() {
                Ok(Ready::default())
            } else {
                receiver.wait(Interest::READ, deadline)
            };
            if let Some(helper) = helper.tasklet() {
                let _ = helper.kill();
            }
            found
        });
        let mut found = found?;
        found.writable = room.get();
        Ok(found)
    }

    #[cfg(not(feature = "greenling"))]
    fn side_by_side<R: Transport, W: Transport>(
        receiver: &R,
        _sender: &W,
        deadline: Option<Instant>,
    ) -> io::Result<Ready> {
        in_turns(receiver, deadline)
    }

    /// Waits for data, and looks now and then whether there is room, where nothing
    /// can wait for both.
    fn in_turns<R: Transport>(receiver: &R, deadline: Option<Instant>) -> io::Result<Ready> {
        let soon = Instant::now() + SLICE;
        if deadline.is_some_and(|deadline| deadline <= soon) {
            return receiver.wait(Interest::READ, deadline);
        }
        match receiver.wait(Interest::READ, Some(soon)) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(ready(false, true)),
            found => found,
        }
    }
}
