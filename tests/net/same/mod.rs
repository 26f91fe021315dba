//! Edge cases, each played twice: by std's sockets on threads and by ours on
//! tasklets. Whatever is noted on the way must be the same.
//!
//! A case is written once, in names that both sides have: the types of sockets,
//! `spawn`, and a `Log` to note results in. Errors are noted by their kind.
//!
//! | file | has |
//! |---|---|
//! | `tcp` | ends, resets, empty buffers, urgent data, options |
//! | `connecting` | failures to connect and to bind, of all sockets |
//! | `streams` | what several kinds share: limits, modes, clones, ends of waits, `socket2` |
//! | `unix` | paths, abstract names, pairs: ends, empty buffers, urgent data |
//! | `datagrams` | UDP and Unix: unreachable ports, truncation, full queues |

mod connecting;
mod datagrams;
mod streams;
mod tcp;
mod unix;

use std::fmt::Debug;
use std::io;

/// What has been seen, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Log(Vec<String>);

impl Log {
    pub(crate) fn note<T: Debug>(&mut self, what: &str, result: io::Result<T>) {
        self.0.push(match result {
            Ok(value) => format!("{what}: {value:?}"),
            Err(error) => format!("{what}: {:?}", error.kind()),
        });
    }

    /// As `note`, of a result of which only the success matters.
    pub(crate) fn outcome<T>(&mut self, what: &str, result: io::Result<T>) {
        self.note(what, result.map(drop));
    }

    pub(crate) fn value<T: Debug>(&mut self, what: &str, value: T) {
        self.note(what, Ok(value));
    }
}

/// What both sides have, by the same names.
mod common {
    pub(crate) use super::Log;
    pub(crate) use rustix::net::RecvFlags;
    pub(crate) use socket2::{SockRef, Socket, Type};
    pub(crate) use std::io::{self, IoSlice, IoSliceMut, Read, Write};
    pub(crate) use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
    pub(crate) use std::os::fd::{AsFd, OwnedFd};
    pub(crate) use std::os::linux::net::SocketAddrExt;
    pub(crate) use std::os::unix::net::SocketAddr as UnixAddr;
    pub(crate) use std::time::Duration;
    pub(crate) use tempfile::tempdir;

    pub(crate) const SHORT: Duration = Duration::from_millis(10);

    pub(crate) fn local() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    /// A name in the abstract namespace that no other test has.
    pub(crate) fn abstract_name() -> UnixAddr {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        UnixAddr::from_abstract_name(format!("greenling-{}-{count}", std::process::id())).unwrap()
    }

    /// What was sent out of band.
    pub(crate) fn urgent_byte(socket: impl AsFd) -> io::Result<(usize, String)> {
        let mut byte = [0];
        let (_, got) = rustix::net::recv(socket, &mut byte, RecvFlags::OOB)?;
        Ok((got, String::from_utf8_lossy(&byte[..got]).into_owned()))
    }

    pub(crate) fn read(mut stream: impl Read, most: usize) -> io::Result<String> {
        let mut buffer = vec![0; most];
        let got = stream.read(&mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer[..got]).into_owned())
    }
}

macro_rules! tcp_pair {
    () => {
        pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
            let listener = TcpListener::bind(super::common::local()).unwrap();
            let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (ours, listener.accept().unwrap().0)
        }
    };
}

/// Std's side.
mod theirs {
    pub(crate) use super::common::*;
    pub(crate) use std::net::{TcpListener, TcpStream, UdpSocket};
    pub(crate) use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    pub(crate) use std::thread::spawn;

    tcp_pair!();

    pub(crate) fn listener_of(descriptor: OwnedFd) -> UnixListener {
        descriptor.into()
    }
}

/// Our side.
mod ours {
    pub(crate) use super::common::*;
    pub(crate) use greenling::net::{TcpListener, TcpStream, UdpSocket};
    pub(crate) use greenling::net::{UnixDatagram, UnixListener, UnixStream};
    pub(crate) use greenling::spawn;

    tcp_pair!();

    pub(crate) fn listener_of(descriptor: OwnedFd) -> UnixListener {
        descriptor.try_into().unwrap()
    }
}

/// A test for each case, which compares both sides.
macro_rules! cases {
    ($($(#[$about:meta])* fn $name:ident($log:ident) $body:block)*) => {
        mod theirs {
            #[allow(unused_imports, reason = "not every file needs all")]
            use crate::same::theirs::*;
            $(pub(super) fn $name($log: &mut Log) $body)*
        }

        mod ours {
            #[allow(unused_imports, reason = "not every file needs all")]
            use crate::same::ours::*;
            $(pub(super) fn $name($log: &mut Log) $body)*
        }

        $($(#[$about])* #[test] fn $name() {
            let play = |case: fn(&mut crate::same::Log)| move || {
                let mut log = crate::same::Log::default();
                case(&mut log);
                log
            };
            let _no_copies = tests::forks::none();
            let theirs = tests::on_bare_thread(play(theirs::$name));
            let ours = tests::isolated(play(ours::$name));
            assert_eq!(ours, theirs);
            assert_ne!(ours, crate::same::Log::default(), "nothing was noted");
        })*
    };
}

use cases;
