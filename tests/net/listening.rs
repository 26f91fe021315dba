//! Listeners: options, closing, what `accept` does with errors that stay.

use greenling::net::{
    ListenOptions, TcpKeepalive, TcpListener, TcpStream, UdpSocket, UnixListener, UnixStream,
};
use greenling::time::timeout;
use greenling::{schedule, spawn};
use socket2::SockRef;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use tests::isolated;
use tests::sockets::listener;

#[test]
fn options_are_set_before_the_socket_listens() {
    isolated(|| {
        let options = ListenOptions::new()
            .backlog(0)
            .reuse_port(true)
            .ttl(7)
            .nodelay(true)
            .receive_buffer(1 << 15)
            .send_buffer(1 << 14);
        let listener = options.bind("127.0.0.1:0").unwrap();
        let socket = SockRef::from(&listener);
        assert!(socket.reuse_port().unwrap() && socket.reuse_address().unwrap());
        assert_eq!(listener.ttl().unwrap(), 7);
        // The kernel doubles them for its own needs.
        assert_eq!(socket.recv_buffer_size().unwrap(), 1 << 16);
        assert_eq!(socket.send_buffer_size().unwrap(), 1 << 15);
        let address = listener.local_addr().unwrap();
        drop(options.bind(address).unwrap());
        let _client = TcpStream::connect(address).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
        assert_eq!(accepted.ttl().unwrap(), 7);
    });
}

