//! What every kind of socket has beyond std's: `close(&self)` under a waiter,
//! `wait` and `wake`, options by `socket2`, descriptors in and out.

use greenling::io::Interest;
use greenling::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use greenling::{JoinHandle, schedule, spawn};
use socket2::SockRef;
use std::fmt::Debug;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::rc::Rc;
use tests::isolated;
use tests::process::alone;
use tests::sockets::{listener, pair};

fn abstract_name(test: &str) -> UnixAddr {
    UnixAddr::from_abstract_name(format!("greenling-{}-{test}", std::process::id())).unwrap()
}

fn udp() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// Starts a tasklet that waits for `socket`; `close` must end that, and all
/// that comes later.
#[track_caller]
fn is_ended_by_close<S: 'static, T: Debug>(
    socket: S,
    close: fn(&S),
    operation: impl Fn(&S) -> std::io::Result<T> + Copy + 'static,
) {
    let socket = Rc::new(socket);
    let waiters: [JoinHandle<_>; 2] = std::array::from_fn(|_| {
        let socket = socket.clone();
        spawn(move || operation(&socket).unwrap_err().kind())
    });
    schedule();
    schedule();
    assert!(
        waiters.iter().all(|waiter| !waiter.is_finished()),
        "no wait"
    );
    close(&socket);
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), ErrorKind::ConnectionAborted);
    }
    let later = operation(&socket).unwrap_err().kind();
    assert_eq!(later, ErrorKind::ConnectionAborted);
}

/// A stream that can't be written to any more.
fn full(stream: UnixStream) -> UnixStream {
    while stream.try_write(&[0; 1 << 14]).is_ok() {}
    stream
}

#[test]
fn close_ends_all_waits_for_every_kind_of_socket() {
    isolated(|| {
        let unix = || UnixStream::pair().unwrap();
        let (socket, _peer) = pair();
        is_ended_by_close(socket, TcpStream::close, |s| s.peek(&mut [0]));
        let (socket, _peer) = unix();
        is_ended_by_close(socket, UnixStream::close, |mut s| s.read(&mut [0]));
        let (socket, _peer) = unix();
        is_ended_by_close(socket, UnixStream::close, |s| s.peek(&mut [0]));
        let (socket, _peer) = unix();
        let write = |mut s: &UnixStream| s.write(&[0; 1 << 14]);
        is_ended_by_close(full(socket), UnixStream::close, write);

        is_ended_by_close(udp(), UdpSocket::close, |s| s.recv(&mut [0]));
        is_ended_by_close(udp(), UdpSocket::close, |s| s.recv_from(&mut [0]));
        is_ended_by_close(udp(), UdpSocket::close, |s| s.peek(&mut [0]));
        is_ended_by_close(udp(), UdpSocket::close, |s| s.peek_from(&mut [0]));

        let datagrams = || UnixDatagram::pair().unwrap();
        let (socket, _peer) = datagrams();
        is_ended_by_close(socket, UnixDatagram::close, |s| s.recv(&mut [0]));
        let (socket, _peer) = datagrams();
        is_ended_by_close(socket, UnixDatagram::close, |s| s.recv_from(&mut [0]));
        let (socket, _peer) = datagrams();
        while socket.try_send(b"x").is_ok() {}
        is_ended_by_close(socket, UnixDatagram::close, |s| s.send(b"x"));

        let name = abstract_name("close");
        let accept = |s: &UnixListener| s.accept();
        let socket = UnixListener::bind_addr(&name).unwrap();
        is_ended_by_close(socket, UnixListener::close, accept);
        is_ended_by_close(listener(), TcpListener::close, |s| s.accept());
    });
}

#[test]
fn close_ends_the_wait_for_another_sockets_queue() {
    isolated(|| {
        let name = abstract_name("another-queue");
        let _deaf = UnixDatagram::bind_addr(&name).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        while sender.try_send_to_addr(b"x", &name).is_ok() {}
        is_ended_by_close(sender, UnixDatagram::close, move |s| {
            s.send_to_addr(b"x", &abstract_name("another-queue"))
        });
    });
}

#[test]
fn a_wait_for_another_sockets_queue_does_not_spin() {
    isolated(|| {
        let name = abstract_name("no-spin");
        let deaf = UnixDatagram::bind_addr(&name).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let mut queued = 0;
        while sender.try_send_to_addr(b"x", &name).is_ok() {
            queued += 1;
        }
        let sending = spawn(move || sender.send_to_addr(b"last", &name));
        schedule();
        let before = greenling::inspect::polls();
        greenling::time::sleep(std::time::Duration::from_millis(30));
        let polls = greenling::inspect::polls() - before;
        assert!(polls <= 10, "{polls} polls");
        let mut buffer = [0; 9];
        for _ in 0..queued {
            assert_eq!(deaf.recv(&mut buffer).unwrap(), 1);
        }
        assert_eq!(deaf.recv(&mut buffer).unwrap(), 4);
        assert_eq!(sending.join().unwrap().unwrap(), 4);
    });
}

