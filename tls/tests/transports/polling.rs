//! A program with a loop of its own: many connections, one thread, no scheduler.
//!
//! Every stream is non-blocking. Each operation that would have to wait says for
//! what, and `poll(2)` waits for all of them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use greenling_tls::{Error, TlsStream, Version, Want};
use rustix::event::{PollFd, PollFlags, poll};

use crate::kinds::{Pair, Tcp, trusting};
use crate::support::{NAME, pattern};

/// One connection, as the loop sees it.
struct Session {
    stream: TlsStream<TcpStream>,
    role: Role,
    /// What the last turn would have waited for; empty once it is over.
    wants: PollFlags,
}

enum Role {
    /// Sends back what it reads, until the client ends.
    Echo { backlog: Vec<u8>, ended: bool },
    /// Sends all of `data`, expects it back.
    Client {
        data: Vec<u8>,
        sent: usize,
        got: usize,
    },
}

/// The result of an operation, or what it waits for.
fn attempt<R>(result: Result<R, impl Into<Error>>, wants: &mut PollFlags) -> Option<R> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error.into(),
    };
    let Error::Io(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    let want = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Want>());
    *wants |= match want.expect("it says for what") {
        Want::Read => PollFlags::IN,
        Want::Write => PollFlags::OUT,
        other => panic!("{other}"),
    };
    None
}

impl Session {
    fn new(stream: TlsStream<TcpStream>, role: Role) -> Session {
        stream.set_nonblocking(true);
        Session {
            stream,
            role,
            wants: PollFlags::IN | PollFlags::OUT,
        }
    }

    /// Goes on until it would have to wait.
    fn turn(&mut self) {
        let mut wants = PollFlags::empty();
        let mut stream = &self.stream;
        let mut buf = [0; 1500];
        match &mut self.role {
            Role::Echo { backlog, ended } => loop {
                while !backlog.is_empty() {
                    match attempt(stream.write(backlog), &mut wants) {
                        Some(n) => drop(backlog.drain(..n)),
                        None => break,
                    }
                }
                if !backlog.is_empty() {
                    break;
                }
                if *ended {
                    attempt(stream.close(), &mut wants);
                    break;
                }
                match attempt(stream.read(&mut buf), &mut wants) {
                    Some(0) => *ended = true,
                    Some(n) => backlog.extend_from_slice(&buf[..n]),
                    None => break,
                }
            },
            Role::Client { data, sent, got } => {
                while *sent < data.len() {
                    match attempt(stream.write(&data[*sent..]), &mut wants) {
                        Some(n) => *sent += n,
                        None => break,
                    }
                }
                if *sent == data.len() && attempt(stream.flush(), &mut wants).is_some() {
                    attempt(stream.shutdown_write(), &mut wants);
                }
                while let Some(n) = attempt(stream.read(&mut buf), &mut wants) {
                    if n == 0 {
                        assert_eq!(*got, data.len(), "all of it came back");
                        wants = PollFlags::empty();
                        break;
                    }
                    assert!(buf[..n] == data[*got..*got + n], "damaged");
                    *got += n;
                }
            }
        }
        self.wants = wants;
    }
}

#[test]
fn one_thread_serves_many_connections_by_its_own_loop() {
    let mut sessions = Vec::new();
    for index in 0..20 {
        let version = [Version::Tls12, Version::Tls13][index % 2];
        let (server, client) = trusting(version);
        let (at_server, at_client) = Tcp::pair();
        sessions.push(Session::new(
            TlsStream::start_accept(server, at_server),
            Role::Echo {
                backlog: Vec::new(),
                ended: false,
            },
        ));
        sessions.push(Session::new(
            TlsStream::start_connect(client, NAME, at_client),
            Role::Client {
                data: pattern(1000 + 10_000 * index),
                sent: 0,
                got: 0,
            },
        ));
    }
    let connections = sessions.len();
    let mut done = 0;
    while !sessions.is_empty() {
        let mut fds: Vec<_> = sessions
            .iter()
            .map(|session| PollFd::new(session.stream.get_ref(), session.wants))
            .collect();
        poll(&mut fds, None).expect("poll");
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for (session, _) in sessions.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            session.turn();
        }
        sessions.retain(|session| !session.wants.is_empty());
        done = connections - sessions.len();
    }
    assert_eq!(done, connections);
}
