//! Contexts, random numbers, and a transport with a peer inside.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::time::Instant;

use greenling_tls::{Engine, EngineError, Interest, Ready, RingSizes, Transport, Version};

#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/contexts.rs"]
mod contexts;
#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/engines.rs"]
mod engines;
#[path = "../common/random.rs"]
mod random;

pub(crate) use contexts::*;
pub(crate) use engines::*;
pub(crate) use random::Random;

/// A server's and a client's engine.
pub(crate) fn engines(version: Version, rings: RingSizes) -> (Engine, Engine) {
    let (server, client) = contexts(version);
    (
        Engine::new(&server, None, rings).expect("server engine"),
        Engine::new(&client, Some(NAME), rings).expect("client engine"),
    )
}

/// Test data in which a lost, doubled or swapped byte shows.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i.wrapping_mul(31) ^ (i >> 8)) as u8)
        .collect()
}

/// What the peer inside a [`Scripted`] transport does whenever it gets the turn.
pub(crate) type Script = Box<dyn FnMut(&mut Engine)>;

/// A transport whose other end is an engine that follows a script. The peer runs
/// inside `wait`, so everything happens on one thread in a fixed order. A wait
/// that nothing can end fails instead of hanging.
pub(crate) struct Scripted {
    peer: RefCell<Engine>,
    script: RefCell<Script>,
    to_peer: RefCell<VecDeque<u8>>,
    from_peer: RefCell<VecDeque<u8>>,
    random: RefCell<Random>,
    /// The most that one call moves.
    pub(crate) chunk: usize,
    /// Of 100 calls, how many fail with `WouldBlock` for no reason.
    pub(crate) blocked_percent: usize,
    /// How many bytes are under way before sending blocks.
    pub(crate) capacity: usize,
    /// Sending fails from now on.
    pub(crate) send_fails: Cell<Option<i32>>,
    /// The peer is gone: after what is under way comes the end.
    pub(crate) peer_gone: Cell<bool>,
    pub(crate) shut: Cell<Option<Shutdown>>,
    pub(crate) sent: Cell<usize>,
}

impl Scripted {
    pub(crate) fn new(peer: Engine, seed: u64, script: Script) -> Scripted {
        Scripted {
            peer: RefCell::new(peer),
            script: RefCell::new(script),
            to_peer: RefCell::default(),
            from_peer: RefCell::default(),
            random: RefCell::new(Random::new(seed)),
            chunk: usize::MAX,
            blocked_percent: 0,
            capacity: usize::MAX,
            send_fails: Cell::new(None),
            peer_gone: Cell::new(false),
            shut: Cell::new(None),
            sent: Cell::new(0),
        }
    }

    /// Puts raw bytes on their way to the stream.
    pub(crate) fn inject(&self, data: &[u8]) {
        self.from_peer.borrow_mut().extend(data);
    }

    /// Lets the peer take what was sent, act, and answer.
    pub(crate) fn turn(&self) {
        let mut peer = self.peer.borrow_mut();
        loop {
            let mut to_peer = self.to_peer.borrow_mut();
            let fed = peer.feed(to_peer.make_contiguous());
            to_peer.drain(..fed);
            drop(to_peer);
            (self.script.borrow_mut())(&mut peer);
            let mut buf = [0; 4096];
            loop {
                let n = peer.drain(&mut buf);
                if n == 0 {
                    break;
                }
                self.inject(&buf[..n]);
            }
            if fed == 0 {
                return;
            }
        }
    }

    /// Gives the peer another script.
    pub(crate) fn set_script(&self, script: Script) {
        drop(self.script.replace(script));
    }

    fn is_blocked(&self) -> bool {
        self.random.borrow_mut().below(100) < self.blocked_percent
    }
}

impl Transport for Scripted {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty());
        let mut from_peer = self.from_peer.borrow_mut();
        if from_peer.is_empty() && self.peer_gone.get() {
            return Ok(0);
        }
        if from_peer.is_empty() || self.is_blocked() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = from_peer.len().min(buf.len()).min(self.chunk);
        for (slot, byte) in buf.iter_mut().zip(from_peer.drain(..n)) {
            *slot = byte;
        }
        Ok(n)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        assert!(!data.is_empty());
        if let Some(code) = self.send_fails.get() {
            return Err(io::Error::from_raw_os_error(code));
        }
        let mut to_peer = self.to_peer.borrow_mut();
        let room = self.capacity - to_peer.len().min(self.capacity);
        if room == 0 || self.is_blocked() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = data.len().min(room).min(self.chunk);
        to_peer.extend(&data[..n]);
        self.sent.set(self.sent.get() + n);
        Ok(n)
    }

    fn wait(&self, interest: Interest, _deadline: Option<Instant>) -> io::Result<Ready> {
        let before = self.to_peer.borrow().len();
        self.turn();
        let mut ready = Ready::default();
        ready.readable = !self.from_peer.borrow().is_empty() || self.peer_gone.get();
        ready.writable = self.to_peer.borrow().len() < self.capacity;
        let wanted = interest.is_read() && ready.readable
            || interest.is_write() && ready.writable
            || before != self.to_peer.borrow().len();
        if wanted {
            Ok(ready)
        } else {
            Err(io::Error::other("nothing can end this wait"))
        }
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.shut.set(Some(how));
        Ok(())
    }
}

/// A script: answers everything it reads with the same bytes, and ends when the
/// other side does.
pub(crate) fn echo() -> Script {
    let mut backlog = VecDeque::new();
    Box::new(move |engine| {
        let mut buf = [0; 3000];
        let mut ended = false;
        while !ended {
            match engine.read(&mut buf) {
                Ok(n) => backlog.extend(&buf[..n]),
                Err(EngineError::Want(_)) => break,
                Err(EngineError::Closed) => ended = true,
                Err(EngineError::Failed(error)) => panic!("peer: {error}"),
            }
        }
        while !backlog.is_empty() {
            match engine.write(backlog.make_contiguous()) {
                Ok(n) => drop(backlog.drain(..n)),
                Err(EngineError::Want(_)) => break,
                Err(other) => panic!("peer: {other}"),
            }
        }
        if ended {
            engine.shutdown().expect("goodbye");
        }
    })
}
