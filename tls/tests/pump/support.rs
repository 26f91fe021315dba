//! Contexts, random numbers, and a transport with a peer inside.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::LazyLock;
use std::time::Instant;

use greenling_tls::crypto::LocalCa;
use greenling_tls::{
    Context, ContextBuilder, Engine, EngineError, Interest, Ready, RingSizes, Transport, Version,
    Want,
};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CA: LazyLock<LocalCa> = LazyLock::new(|| LocalCa::new("pump tests").expect("test CA"));

/// The authority that both sides trust.
pub(crate) fn ca() -> &'static LocalCa {
    &CA
}

pub(crate) fn server_builder(version: Version) -> ContextBuilder {
    let identity = CA.issue(&[NAME]).expect("test certificate");
    ContextBuilder::server()
        .versions(version..=version)
        .identity(identity)
}

pub(crate) fn client_builder(version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(CA.root_pem().expect("PEM"))
}

/// A server's and a client's context that trust each other.
pub(crate) fn contexts(version: Version) -> (Context, Context) {
    let server = server_builder(version).build().expect("server context");
    let client = client_builder(version).build().expect("client context");
    (server, client)
}

pub(crate) fn rings(size: usize) -> RingSizes {
    RingSizes {
        incoming: size,
        outgoing: size,
    }
}

/// A server's and a client's engine.
pub(crate) fn engines(version: Version, rings: RingSizes) -> (Engine, Engine) {
    let (server, client) = contexts(version);
    (
        Engine::new(&server, None, rings).expect("server engine"),
        Engine::new(&client, Some(NAME), rings).expect("client engine"),
    )
}

/// Deterministic random numbers (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }
}

/// Test data in which a lost, doubled or swapped byte shows.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i.wrapping_mul(31) ^ (i >> 8)) as u8)
        .collect()
}

/// Moves up to `limit` bytes of ciphertext; how many there were and fitted.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine, limit: usize) -> usize {
    let mut moved = 0;
    while moved < limit {
        let data = from.out_data();
        let piece = data.len().min(limit - moved);
        let n = to.feed(&data[..piece]);
        if n == 0 {
            break;
        }
        from.consume_out(n);
        moved += n;
    }
    moved
}

/// Makes the handshake of two engines in memory.
pub(crate) fn shake_hands(server: &mut Engine, client: &mut Engine) {
    loop {
        let done = [client.handshake(), server.handshake()].map(|result| match result {
            Ok(()) => true,
            Err(EngineError::Want(Want::Read)) => false,
            Err(other) => panic!("handshake: {other}"),
        });
        let moved = carry(client, server, usize::MAX) + carry(server, client, usize::MAX);
        if done == [true, true] && moved == 0 {
            return;
        }
    }
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
