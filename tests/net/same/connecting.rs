//! Failures to connect and to bind.

use super::cases;

cases! {
    fn nobody_listens(log) {
        let gone = TcpListener::bind(local()).unwrap().local_addr().unwrap();
        log.outcome("refused", TcpStream::connect(gone));
        let limit = Duration::from_secs(60);
        log.outcome("refused within a limit", TcpStream::connect_timeout(&gone, limit));
        let two = [gone, gone];
        log.outcome("refused twice", TcpStream::connect(&two[..]));
        let none: &[SocketAddr] = &[];
        log.outcome("no address", TcpStream::connect(none));
        let listener = TcpListener::bind(local()).unwrap();
        let both = [gone, listener.local_addr().unwrap()];
        let connected = TcpStream::connect(&both[..]).unwrap();
        log.value("the second", connected.peer_addr().unwrap() == both[1]);
    }

    fn addresses_that_lead_nowhere(log) {
        // Told by this host's own tables, without a packet.
        for (what, text) in [
            ("a group", "224.0.0.1:9"),
            ("everybody", "255.255.255.255:9"),
            ("a group of IPv6", "[ff02::1]:9"),
            ("a link without its name", "[fe80::1]:9"),
            ("port zero", "127.0.0.1:0"),
        ] {
            let address: SocketAddr = text.parse().unwrap();
            log.outcome(what, TcpStream::connect(address));
        }
        log.outcome("not an address", TcpStream::connect("no port here"));
        log.outcome("not a port", TcpStream::connect("localhost:http-or-so"));
    }

    fn addresses_that_can_not_be_bound(log) {
        let listener = TcpListener::bind(local()).unwrap();
        let taken = listener.local_addr().unwrap();
        log.outcome("in use", TcpListener::bind(taken));
        log.outcome("not ours", TcpListener::bind("198.51.100.1:0"));
        let next = [taken, local()];
        log.outcome("the next", TcpListener::bind(&next[..]));
        let udp = UdpSocket::bind(local()).unwrap();
        log.outcome("udp in use", UdpSocket::bind(udp.local_addr().unwrap()));
        log.outcome("udp not ours", UdpSocket::bind("198.51.100.1:0"));
        log.outcome("free again", {
            drop(listener);
            TcpListener::bind(taken)
        });
    }

    fn a_port_of_closed_connections_can_be_bound_again(log) {
        let listener = TcpListener::bind(local()).unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        // The end that closes first waits for late packets.
        drop(listener.accept().unwrap());
        drop(listener);
        log.note("the end", read(&client, 9));
        drop(client);
        log.outcome("bound again", TcpListener::bind(address));
    }

    fn families_do_not_mix(log) {
        let four = UdpSocket::bind(local()).unwrap();
        let six: SocketAddr = (Ipv6Addr::LOCALHOST, 9).into();
        log.outcome("connect", four.connect(six));
        log.outcome("send", four.send_to(b"x", six));
        // TCP takes the socket's family from the address.
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:0".parse().unwrap();
        let listener = TcpListener::bind(local()).unwrap();
        let mapped = SocketAddr::new(mapped.ip(), listener.local_addr().unwrap().port());
        log.outcome("mapped", TcpStream::connect(mapped));
    }

    fn paths_that_nobody_serves(log) {
        let folder = tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        log.outcome("missing", UnixStream::connect(at("missing")));
        log.outcome("no folder", UnixListener::bind(at("missing/socket")));
        std::fs::write(at("file"), "").unwrap();
        log.outcome("a file", UnixStream::connect(at("file")));
        log.outcome("bind a file", UnixListener::bind(at("file")));
        drop(UnixListener::bind(at("left")).unwrap());
        log.outcome("left behind", UnixStream::connect(at("left")));
        log.outcome("bind what was left", UnixListener::bind(at("left")));
        let _datagram = UnixDatagram::bind(at("datagram")).unwrap();
        log.outcome("another kind", UnixStream::connect(at("datagram")));
        log.outcome("too long", UnixListener::bind("x".repeat(200)));
        log.outcome("too long", UnixStream::connect("x".repeat(200)));
        log.outcome("zero inside", UnixStream::connect("a\0b"));
        let sender = UnixDatagram::unbound().unwrap();
        log.outcome("send to nobody", sender.send_to(b"x", at("missing")));
        log.outcome("connect to nobody", sender.connect(at("missing")));
        drop(UnixDatagram::bind(at("gone")).unwrap());
        log.outcome("send to one that is gone", sender.send_to(b"x", at("gone")));
        let _listener = UnixListener::bind(at("stream")).unwrap();
        log.outcome("send to a stream", sender.send_to(b"x", at("stream")));
    }
}
