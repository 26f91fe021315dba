//! Signals, with a handler, while an operation waits: std's shows `Interrupted`
//! for some of them, which callers try again; ours just go on waiting.

use greenling::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::{net, os::unix::net as unix};
use tests::sockets::plain_pair;

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handle(_: i32) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// System calls of this signal's thread are not restarted.
fn install() {
    let flags = SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::Handler(handle), flags, SigSet::empty());
    // SAFETY: the handler only adds to an atomic.
    unsafe { sigaction(Signal::SIGUSR2, &action) }.expect("a handler can be set");
}

/// Who waits: the thread, and where its state can be read.
struct Waiter {
    thread: Pthread,
    state: PathBuf,
}

impl Waiter {
    fn here() -> Waiter {
        let state = std::fs::canonicalize("/proc/thread-self").unwrap();
        Waiter {
            thread: pthread_self(),
            state: state.join("stat"),
        }
    }

    fn is_asleep(&self) -> bool {
        let stat = std::fs::read_to_string(&self.state).unwrap();
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        after_name.starts_with('S')
    }

    /// Sends signals to the thread whenever it sleeps, five times.
    fn disturb(&self) {
        for _ in 0..5 {
            while !self.is_asleep() {
                std::thread::yield_now();
            }
            let before = HANDLED.load(Ordering::SeqCst);
            pthread_kill(self.thread, Signal::SIGUSR2).unwrap();
            while HANDLED.load(Ordering::SeqCst) == before {
                std::thread::yield_now();
            }
        }
    }
}

/// Runs `wait` on another thread, disturbs it, and then has `release` end it;
/// what that returns is kept until it has.
fn disturbed<T: Send + 'static, K>(
    wait: impl FnOnce(Sender<Waiter>) -> T + Send + 'static,
    release: impl FnOnce() -> K,
) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    install();
    let (sender, receiver) = channel();
    let waiting = std::thread::spawn(move || wait(sender));
    receiver.recv().unwrap().disturb();
    let _kept = release();
    waiting.join().unwrap()
}

/// The same operation by std, tried again when it was interrupted, and by ours,
/// which must not be; `sockets` makes who waits and who ends that.
fn compare<S, P, K, T>(
    sockets: impl Fn() -> (S, P),
    by_std: fn(&S) -> io::Result<T>,
    by_us: fn(S) -> io::Result<T>,
    release: fn(P) -> K,
) where
    S: Send + 'static,
    T: Send + 'static + PartialEq + std::fmt::Debug,
{
    let (socket, peer) = sockets();
    let wait = move |sender: Sender<Waiter>| {
        sender.send(Waiter::here()).unwrap();
        loop {
            match by_std(&socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.unwrap(),
            }
        }
    };
    let theirs = disturbed(wait, || release(peer));
    let (socket, peer) = sockets();
    let wait = move |sender: Sender<Waiter>| {
        greenling::enter(move || {
            sender.send(Waiter::here()).unwrap();
            by_us(socket).unwrap()
        })
    };
    let ours = disturbed(wait, || release(peer));
    assert_eq!(ours, theirs);
}

#[test]
fn reads() {
    compare(
        plain_pair,
        |mut socket| socket.read(&mut [0; 9]),
        |socket| TcpStream::from_std(socket)?.read(&mut [0; 9]),
        |mut peer| peer.write_all(b"woken").unwrap(),
    );
    compare(
        || unix::UnixStream::pair().unwrap(),
        |mut socket| socket.read(&mut [0; 9]),
        |socket| UnixStream::from_std(socket)?.read(&mut [0; 9]),
        drop,
    );
}

#[test]
fn peeks() {
    compare(
        plain_pair,
        |socket| socket.peek(&mut [0; 9]),
        |socket| TcpStream::from_std(socket)?.peek(&mut [0; 9]),
        |mut peer| peer.write_all(b"woken").unwrap(),
    );
}

#[test]
fn writes() {
    let full = || {
        let (ours, theirs) = unix::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        while (&ours).write(&[0; 1 << 12]).is_ok() {}
        ours.set_nonblocking(false).unwrap();
        (ours, theirs)
    };
    compare(
        full,
        |mut socket| socket.write(b"x"),
        |socket| UnixStream::from_std(socket)?.write(b"x"),
        |peer| {
            // Writers are woken when most of it is free.
            peer.set_nonblocking(true).unwrap();
            while (&peer).read(&mut [0; 1 << 12]).is_ok_and(|size| size > 0) {}
            peer
        },
    );
}

#[test]
fn receives() {
    let datagrams = || {
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.connect(socket.local_addr().unwrap()).unwrap();
        (socket, peer)
    };
    compare(
        datagrams,
        |socket| socket.recv(&mut [0; 9]),
        |socket| UdpSocket::from_std(socket)?.recv(&mut [0; 9]),
        |peer| peer.send(b"woken").unwrap(),
    );
    compare(
        || unix::UnixDatagram::pair().unwrap(),
        |socket| socket.recv_from(&mut [0; 9]).map(|(size, _)| size),
        |socket| {
            UnixDatagram::from_std(socket)?
                .recv_from(&mut [0; 9])
                .map(|(size, _)| size)
        },
        |peer| peer.send(b"woken").unwrap(),
    );
}

#[test]
fn accepts() {
    let listening = || {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    };
    compare(
        listening,
        |listener| listener.accept().map(|(_, peer)| peer.ip()),
        |listener| {
            TcpListener::from_std(listener)?
                .accept()
                .map(|(_, peer)| peer.ip())
        },
        |address| drop(net::TcpStream::connect(address).unwrap()),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listening = || {
        let _ = std::fs::remove_file(&path);
        (unix::UnixListener::bind(&path).unwrap(), path.clone())
    };
    compare(
        listening,
        |listener| listener.accept().map(|(_, peer)| peer.is_unnamed()),
        |listener| {
            UnixListener::from_std(listener)?
                .accept()
                .map(|(_, peer)| peer.is_unnamed())
        },
        |path| drop(unix::UnixStream::connect(path).unwrap()),
    );
}
