//! What the server needs of a connection besides reading and writing, and the stream that handlers
//! see.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use greenling::net::TcpStream;
use greenling::time;
use greenling_tls::{Engine, TlsStream};

/// A connected socket, with or without TLS, that several places of one thread hold.
pub(crate) trait Link: fmt::Debug {
    /// The socket below.
    fn socket(&self) -> &TcpStream;

    /// Limits how long any one read may wait.
    fn limit_reads(&self, limit: Duration) -> io::Result<()>;

    /// Limits how long any one write may wait.
    fn limit_writes(&self, limit: Duration) -> io::Result<()>;

    /// Whether bytes are left that only another operation sends.
    fn has_unsent(&self) -> bool;

    /// Gives memory back that is only needed while data is under way.
    fn give_buffers_back(&self);

    /// Tells the peer that nothing follows; what was written is still delivered.
    fn finish_writing(&self) -> io::Result<()>;
}

/// A socket takes no limit of zero.
const LEAST: Duration = Duration::from_millis(1);

impl Link for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }

    fn limit_reads(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit.max(LEAST)))
    }

    fn limit_writes(&self, limit: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(limit.max(LEAST)))
    }

    fn has_unsent(&self) -> bool {
        false
    }

    fn give_buffers_back(&self) {}

    fn finish_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Link for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref()
    }

    fn limit_reads(&self, limit: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(limit));
        Ok(())
    }

    fn limit_writes(&self, limit: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(limit));
        Ok(())
    }

    fn has_unsent(&self) -> bool {
        self.with_engine(|engine| engine.out_pending() > 0)
            .unwrap_or(false)
    }

    fn give_buffers_back(&self) {
        // Fails only when it is used from inside one of its own calls.
        let _ = self.with_engine(Engine::park);
    }

    /// Sends `close_notify` first: without it the peer could not tell the end from an attack.
    fn finish_writing(&self) -> io::Result<()> {
        self.shutdown_write()?;
        self.get_ref().shutdown(Shutdown::Write)
    }
}

/// How much a connection may write before others get a turn. A fast reader would otherwise keep its
/// writer from ever parking.
const TURN: usize = 1024 * 1024;

/// The stream that handlers see: its conversation's own, with manners towards the others.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    link: Rc<T>,
    written: usize,
}

impl<T> Shared<T> {
    pub(crate) fn new(link: Rc<T>) -> Self {
        Self { link, written: 0 }
    }
}

impl<T> Read for Shared<T>
where
    for<'t> &'t T: Read,
{
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.written = 0;
        (&*self.link).read(target)
    }
}

impl<T> Write for Shared<T>
where
    for<'t> &'t T: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= TURN {
            self.written = 0;
            greenling::schedule();
        }
        let count = (&*self.link).write(bytes)?;
        self.written += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.link).flush()
    }
}

/// Runs `action`, in which every wait fails with `TimedOut` once `limit` has passed. What `action`
/// makes of that is its answer; what it got in spite of the limit is not thrown away.
pub(crate) fn limited<R>(limit: Duration, action: impl FnOnce() -> R) -> R {
    time::timeout(limit, action).unwrap_or_else(time::Elapsed::into_inner)
}

/// How much, and for how long, to read from a peer that is still sending when nobody listens.
const LINGER_BYTES: usize = 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Closes in a way that lets the peer read the last response. Bytes that arrive at a closed socket
/// make it send a reset, which would overtake the response and discard it.
///
/// Not inlined: its buffer would lie on the stack of every connection.
#[inline(never)]
pub(crate) fn linger(link: &impl Link) -> io::Result<()> {
    let mut scrap = [0; 4096];
    limited(LINGER_TIME, || {
        link.finish_writing()?;
        let mut left = LINGER_BYTES;
        while left > 0 {
            let mut socket = link.socket();
            match socket.read(&mut scrap)? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok(())
    })
}
