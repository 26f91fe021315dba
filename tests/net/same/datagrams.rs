//! UDP and Unix datagrams: unreachable ports, truncation, full queues.

use super::cases;

cases! {
    fn unreachable_ports_are_told_to_connected_sockets(log) {
        let gone = UdpSocket::bind(local()).unwrap().local_addr().unwrap();
        let socket = UdpSocket::bind(local()).unwrap();
        socket.connect(gone).unwrap();
        log.note("send", socket.send(b"anybody there?"));
        log.note("recv", socket.recv(&mut [0; 9]));
        socket.set_read_timeout(Some(SHORT)).unwrap();
        log.note("told once", socket.recv(&mut [0; 9]));
        log.note("send", socket.send(b"again"));
        log.note("peek", socket.peek(&mut [0; 9]));
        log.note("unconnected", {
            let other = UdpSocket::bind(local()).unwrap();
            other.send_to(b"nobody is told", gone).unwrap();
            other.set_read_timeout(Some(SHORT)).unwrap();
            other.recv(&mut [0; 9])
        });
        log.note("pending", {
            socket.send(b"once more").unwrap();
            let mut pending = socket.take_error().unwrap();
            while pending.is_none() {
                pending = socket.take_error().unwrap();
            }
            Ok(pending.map(|error| error.kind()))
        });
    }

    fn what_does_not_fit_is_cut_off(log) {
        let (one, other) = (UdpSocket::bind(local()).unwrap(), UdpSocket::bind(local()).unwrap());
        let to = other.local_addr().unwrap();
        log.note("send", one.send_to(b"too long", to));
        log.note("send", one.send_to(b"next", to));
        let mut three = [0; 3];
        let (got, from) = other.recv_from(&mut three).unwrap();
        log.value("three", (got, three, from == one.local_addr().unwrap()));
        log.note("next", other.recv(&mut [0; 9]));
        let (one, other) = UnixDatagram::pair().unwrap();
        log.note("send", one.send(b"too long"));
        log.note("send", one.send(b"next"));
        log.note("three", other.recv(&mut three));
        log.note("next", other.recv(&mut [0; 9]));
        log.note("too big", UdpSocket::bind(local()).unwrap().send_to(&[0; 70_000], to));
    }

    fn empty_datagrams_are_datagrams(log) {
        let (one, other) = (UdpSocket::bind(local()).unwrap(), UdpSocket::bind(local()).unwrap());
        one.connect(other.local_addr().unwrap()).unwrap();
        log.note("send", one.send(b""));
        log.note("send", one.send(b"gone"));
        log.note("send", one.send(b"kept"));
        log.note("recv", other.recv(&mut [0; 9]));
        log.note("recv into nothing", other.recv(&mut []));
        log.note("recv", other.recv(&mut [0; 9]));
        let (one, other) = UnixDatagram::pair().unwrap();
        log.note("send", one.send(b""));
        log.note("send", one.send(b"gone"));
        log.note("send", one.send(b"kept"));
        log.note("recv", other.recv(&mut [0; 9]));
        log.note("recv into nothing", other.recv(&mut []));
        log.note("recv", other.recv(&mut [0; 9]));
    }

    fn connected_sockets_hear_their_peer_only(log) {
        let server = UdpSocket::bind(local()).unwrap();
        let friend = UdpSocket::bind(local()).unwrap();
        let other = UdpSocket::bind(local()).unwrap();
        let to = server.local_addr().unwrap();
        log.outcome("no peer", server.peer_addr());
        log.note("send without a peer", server.send(b"x"));
        server.connect(friend.local_addr().unwrap()).unwrap();
        log.value("peer", server.peer_addr().unwrap() == friend.local_addr().unwrap());
        log.note("other", other.send_to(b"ignored", to));
        log.note("friend", friend.send_to(b"heard", to));
        let mut buffer = [0; 9];
        log.note("peek", server.peek(&mut buffer).map(|got| (got, buffer)));
        let from = server.peek_from(&mut buffer).unwrap();
        log.value("from", (from.0, from.1 == friend.local_addr().unwrap()));
        log.note("recv", server.recv(&mut buffer));
        log.note("send", server.send(b"answer"));
        log.note("answer", friend.recv(&mut buffer));
        let none: &[SocketAddr] = &[];
        log.note("no address", friend.send_to(b"x", none));
        log.note("everybody", friend.send_to(b"x", "255.255.255.255:9"));
        log.value("debug", format!("{friend:?}").starts_with("UdpSocket { addr: 127.0.0.1:"));
    }

    fn options_of_udp(log) {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        log.note("broadcast", socket.broadcast());
        log.note("set", socket.set_broadcast(true));
        log.note("broadcast", socket.broadcast());
        log.note("ttl", socket.ttl());
        log.note("set", socket.set_ttl(9));
        log.note("ttl", socket.ttl());
        log.note("loop", socket.multicast_loop_v4());
        log.note("set", socket.set_multicast_loop_v4(false));
        log.note("loop", socket.multicast_loop_v4());
        log.note("multicast ttl", socket.multicast_ttl_v4());
        log.note("set", socket.set_multicast_ttl_v4(3));
        log.note("multicast ttl", socket.multicast_ttl_v4());
        let group = Ipv4Addr::new(239, 1, 2, 3);
        log.note("join", socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST));
        log.note("join twice", socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST));
        log.note("leave", socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST));
        log.note("leave twice", socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST));
        log.note("no group", socket.join_multicast_v4(&Ipv4Addr::LOCALHOST, &Ipv4Addr::LOCALHOST));
        log.note("another family", socket.set_multicast_loop_v6(true));
        log.note("another family", socket.join_multicast_v6(&Ipv6Addr::LOCALHOST, 0));
        let Ok(six) = UdpSocket::bind("[::1]:0") else { return };
        log.note("loop", six.multicast_loop_v6());
        log.note("set", six.set_multicast_loop_v6(false));
        log.note("loop", six.multicast_loop_v6());
        log.note("leave", six.leave_multicast_v6(&Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2), 1));
    }

    fn limits_end_waits_with_would_block(log) {
        let udp = UdpSocket::bind(local()).unwrap();
        udp.set_read_timeout(Some(SHORT)).unwrap();
        log.note("udp", udp.recv(&mut [0]));
        log.outcome("udp from", udp.recv_from(&mut [0]));
        log.note("udp peek", udp.peek(&mut [0]));
        log.outcome("udp peek from", udp.peek_from(&mut [0]));
        udp.send_to(b"self", udp.local_addr().unwrap()).unwrap();
        log.note("udp", udp.recv(&mut [0; 9]));
        let (one, other) = UnixDatagram::pair().unwrap();
        other.set_read_timeout(Some(SHORT)).unwrap();
        log.note("datagram", other.recv(&mut [0]));
        log.outcome("datagram from", other.recv_from(&mut [0]));
        one.set_write_timeout(Some(SHORT)).unwrap();
        let full = std::iter::repeat_with(|| one.send(b"x")).find_map(Result::err);
        log.value("full", full.map(|error| error.kind()));
        log.note("one out", other.recv(&mut [0; 9]));
        let folder = tempdir().unwrap();
        let path = folder.path().join("socket");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_write_timeout(Some(SHORT)).unwrap();
        let full = std::iter::repeat_with(|| sender.send_to(b"x", &path)).find_map(Result::err);
        log.value("full", full.map(|error| error.kind()));
    }

    fn datagrams_by_path_and_name(log) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("server");
        let server = UnixDatagram::bind(&path).unwrap();
        log.outcome("in use", UnixDatagram::bind(&path));
        let name = abstract_name();
        let client = UnixDatagram::bind_addr(&name).unwrap();
        log.note("to a path", client.send_to(b"hello", &path));
        let mut buffer = [0; 9];
        let (size, from) = server.recv_from(&mut buffer).unwrap();
        log.value("from", (size, from.as_abstract_name() == name.as_abstract_name()));
        log.note("to a name", server.send_to_addr(b"hi", &from));
        let (size, from) = client.recv_from(&mut buffer).unwrap();
        log.value("from", (size, from.as_pathname() == Some(&path)));
        let nobody = UnixDatagram::unbound().unwrap();
        log.value("unbound", nobody.local_addr().unwrap().is_unnamed());
        log.outcome("no peer", nobody.peer_addr());
        log.note("send without a peer", nobody.send(b"x"));
        nobody.connect(&path).unwrap();
        log.note("send", nobody.send(b"unsigned"));
        let (size, from) = server.recv_from(&mut buffer).unwrap();
        log.value("from nobody", (size, from.is_unnamed()));
        nobody.connect_addr(&name).unwrap();
        log.note("send", nobody.send(b"x"));
        log.note("recv", client.recv(&mut buffer));
        log.value("debug", format!("{nobody:?}").starts_with("UnixDatagram { fd: "));
    }

    fn a_pair_of_datagrams_and_its_end(log) {
        let (one, other) = UnixDatagram::pair().unwrap();
        let receiving = spawn(move || {
            let received = other.recv(&mut [0; 9]).map_err(|error| error.kind());
            (received, other)
        });
        log.note("send", one.send(b"one"));
        one.shutdown(Shutdown::Both).unwrap();
        log.note("send", one.send(b"two"));
        log.note("recv", one.recv(&mut [0]));
        let (received, other) = receiving.join().unwrap();
        log.value("received", received);
        drop(one);
        log.note("to nobody", other.send(b"x"));
        log.note("take_error", other.take_error().map(|error| error.is_none()));
    }

    fn a_full_queue_makes_senders_wait(log) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("server");
        let server = UnixDatagram::bind(&path).unwrap();
        let connected = UnixDatagram::unbound().unwrap();
        connected.connect(&path).unwrap();
        let free = UnixDatagram::unbound().unwrap();
        let sending = spawn(move || {
            (0..3000).map(|_| free.send_to(b"free", &path).unwrap()).sum::<usize>()
        });
        let also_sending = spawn(move || {
            (0..3000).map(|_| connected.send(b"bound").unwrap()).sum::<usize>()
        });
        let mut received = 0;
        for _ in 0..6000 {
            received += server.recv(&mut [0; 9]).unwrap();
        }
        log.value("received", received);
        log.value("sent", sending.join().unwrap() + also_sending.join().unwrap());
    }

    fn a_full_buffer_of_the_sender_makes_it_wait(log) {
        // A receiver that is connected to the sender takes whatever fits into the
        // sender's buffer.
        let (to, from) = (abstract_name(), abstract_name());
        let (server, client) = (UnixDatagram::bind_addr(&to), UnixDatagram::bind_addr(&from));
        let (server, client) = (server.unwrap(), client.unwrap());
        server.connect_addr(&from).unwrap();
        let sending = spawn(move || {
            let piece = vec![7; 50_000];
            (0..100).map(|_| client.send_to_addr(&piece, &to).unwrap()).sum::<usize>()
        });
        let mut received = 0;
        let mut buffer = vec![0; 60_000];
        for _ in 0..100 {
            received += server.recv(&mut buffer).unwrap();
        }
        log.value("received", received);
        log.value("sent", sending.join().unwrap());
    }
}