#[test]
fn a_full_peer_does_not_hold_up_datagrams_for_others() {
    isolated(|| {
        let (full, other) = (abstract_name("full-peer"), abstract_name("other-peer"));
        let _deaf = UnixDatagram::bind_addr(&full).unwrap();
        let receiver = UnixDatagram::bind_addr(&other).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect_addr(&full).unwrap();
        while sender.try_send(b"x").is_ok() {}
        assert_eq!(sender.try_send_to_addr(b"one", &other).unwrap(), 3);
        let sent = greenling::time::timeout(std::time::Duration::from_secs(20), || {
            sender.send_to_addr(b"two", &other)
        });
        assert_eq!(sent.unwrap().unwrap(), 3);
        assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 3);
    });
}

#[test]
fn closing_through_one_handle_closes_for_all() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let handle = ours.try_clone().unwrap();
        let reader = spawn(move || (&handle).read(&mut [0]).unwrap_err().kind());
        schedule();
        ours.close();
        assert_eq!(reader.join().unwrap(), ErrorKind::ConnectionAborted);
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn wake_ends_waits_without_readiness() {
    isolated(|| {
        fn check<S: 'static>(
            socket: S,
            wait: fn(&S) -> std::io::Result<greenling::io::Ready>,
            wake: fn(&S),
        ) {
            let socket = Rc::new(socket);
            let waiting = socket.clone();
            let waiter = spawn(move || wait(&waiting).unwrap());
            schedule();
            assert!(!waiter.is_finished());
            wake(&socket);
            assert!(!waiter.join().unwrap().any());
        }
        let drained = |socket: UdpSocket| {
            socket.try_recv(&mut [0]).unwrap_err();
            socket
        };
        check(
            drained(udp()),
            |s| s.wait(Interest::READ, None),
            UdpSocket::wake,
        );
        let (stream, _peer) = UnixStream::pair().unwrap();
        stream.try_read(&mut [0]).unwrap_err();
        check(stream, |s| s.wait(Interest::READ, None), UnixStream::wake);
        let (socket, _peer) = UnixDatagram::pair().unwrap();
        socket.try_recv_from(&mut [0]).unwrap_err();
        check(socket, |s| s.wait(Interest::READ, None), UnixDatagram::wake);
        let listener = listener();
        listener.try_accept().unwrap_err();
        check(
            listener,
            |s| s.wait(Interest::READ, None),
            TcpListener::wake,
        );
        let listener = UnixListener::bind_addr(&abstract_name("wake")).unwrap();
        listener.try_accept().unwrap_err();
        check(
            listener,
            |s| s.wait(Interest::READ, None),
            UnixListener::wake,
        );
    });
}

#[test]
fn socket2_takes_every_socket() {
    isolated(|| {
        fn check(socket: &(impl AsFd + AsRawFd + Debug)) {
            let options = SockRef::from(socket);
            options.set_recv_buffer_size(1 << 15).unwrap();
            // The kernel doubles it for its own needs.
            assert_eq!(options.recv_buffer_size().unwrap(), 1 << 16);
            assert_eq!(socket.as_fd().as_raw_fd(), socket.as_raw_fd());
            let shown = format!("{socket:?}");
            assert!(
                shown.contains(&format!("fd: {}", socket.as_raw_fd())),
                "{shown}"
            );
        }
        check(&listener());
        check(&pair().0);
        check(&udp());
        check(&UnixListener::bind_addr(&abstract_name("socket2")).unwrap());
        check(&UnixStream::pair().unwrap().0);
        check(&UnixDatagram::unbound().unwrap());
    });
}

#[test]
fn descriptors_go_out_and_come_in() {
    isolated(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let number = ours.as_raw_fd();
        let descriptor = OwnedFd::try_from(ours).unwrap();
        assert_eq!(descriptor.as_raw_fd(), number);
        let mut ours = UnixStream::try_from(descriptor).unwrap();
        (&theirs).write_all(b"x").unwrap();
        assert_eq!(ours.read(&mut [0; 9]).unwrap(), 1);

        // A socket of the wrong kind fails when it is used.
        let wrong = TcpListener::try_from(OwnedFd::try_from(udp()).unwrap()).unwrap();
        assert_eq!(
            wrong.accept().unwrap_err().raw_os_error(),
            Some(libc::EOPNOTSUPP)
        );
        // What can't be watched is refused.
        let file = std::fs::File::open("/dev/null").unwrap();
        TcpStream::try_from(OwnedFd::from(file)).unwrap_err();
    });
}

#[test]
fn a_shared_socket_stays_with_its_other_handles() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let mut handle = ours.try_clone().unwrap();
        let error = ours.into_std().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
        theirs.write_all(b"x").unwrap();
        assert_eq!(handle.read(&mut [0; 9]).unwrap(), 1);
        handle.into_std().unwrap();
    });
}

