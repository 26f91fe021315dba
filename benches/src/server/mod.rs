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

use crate::machine::{self, Core, Thread};
use crate::who::Who;

/// How long a server may take until it accepts connections.
const START_MAX: Duration = Duration::from_secs(10);

/// A running server; killed on drop.
#[derive(Debug)]
pub struct Server {
    /// One, unless its workers are processes.
    children: Vec<Child>,
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
        Server::start_on(Core::First, 1, who, tls, ground)
    }

    /// The same on `core` with `workers`. The caller is on the last core afterwards;
    /// when it asked for all of them, on any, as what it starts.
    ///
    /// # Errors
    ///
    /// As [`Server::start`].
    pub fn start_on(
        core: Core,
        workers: u16,
        who: Who,
        tls: bool,
        ground: &Ground,
    ) -> io::Result<Server> {
        // A child inherits the core of the thread that starts it.
        machine::pin(core);
        let server = Server::spawn(who, tls, workers, ground);
        machine::pin(match core {
            Core::All => Core::All,
            Core::First | Core::Last => Core::Last,
        });
        server?.ready()
    }

    fn spawn(who: Who, tls: bool, workers: u16, ground: &Ground) -> io::Result<Server> {
        let port = free_port()?;
        let mut command = machine::tethered(&contender::command(who, tls, port, workers, ground)?);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut server = Server {
            children: Vec::new(),
            port,
            tls,
        };
        let processes = if who == Who::Nginx { workers } else { 1 };
        for _ in 0..processes {
            server.children.push(command.spawn()?);
        }
        Ok(server)
    }

    /// Waits until it accepts connections.
    fn ready(mut self) -> io::Result<Server> {
        let begin = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            for child in &mut self.children {
                if let Some(status) = child.try_wait()? {
                    return Err(io::Error::other(format!("the server ended with {status}")));
                }
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

    /// Its process id, as text for /proc; of several the first.
    pub fn pid(&self) -> String {
        self.children[0].id().to_string()
    }

    fn pids(&self) -> impl Iterator<Item = String> {
        self.children.iter().map(|child| child.id().to_string())
    }

    /// CPU time that it has taken.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        self.pids().map(|pid| machine::cpu_time(&pid)).sum()
    }

    /// The threads of all its processes, and the CPU time that each has taken.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn threads(&self) -> io::Result<Vec<(Thread, Duration)>> {
        let mut all = Vec::new();
        for pid in self.pids() {
            all.extend(machine::threads(&pid)?);
        }
        Ok(all)
    }

    /// Asks it, a single process, to stop (SIGTERM) and waits for `limit`; `None` when
    /// it still runs.
    ///
    /// # Errors
    ///
    /// When it is gone already.
    pub fn terminate(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let child = &mut self.children[0];
        machine::terminate(child.id())?;
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            machine::pause(Duration::from_millis(20));
        }
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Either may fail only because the process is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that was free a moment ago; nobody else on this machine is in a hurry
/// to take it.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
