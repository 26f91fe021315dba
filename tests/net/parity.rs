//! What a user of std's sockets expects.

use greenling::net::{TcpListener, TcpStream, lookup_host};
use greenling::spawn;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use tests::isolated;
use tests::sockets::{Deaf, listener, pair};

/// An address where nobody listens.
fn refusing() -> SocketAddr {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    gone.local_addr().unwrap()
}

#[test]
fn the_first_address_that_answers_is_taken() {
    isolated(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect([refusing(), address, refusing()].as_slice()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let (served, peer) = listener.accept().unwrap();
        assert_eq!(peer, stream.local_addr().unwrap());
        assert_eq!(served.peer_addr().unwrap(), peer);
        assert_eq!(served.local_addr().unwrap(), address);
    });
}

#[test]
fn a_refused_connection_is_the_last_addresses_error() {
    isolated(|| {
        let error = TcpStream::connect(refusing()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpStream::connect([refusing(), refusing()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpStream::connect(Vec::<SocketAddr>::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn names_and_pairs_are_resolved() {
    isolated(|| {
        let listener = TcpListener::bind("localhost:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(TcpStream::connect(("localhost", port)).unwrap());
        drop(TcpStream::connect(format!("localhost:{port}")).unwrap());
        drop(TcpStream::connect((String::from("localhost"), port)).unwrap());
        let found: Vec<_> = lookup_host("localhost:7").unwrap().collect();
        assert!(found.iter().all(|found| found.port() == 7));
        assert!(found.iter().any(|found| found.ip().is_loopback()));
        let known = lookup_host((IpAddr::from(Ipv4Addr::LOCALHOST), 9)).unwrap();
        assert_eq!(known.collect::<Vec<_>>(), [([127, 0, 0, 1], 9).into()]);
        assert!(TcpStream::connect("no port here").is_err());
    });
}

#[test]
fn an_unanswered_connection_times_out() {
    isolated(|| {
        let deaf = Deaf::new();
        let address = deaf.address();
        let error = TcpStream::connect_timeout(&address, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        // A scope's deadline holds for all addresses together.
        let elapsed = greenling::time::timeout(Duration::from_millis(20), || {
            TcpStream::connect([address, address, address])
        });
        let error = elapsed.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn a_connect_timeout_of_zero_is_refused_as_std_does() {
    isolated(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let error = TcpStream::connect_timeout(&address, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn an_error_thrown_at_a_connecting_tasklet_ends_all_attempts() {
    isolated(|| {
        let deaf = Deaf::new();
        let address = deaf.address();
        let connecting = spawn(move || TcpStream::connect([address, address]).unwrap_err());
        greenling::schedule();
        connecting.tasklet().throw("enough").unwrap();
        let error = connecting.join().unwrap();
        assert!(error.to_string().contains("enough"), "{error}");
    });
}

#[test]
fn options_are_those_of_the_socket() {
    isolated(|| {
        let (ours, _theirs) = pair();
        ours.set_nodelay(true).unwrap();
        assert!(ours.nodelay().unwrap());
        ours.set_nodelay(false).unwrap();
        assert!(!ours.nodelay().unwrap());
        for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            let error = set(&ours, Some(Duration::ZERO)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            set(&ours, Some(Duration::from_secs(3))).unwrap();
        }
        assert_eq!(ours.read_timeout().unwrap(), Some(Duration::from_secs(3)));
        assert_eq!(ours.write_timeout().unwrap(), Some(Duration::from_secs(3)));
        assert!(ours.take_error().unwrap().is_none());
        assert_eq!(ours.as_fd().as_raw_fd(), ours.as_raw_fd());
        let fd = ours.as_fd();
        let flags = nix::sys::socket::getsockopt(&fd, nix::sys::socket::sockopt::SockType);
        assert_eq!(flags.unwrap(), nix::sys::socket::SockType::Stream);
    });
}

#[test]
fn descriptors_are_not_inherited_by_children() {
    isolated(|| {
        let listener = listener();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        for fd in [listener.as_raw_fd(), ours.as_raw_fd(), theirs.as_raw_fd()] {
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
            assert_ne!(flags & 0o2000000, 0, "O_CLOEXEC is missing: {info}");
            assert_ne!(flags & 0o4000, 0, "O_NONBLOCK is missing: {info}");
        }
    });
}

#[test]
fn peek_leaves_the_bytes_there() {
    isolated(|| {
        let (mut ours, mut theirs) = pair();
        let peeker = spawn(move || {
            let mut seen = [0; 3];
            // Waits, since nothing has been sent yet.
            assert_eq!(ours.peek(&mut seen).unwrap(), 3);
            assert_eq!(&seen, b"abc");
            assert_eq!(ours.peek(&mut seen).unwrap(), 3);
            let mut all = [0; 8];
            assert_eq!(ours.read(&mut all).unwrap(), 6);
            assert_eq!(&all[..6], b"abcdef");
            // The end of the stream can be peeked at as well.
            assert_eq!(ours.peek(&mut seen).unwrap(), 0);
        });
        greenling::schedule();
        theirs.write_all(b"abcdef").unwrap();
        drop(theirs);
        peeker.join().unwrap();
    });
}

#[test]
fn vectored_operations_fill_and_empty_all_buffers() {
    isolated(|| {
        let (mut ours, mut theirs) = pair();
        let reader = spawn(move || {
            let (mut first, mut second) = ([0; 3], [0; 5]);
            let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert_eq!(ours.read_vectored(&mut buffers).unwrap(), 6);
            assert_eq!((&first, &second[..3]), (b"abc", b"def".as_slice()));
            assert_eq!(ours.read_vectored(&mut []).unwrap_or(0), 0);
        });
        greenling::schedule();
        let buffers = [
            IoSlice::new(b"ab"),
            IoSlice::new(b""),
            IoSlice::new(b"cdef"),
        ];
        assert_eq!(theirs.write_vectored(&buffers).unwrap(), 6);
        drop(theirs);
        reader.join().unwrap();
    });
}

#[test]
fn try_operations_never_wait() {
    isolated(|| {
        let (ours, theirs) = pair();
        let mut buffer = [0; 16];
        for _ in 0..3 {
            let error = ours.try_read(&mut buffer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
        let piece = vec![7; 1 << 16];
        let mut sent = 0;
        loop {
            match theirs.try_write(&piece) {
                Ok(count) => sent += count,
                Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        // What has been accepted arrives.
        let mut received = 0;
        while received < sent {
            let mut buffer = [0; 4096];
            received += (&ours).read(&mut buffer).unwrap();
        }
        assert_eq!(received, sent);
        theirs.wait(greenling::io::Interest::WRITE, None).unwrap();
        assert!(theirs.try_write(b"more").unwrap() > 0);
    });
}

#[test]
fn ipv6_works_alike() {
    isolated(|| {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            return tests::tools::skip("ipv6_works_alike", "no IPv6");
        };
        let address = listener.local_addr().unwrap();
        let client = spawn(move || {
            let mut text = String::new();
            TcpStream::connect(address)
                .and_then(|mut stream| stream.read_to_string(&mut text))
                .map(|_| text)
        });
        let (mut served, _) = listener.accept().unwrap();
        served.write_all(b"six").unwrap();
        drop(served);
        assert_eq!(client.join().unwrap().unwrap(), "six");
    });
}

#[test]
fn a_bound_port_is_in_use_unless_it_is_shared() {
    isolated(|| {
        let first = listener();
        let address = first.local_addr().unwrap();
        let error = TcpListener::bind(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        // The next address is tried.
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let second = TcpListener::bind([address, any]).unwrap();
        assert_ne!(second.local_addr().unwrap(), address);
        let shared = TcpListener::bind_reuseport("127.0.0.1:0").unwrap();
        let again = TcpListener::bind_reuseport(shared.local_addr().unwrap()).unwrap();
        assert_eq!(shared.local_addr().unwrap(), again.local_addr().unwrap());
    });
}

#[test]
fn the_main_tasklet_and_plain_threads_can_use_sockets_without_enter() {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        let mut byte = [0];
        ours.read_exact(&mut byte).unwrap();
        sender.send(byte).unwrap();
    });
    let got = receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(&got, b"x");
}
