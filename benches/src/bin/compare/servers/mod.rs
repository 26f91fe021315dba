//! Servers, each in a process of its own on the first core, and their clients on
//! the last one.
//!
//! The servers of a case are up at once and take turns, in an order that rotates,
//! so that a slow phase of the machine meets everybody. CPU time is the server
//! process's own, user and system, so an idle client costs it nothing.

mod bulk;
mod connection;
mod crowd;
mod handshake;
mod hello;
mod idle;
mod latency;
mod pace;
mod scaling;
mod workers;

use std::io::{self, Read};
use std::net::TcpStream;

use benches::machine::{self, Core};
use benches::record::Record;
use benches::server::{Ground, Server, connector};
use benches::who::Who;
use openssl::ssl::SslConnector;

pub(crate) use connection::Connection;

use crate::options::{Case, Options, rotated};

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BODY: &[u8] = b"Hello, world!";

/// Why a measurement failed.
type Failure = Box<dyn std::error::Error>;

/// How a case is measured.
type Run = fn(&mut Bench);

/// The cases, in their order.
const CASES: [(Case, Run); 10] = [
    (Case::Http, hello::plain),
    (Case::Https, hello::tls),
    (Case::Handshake, handshake::full),
    (Case::Resume, handshake::resumed),
    (Case::Bulk, bulk::run),
    (Case::Idle, idle::run),
    (Case::Latency, latency::run),
    (Case::Crowd, crowd::run),
    (Case::Scaling, scaling::run),
    (Case::Workers, workers::run),
];

/// Runs all cases that were asked for.
pub(crate) fn measure(options: &Options, record: &mut Record) {
    if !CASES.iter().any(|(case, _)| options.wants(*case)) {
        return;
    }
    let ground = match Ground::new() {
        Ok(ground) => ground,
        Err(error) => return record.fail("servers", Who::Greenling, error),
    };
    let mut bench = Bench {
        options,
        ground,
        record,
    };
    for (case, run) in CASES {
        if options.wants(case) {
            run(&mut bench);
        }
    }
}

/// What all cases need.
struct Bench<'a> {
    options: &'a Options,
    ground: Ground,
    record: &'a mut Record,
}

impl Bench<'_> {
    /// Starts those of `all` that were asked for and can run.
    fn start(&mut self, case: &str, tls: bool, all: &[Who]) -> Vec<(Who, Server)> {
        let mut servers = Vec::new();
        for who in self.options.chosen(all) {
            match Server::start(who, tls, &self.ground) {
                Ok(server) => servers.push((who, server)),
                Err(reason) => self.record.leave_out(case, who, reason),
            }
        }
        servers
    }

    /// Measures those of `all` that were asked for, one after the other, with servers
    /// and clients on whichever core `measure` puts them.
    fn on_all_cores(
        &mut self,
        case: &str,
        tls: bool,
        all: &[Who],
        measure: fn(&mut Self, &str, Who, bool) -> Result<(), Failure>,
    ) {
        for who in self.options.chosen(all) {
            if machine::cores() < 2 {
                self.record.leave_out(case, who, "there is only one core");
            } else if let Err(error) = measure(self, case, who, tls) {
                self.record.fail(case, who, error);
            }
        }
        machine::pin(Core::Last);
    }

    /// What makes clients' TLS, where they speak it.
    fn connector(&self, tls: bool) -> Result<Option<SslConnector>, Failure> {
        let connector = tls.then(|| connector(&self.ground)).transpose();
        Ok(connector?)
    }

    /// Lets `servers` take turns at `one`, which gets the seconds it may take, after
    /// a short first turn of each whose figures nobody sees. Who fails then is out.
    fn take_turns(
        &mut self,
        case: &str,
        mut servers: Vec<(Who, Server)>,
        mut one: impl FnMut(&Bench, Who, &Server, u32) -> Result<Figures, Failure>,
    ) {
        servers.retain(|(who, server)| match one(self, *who, server, 1) {
            Ok(_) => true,
            Err(error) => {
                self.record.fail(case, *who, error);
                false
            }
        });
        for run in 0..self.options.runs() {
            for place in rotated(servers.len(), run) {
                let (who, server) = &servers[place];
                match one(self, *who, server, self.options.seconds()) {
                    Ok(figures) => {
                        for (name, unit, value) in figures {
                            self.record.add(&name, *who, unit, value);
                        }
                    }
                    Err(error) => self.record.fail(case, *who, error),
                }
            }
        }
    }
}

/// Figures of one turn: case, unit, value.
type Figures = Vec<(String, &'static str, f64)>;

/// Reads one answer, after which nothing follows.
fn expect_hello(socket: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let mut length = 0;
    while !is_hello(&buffer[..length])? {
        match socket.read(&mut buffer[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => length += got,
        }
    }
    Ok(())
}

/// Whether the answer to a request for `/hello` is there as a whole.
fn is_hello(answer: &[u8]) -> io::Result<bool> {
    if !answer.ends_with(BODY) {
        Ok(false)
    } else if answer.starts_with(b"HTTP/1.1 200") {
        Ok(true)
    } else {
        Err(io::Error::other("an answer other than 200"))
    }
}