#[test]
fn a_reused_descriptor_inherits_nothing_from_any_kind_of_socket() {
    // Alone: another test could take the number between.
    const SELF: &str = "sockets::a_reused_descriptor_inherits_nothing_from_any_kind_of_socket";
    alone(SELF, || {
        isolated(|| {
            // Ready for reading, and then gone with what was there.
            let ready = || {
                let socket = udp();
                socket
                    .send_to(b"old", socket.local_addr().unwrap())
                    .unwrap();
                socket.wait(Interest::READ, None).unwrap();
                socket
            };
            for _ in 0..3 {
                let number = {
                    let old = ready();
                    old.as_raw_fd()
                };
                let (fresh, peer) = UnixDatagram::pair().unwrap();
                let numbers = [fresh.as_raw_fd(), peer.as_raw_fd()];
                assert!(
                    numbers.contains(&number),
                    "not reused: {number}, {numbers:?}"
                );
                let reader = spawn(move || {
                    let mut buffer = [0; 9];
                    fresh.recv(&mut buffer).map(|size| buffer[..size].to_vec())
                });
                schedule();
                assert!(!reader.is_finished());
                peer.send(b"new").unwrap();
                assert_eq!(reader.join().unwrap().unwrap(), b"new");
            }
        });
    });
}

#[test]
fn empty_reads_never_wait() {
    isolated(|| {
        let (tcp, _peer) = pair();
        assert_eq!((&tcp).read(&mut []).unwrap(), 0);
        assert_eq!(tcp.peek(&mut []).unwrap(), 0);
        assert_eq!(tcp.try_read(&mut []).unwrap(), 0);
        let (unix, _peer) = UnixStream::pair().unwrap();
        assert_eq!((&unix).read(&mut []).unwrap(), 0);
        assert_eq!(unix.try_peek(&mut []).unwrap(), 0);
    });
}

#[test]
fn peeking_at_a_unix_datagram_tells_whom_it_is_from() {
    isolated(|| {
        let (to, from) = (abstract_name("peeked"), abstract_name("peeker"));
        let socket = UnixDatagram::bind_addr(&to).unwrap();
        let sender = UnixDatagram::bind_addr(&from).unwrap();
        sender.send_to_addr(b"named", &to).unwrap();
        UnixDatagram::unbound()
            .unwrap()
            .send_to_addr(b"unnamed", &to)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let by_path = UnixDatagram::bind(&path).unwrap();
        by_path.send_to_addr(b"by path", &to).unwrap();

        let mut buffer = [0; 9];
        for _ in 0..2 {
            let (size, peer) = socket.peek_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], b"named");
            assert_eq!(peer.as_abstract_name(), from.as_abstract_name());
        }
        assert_eq!(socket.recv(&mut buffer).unwrap(), 5);
        assert!(socket.peek_from(&mut buffer).unwrap().1.is_unnamed());
        assert_eq!(socket.recv(&mut buffer).unwrap(), 7);
        let (size, peer) = socket.peek_from(&mut buffer[..2]).unwrap();
        assert_eq!((size, peer.as_pathname()), (2, Some(&*path)));
    });
}

#[test]
fn reading_of_datagrams_ends_where_it_is_shut_down() {
    isolated(|| {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let ours = Rc::new(ours);
        let waiting = ours.clone();
        let waiter = spawn(move || waiting.recv_from(&mut [0; 9]).map(|(size, _)| size));
        schedule();
        theirs.send(b"last").unwrap();
        ours.shutdown(std::net::Shutdown::Read).unwrap();
        // What is there is received, and then the end, for ever.
        assert_eq!(waiter.join().unwrap().unwrap(), 4);
        assert_eq!(ours.recv(&mut [0; 9]).unwrap(), 0);
        assert_eq!(ours.peek(&mut [0; 9]).unwrap(), 0);
        let (size, peer) = ours.try_recv_from(&mut [0; 9]).unwrap();
        assert!(size == 0 && peer.is_unnamed());
        ours.send(b"the other direction").unwrap();
        assert_eq!(theirs.recv(&mut [0; 99]).unwrap(), 19);
    });
}

#[test]
fn vectored_attempts_never_wait() {
    isolated(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut first, mut second) = ([0; 2], [0; 9]);
        let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        let error = ours.try_read_vectored(&mut buffers).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let pieces = [IoSlice::new(b"abc"), IoSlice::new(b"de")];
        assert_eq!(theirs.try_write_vectored(&pieces).unwrap(), 5);
        ours.wait(Interest::READ, None).unwrap();
        assert_eq!(ours.try_read_vectored(&mut buffers).unwrap(), 5);
        assert_eq!((&first, &second[..3]), (b"ab", &b"cde"[..]));
        let theirs = full(theirs);
        let error = theirs.try_write_vectored(&pieces).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // Nothing to write is nothing to wait for.
        assert_eq!(theirs.try_write_vectored(&[]).unwrap(), 0);
    });
}

#[test]
fn acknowledging_at_once_is_an_option() {
    isolated(|| {
        let (ours, _theirs) = pair();
        ours.set_quickack(false).unwrap();
        assert!(!ours.quickack().unwrap());
        ours.set_quickack(true).unwrap();
        assert!(ours.quickack().unwrap());
        assert_eq!(ours.linger().unwrap(), None);
        let soon = Some(std::time::Duration::from_secs(2));
        ours.set_linger(soon).unwrap();
        assert_eq!(ours.linger().unwrap(), soon);
        ours.set_linger(None).unwrap();
    });
}