#[test]
fn a_short_backlog_is_short() {
    isolated(|| {
        let listener = ListenOptions::new().backlog(0).bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // A queue of length n holds n + 1 connections.
        let _first = TcpStream::connect(address).unwrap();
        let limit = Duration::from_millis(20);
        let error = TcpStream::connect_timeout(&address, limit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn one_socket_listens_at_both_families_or_at_one() {
    isolated(|| {
        let both = ListenOptions::new().only_v6(false);
        let Ok(both) = both.bind("[::]:0") else {
            return tests::tools::skip("dual stack", "no IPv6");
        };
        let port = both.local_addr().unwrap().port();
        let _four = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let peer = both.accept().unwrap().1.ip();
        assert_eq!(peer.to_canonical(), std::net::Ipv4Addr::LOCALHOST);
        let _six = TcpStream::connect(("::1", port)).unwrap();
        assert_eq!(both.accept().unwrap().1.ip(), std::net::Ipv6Addr::LOCALHOST);

        let six = ListenOptions::new().only_v6(true).bind("[::]:0").unwrap();
        let port = six.local_addr().unwrap().port();
        let error = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // The port is free in the other family.
        TcpListener::bind(("0.0.0.0", port)).unwrap();
    });
}

#[test]
fn options_that_the_kernel_refuses_are_errors() {
    isolated(|| {
        let error = ListenOptions::new()
            .ttl(1000)
            .bind("127.0.0.1:0")
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let taken = listener();
        let strict = ListenOptions::new().reuse_address(false);
        let error = strict.bind(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn keepalive_is_set_read_and_switched_off() {
    isolated(|| {
        let mut wanted = TcpKeepalive::default();
        wanted.time = Some(Duration::from_secs(61));
        wanted.interval = Some(Duration::from_secs(7));
        wanted.retries = Some(3);
        let listener = ListenOptions::new()
            .keepalive(wanted)
            .bind("127.0.0.1:0")
            .unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(accepted.keepalive().unwrap(), Some(wanted));
        assert_eq!(client.keepalive().unwrap(), None);
        client.set_keepalive(Some(TcpKeepalive::default())).unwrap();
        let default = client.keepalive().unwrap().unwrap();
        assert!(default.time.is_some() && default.retries.is_some());
        client.set_keepalive(Some(wanted)).unwrap();
        assert_eq!(client.keepalive().unwrap(), Some(wanted));
        client.set_keepalive(None).unwrap();
        assert_eq!(client.keepalive().unwrap(), None);
        wanted.time = Some(Duration::from_secs(1 << 20));
        let error = client.set_keepalive(Some(wanted)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_closed_listener_refuses_at_once_and_resets_its_queue() {
    isolated(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let queued = TcpStream::connect(address).unwrap();
        listener.close();
        let error = TcpStream::connect(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = queued.peek(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // The address is free while the descriptor is still there.
        let _another = TcpListener::bind(address).unwrap();
        let error = listener.try_accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let queued = UnixStream::connect(&path).unwrap();
        listener.close();
        let ended = timeout(Duration::from_secs(20), || queued.peek(&mut [0]));
        assert_eq!(ended.expect("the client waits").unwrap(), 0);
        let error = UnixStream::connect(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn closing_a_listener_that_others_may_have_leaves_the_queue_alone() {
    isolated(|| {
        let others = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = others.local_addr().unwrap();
        let ours = TcpListener::from_std(others.try_clone().unwrap()).unwrap();
        ours.close();
        let _client = std::net::TcpStream::connect(address).unwrap();
        let theirs = TcpListener::from_std(others).unwrap();
        theirs.accept().unwrap();
    });
}

#[test]
fn closing_a_listener_that_is_handed_over_ends_its_own_accepts_only() {
    isolated(|| {
        let listener = std::rc::Rc::new(listener());
        let address = listener.local_addr().unwrap();
        assert!(!listener.is_shared());
        listener.set_shared(true);
        let successors = listener.as_fd().try_clone_to_owned().unwrap();
        let accepting = listener.clone();
        let acceptor = spawn(move || accepting.accept().map(drop));
        schedule();
        let queued = std::net::TcpStream::connect(address).unwrap();
        listener.close();
        let error = acceptor.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        let successor = TcpListener::try_from(successors).unwrap();
        assert!(successor.is_shared());
        let (_first, peer) = successor.accept().unwrap();
        assert_eq!(peer, queued.local_addr().unwrap());
        let _later = std::net::TcpStream::connect(address).unwrap();
        successor.accept().unwrap();

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_shared(true);
        let successors = listener.as_fd().try_clone_to_owned().unwrap();
        let _queued = UnixStream::connect(&path).unwrap();
        listener.close();
        let successor = UnixListener::try_from(successors).unwrap();
        successor.accept().unwrap();
    });
}

#[test]
fn incoming_ends_when_the_listener_is_closed() {
    isolated(|| {
        let listener = std::rc::Rc::new(listener());
        let address = listener.local_addr().unwrap();
        let accepting = listener.clone();
        let counting = spawn(move || answer_all(&accepting));
        let clients: Vec<_> = (0..5)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        while !counting.is_finished() {
            schedule();
            if clients
                .iter()
                .all(|client| client.try_read(&mut [0; 1]).is_ok())
            {
                listener.close();
            }
        }
        assert_eq!(counting.join().unwrap(), 5);
        let mut incoming = listener.incoming();
        assert!(incoming.next().is_none() && incoming.next().is_none());
    });
}

/// Answers each connection, and counts them.
fn answer_all(listener: &TcpListener) -> usize {
    let mut kept = Vec::new();
    for stream in listener {
        let mut stream = stream.unwrap();
        stream.write_all(b"!").unwrap();
        kept.push(stream);
    }
    kept.len()
}

#[test]
fn an_error_that_stays_ends_accept_without_spinning() {
    isolated(|| {
        // accept(2) says EOPNOTSUPP, as it may for a single connection, too.
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wrong = TcpListener::try_from(OwnedFd::try_from(udp).unwrap()).unwrap();
        let wrong = std::rc::Rc::new(wrong);
        let accepting = wrong.clone();
        let before = greenling::inspect::polls();
        let error = spawn(move || accepting.accept().map(drop))
            .join()
            .unwrap()
            .unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP));
        // Others run meanwhile, and its pauses can be ended.
        assert!(greenling::inspect::polls() - before < 40);
        let accepting = wrong.clone();
        let acceptor = spawn(move || accepting.accept().map(drop));
        schedule();
        assert!(!acceptor.is_finished());
        wrong.close();
        let error = acceptor.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        let error = TcpListener::try_accept(&wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    });
}
