//! Clients on plain threads, and servers that run beside the test.

use greenling::TaskletResult;
use greenling::net::TcpStream;
use greenling::server::{Connection, Server, ServerHandle, ServerReport};
use std::io::{self, Read, Write};
use std::net::{self, SocketAddr};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than any test lasts.
pub(crate) const EVER: Duration = Duration::from_secs(1000);

/// A generous limit: it only ends what hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A server on threads of its own.
pub(crate) struct Running {
    pub(crate) handle: ServerHandle,
    thread: JoinHandle<io::Result<ServerReport>>,
    ended: mpsc::Receiver<()>,
}

/// Starts a server on a free port of 127.0.0.1. Without a limit of its own it
/// would wait for ever for its connections, so nothing ends by chance.
pub(crate) fn start<R: TaskletResult>(
    configure: impl FnOnce(Server) -> Server,
    handler: impl Fn(TcpStream, SocketAddr, &Connection) -> R + Send + Sync + 'static,
) -> Running {
    let server = Server::new().workers(1).drain_limit(EVER).kill_limit(EVER);
    let server = configure(server.bind("127.0.0.1:0").unwrap());
    run(server.handle(), move || server.run(handler))
}

/// Runs a server on a thread of its own.
pub(crate) fn run(
    handle: ServerHandle,
    server: impl FnOnce() -> io::Result<ServerReport> + Send + 'static,
) -> Running {
    let (ending, ended) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        // Dropped, and so heard of, whichever way the server ends.
        let _ending: mpsc::Sender<()> = ending;
        server()
    });
    Running {
        handle,
        thread,
        ended,
    }
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.addresses()[0]
    }

    pub(crate) fn connect(&self) -> net::TcpStream {
        let stream = net::TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        stream
    }

    /// Stops it, and waits for its end.
    pub(crate) fn stop(self) -> ServerReport {
        self.handle.stop();
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> ServerReport {
        self.result().unwrap()
    }

    pub(crate) fn result(self) -> io::Result<ServerReport> {
        if let Err(mpsc::RecvTimeoutError::Timeout) = self.ended.recv_timeout(WATCHDOG) {
            panic!("the server does not end: {:?}", self.handle.report());
        }
        self.thread.join().unwrap()
    }

    /// Waits until so many connections are accepted.
    pub(crate) fn until_accepted(&self, count: usize) {
        until(|| self.handle.report().total.accepted >= count);
    }
}

/// Waits until something is so that another thread makes so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let limit = std::time::Instant::now() + WATCHDOG;
    while !is_so() {
        assert!(std::time::Instant::now() < limit, "it does not come to be");
        std::thread::yield_now();
    }
}

/// Sends `text`, and reads as many bytes.
pub(crate) fn ask(stream: &mut net::TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// So many connections that have had an answer each.
pub(crate) fn answered_clients(server: &Running, count: usize) -> Vec<net::TcpStream> {
    let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(ask(client, b"hello").unwrap(), b"hello");
    }
    clients
}

/// Sends back what comes, idle in between.
pub(crate) fn echo(mut stream: TcpStream, connection: &Connection) -> io::Result<()> {
    let mut buffer = [0; 64];
    while let Some(count) = connection.idle(|| stream.read(&mut buffer))? {
        if count == 0 {
            break;
        }
        stream.write_all(&buffer[..count])?;
    }
    Ok(())
}

/// What is left to read, to the end of the stream.
pub(crate) fn rest(stream: &mut net::TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
