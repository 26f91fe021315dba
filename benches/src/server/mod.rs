//! Servers in processes of their own, and the load on them.
//!
//! A server runs on the first core and what loads it on the last one. Nothing
//! but loopback is used. No server outlives the thread that started it, in
//! whatever way that ends.

mod client;
mod contender;
mod ground;
#[allow(unsafe_code, reason = "offers a session in a handshake")]
mod visitor;
pub mod wrk;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use client::{Answer, Client, connect_plain, connector, crowd};
pub use contender::{PLAIN, TLS, nginx};
pub use ground::{BODY_SIZES, Ground};
pub use visitor::{Visit, Visitor};

use crate::machine::{self, Core};
use crate::who::Who;

/// How long a server may take until it accepts connections.
const START_MAX: Duration = Duration::from_secs(10);

/// A running server; killed on drop.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    tls: bool,
}

impl Server {
    /// Starts `who` on the first core with one worker, and waits until it accepts.
    ///
    /// # Errors
    ///
    /// Why it cannot run: not built, not installed, or what it ended with.
    pub fn start(who: Who, tls: bool, ground: &Ground) -> io::Result<Server> {
        // A child inherits the core of the thread that starts it.
        machine::pin(Core::First);
        let server = Server::spawn(who, tls, 1, ground);
        machine::pin(Core::Last);
        server?.ready()
    }

    /// Starts the example web server with `workers` on all cores, and waits until
    /// it accepts. The caller is pinned to no core any more, as what it starts.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start_everywhere(tls: bool, workers: u16, ground: &Ground) -> io::Result<Server> {
        machine::pin(Core::All);
        Server::spawn(Who::Greenling, tls, workers, ground)?.ready()
    }

    fn spawn(who: Who, tls: bool, workers: u16, ground: &Ground) -> io::Result<Server> {
        let port = free_port()?;
        let child = machine::tethered(&contender::command(who, tls, port, workers, ground)?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Server { child, port, tls })
    }

    /// Waits until it accepts connections.
    fn ready(mut self) -> io::Result<Server> {
        let begin = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if begin.elapsed() > START_MAX {
                return Err(io::Error::other("the server accepts no connections"));
            }
            machine::pause(Duration::from_millis(20));
        }
        Ok(self)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The address of `path` for wrk.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// Its process id, as text for /proc.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// CPU time that it has taken.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        machine::cpu_time(&self.pid())
    }

    /// Asks it to stop (SIGTERM) and waits for `limit`; `None` when it still runs.
    ///
    /// # Errors
    ///
    /// When it is gone already.
    pub fn terminate(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        machine::terminate(self.child.id())?;
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            machine::pause(Duration::from_millis(20));
        }
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either may fail only because the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago; nobody else on this machine is in a hurry
/// to take it.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
