//! What TCP and Unix streams share: limits, modes, clones, helpers of std's.

use super::cases;

cases! {
    fn limits_of_zero_are_invalid(log) {
        let zero = Some(Duration::ZERO);
        let (tcp, _peer) = tcp_pair();
        log.note("tcp read", tcp.set_read_timeout(zero));
        log.note("tcp write", tcp.set_write_timeout(zero));
        let (unix, _peer) = UnixStream::pair().unwrap();
        log.note("unix read", unix.set_read_timeout(zero));
        log.note("unix write", unix.set_write_timeout(zero));
        let udp = UdpSocket::bind(local()).unwrap();
        log.note("udp read", udp.set_read_timeout(zero));
        log.note("udp write", udp.set_write_timeout(zero));
        let datagram = UnixDatagram::unbound().unwrap();
        log.note("datagram read", datagram.set_read_timeout(zero));
        log.note("datagram write", datagram.set_write_timeout(zero));
        let listener = TcpListener::bind(local()).unwrap();
        let address = listener.local_addr().unwrap();
        log.outcome("connect", TcpStream::connect_timeout(&address, Duration::ZERO));
        // None of them has been set.
        log.note("tcp", tcp.read_timeout());
        log.note("unix", unix.write_timeout());
        log.note("udp", udp.read_timeout());
        log.note("datagram", datagram.write_timeout());
    }

    fn limits_end_reads_and_writes_with_would_block(log) {
        let (tcp, tcp_peer) = tcp_pair();
        let (unix, unix_peer) = UnixStream::pair().unwrap();
        let limit = Some(Duration::from_secs(1));
        log.note("set", tcp.set_read_timeout(limit));
        log.note("get", tcp.read_timeout());
        log.note("get", tcp.write_timeout());
        tcp.set_read_timeout(Some(SHORT)).unwrap();
        unix.set_read_timeout(Some(SHORT)).unwrap();
        log.note("tcp", read(&tcp, 9));
        log.note("unix", read(&unix, 9));
        log.note("tcp peek", tcp.peek(&mut [0; 9]));
        (&tcp_peer).write_all(b"later").unwrap();
        (&unix_peer).write_all(b"later").unwrap();
        log.note("tcp again", read(&tcp, 9));
        log.note("unix again", read(&unix, 9));
        tcp.set_write_timeout(Some(SHORT)).unwrap();
        unix.set_write_timeout(Some(SHORT)).unwrap();
        let piece = vec![0; 1 << 20];
        let end = |result: io::Result<()>| result.map_err(|error| error.kind());
        log.value("tcp", end((&tcp).write_all(&vec![0; 1 << 26])));
        log.value("unix", end((&unix).write_all(&piece)));
    }

    fn operations_in_nonblocking_mode_fail_instead_of_waiting(log) {
        let (tcp, tcp_peer) = tcp_pair();
        let (unix, unix_peer) = UnixStream::pair().unwrap();
        let (listener, at) = (TcpListener::bind(local()).unwrap(), abstract_name());
        let unix_listener = UnixListener::bind_addr(&at).unwrap();
        let udp = UdpSocket::bind(local()).unwrap();
        let (datagram, _peer) = UnixDatagram::pair().unwrap();
        tcp.set_nonblocking(true).unwrap();
        unix.set_nonblocking(true).unwrap();
        listener.set_nonblocking(true).unwrap();
        unix_listener.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        datagram.set_nonblocking(true).unwrap();
        log.note("tcp", read(&tcp, 9));
        log.note("peek", tcp.peek(&mut [0]));
        log.note("unix", read(&unix, 9));
        log.outcome("accept", listener.accept());
        log.outcome("unix accept", unix_listener.accept());
        log.outcome("udp", udp.recv(&mut [0]));
        log.outcome("udp from", udp.recv_from(&mut [0]));
        log.outcome("datagram", datagram.recv(&mut [0]));
        let filled = std::iter::repeat_with(|| (&tcp).write(&[0; 1 << 16])).find_map(Result::err);
        log.value("full", filled.map(|error| error.kind()));
        tcp.set_nonblocking(false).unwrap();
        unix.set_nonblocking(false).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        log.outcome("accept", listener.accept());
        let writing = spawn(move || {
            (&tcp_peer).write_all(b"tcp").unwrap();
            (&unix_peer).write_all(b"unix").unwrap();
        });
        log.note("tcp", read(&tcp, 9));
        log.note("unix", read(&unix, 9));
        writing.join().unwrap();
    }

    fn shutting_down_ends_waits(log) {
        let (ours, _theirs) = tcp_pair();
        let (unix, _unix_theirs) = UnixStream::pair().unwrap();
        let (handle, unix_handle) = (ours.try_clone().unwrap(), unix.try_clone().unwrap());
        let reading = spawn(move || {
            let end = |result: io::Result<String>| result.map_err(|error| error.kind());
            (end(read(&ours, 9)), end(read(&unix, 9)))
        });
        log.note("tcp", handle.shutdown(Shutdown::Read));
        log.note("unix", unix_handle.shutdown(Shutdown::Both));
        log.value("reads", reading.join().unwrap());

        let (ours, _theirs) = tcp_pair();
        let (unix, _unix_theirs) = UnixStream::pair().unwrap();
        let (handle, unix_handle) = (ours.try_clone().unwrap(), unix.try_clone().unwrap());
        let writing = spawn(move || {
            let end = |result: io::Result<()>| result.map_err(|error| error.kind());
            let piece = vec![0; 1 << 26];
            (end((&ours).write_all(&piece)), end((&unix).write_all(&piece)))
        });
        // It waits when the buffers are full, or fails before: as it does then.
        log.note("tcp", handle.shutdown(Shutdown::Write));
        log.note("unix", unix_handle.shutdown(Shutdown::Write));
        log.value("writes", writing.join().unwrap());
    }

    fn a_descriptor_that_is_used_again_has_nothing_left(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        for stream in [&ours, &theirs] {
            stream.set_read_timeout(Some(SHORT)).unwrap();
            log.note("limit", read(stream, 9));
            stream.set_nonblocking(true).unwrap();
            log.note("at once", read(stream, 9));
        }
        for mut stream in [&ours, &theirs] {
            stream.write_all(b"left").unwrap();
        }
        drop((ours, theirs));
        // Of the lowest free numbers, as those above were.
        let (tcp, tcp_peer) = tcp_pair();
        let (datagram, datagram_peer) = UnixDatagram::pair().unwrap();
        let udp = UdpSocket::bind(local()).unwrap();
        log.note("tcp", tcp.read_timeout());
        log.note("datagram", datagram.read_timeout());
        log.note("udp", udp.read_timeout());
        let late = spawn(move || {
            (&tcp_peer).write_all(b"tcp").unwrap();
            datagram_peer.send(b"datagram").unwrap();
        });
        log.note("tcp", read(&tcp, 9));
        log.note("datagram", datagram.recv(&mut [0; 9]));
        late.join().unwrap();
        drop((tcp, datagram));
        let (unix, unix_peer) = UnixStream::pair().unwrap();
        drop(unix_peer);
        log.note("unix", read(&unix, 9));
    }

    fn socket2_takes_them_all(log) {
        let (tcp, _peer) = tcp_pair();
        let (unix, _peer) = UnixStream::pair().unwrap();
        let (datagram, _peer) = UnixDatagram::pair().unwrap();
        let udp = UdpSocket::bind(local()).unwrap();
        let listener = TcpListener::bind(local()).unwrap();
        let unix_listener = UnixListener::bind_addr(&abstract_name()).unwrap();
        for socket in [
            SockRef::from(&tcp),
            SockRef::from(&unix),
            SockRef::from(&datagram),
            SockRef::from(&udp),
            SockRef::from(&listener),
            SockRef::from(&unix_listener),
        ] {
            log.note("type", socket.r#type());
            log.note("domain", socket.domain());
            log.note("protocol", socket.protocol());
            log.note("listens", socket.is_listener());
            log.note("keepalive", socket.keepalive());
            log.note("linger", socket.linger());
            log.note("set", socket.set_linger(Some(Duration::from_secs(1))));
            log.note("linger", socket.linger());
            log.note("buffer", socket.recv_buffer_size());
            log.note("error", socket.take_error().map(|error| error.is_none()));
        }
    }

    fn clones_share_limits_and_ends(log) {
        let (ours, theirs) = tcp_pair();
        let clone = ours.try_clone().unwrap();
        clone.set_read_timeout(Some(SHORT)).unwrap();
        // The kernel rounds to its own ticks.
        log.value("limit", ours.read_timeout().unwrap() >= Some(SHORT));
        log.note("read", read(&ours, 9));
        clone.set_nonblocking(true).unwrap();
        log.note("read at once", read(&ours, 9));
        ours.set_nonblocking(false).unwrap();
        (&theirs).write_all(b"once").unwrap();
        ours.peek(&mut [0]).unwrap();
        log.note("one reads", read(&clone, 2));
        log.note("the other the rest", read(&ours, 9));
        drop(ours);
        (&clone).write_all(b"open").unwrap();
        log.note("still open", read(&theirs, 9));
        clone.try_clone().unwrap().shutdown(Shutdown::Write).unwrap();
        log.note("shut down", (&clone).write(b"x"));
        log.note("the end", read(&theirs, 9));
    }

    fn clones_of_the_other_sockets_share_as_well(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let clone = ours.try_clone().unwrap();
        drop(ours);
        (&clone).write_all(b"unix").unwrap();
        log.note("unix", read(&theirs, 9));
        let udp = UdpSocket::bind(local()).unwrap();
        let clone = udp.try_clone().unwrap();
        let address = udp.local_addr().unwrap();
        drop(udp);
        log.note("send", clone.send_to(b"self", address));
        log.note("udp", clone.recv(&mut [0; 9]));
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let clone = ours.try_clone().unwrap();
        drop(ours);
        log.note("send", clone.send(b"datagram"));
        log.note("datagram", theirs.recv(&mut [0; 9]));
        let listener = TcpListener::bind(local()).unwrap();
        let clone = listener.try_clone().unwrap();
        drop(listener);
        let _client = TcpStream::connect(clone.local_addr().unwrap()).unwrap();
        log.outcome("accept", clone.accept());
        let at = abstract_name();
        let listener = UnixListener::bind_addr(&at).unwrap();
        let clone = listener.try_clone().unwrap();
        drop(listener);
        let _client = UnixStream::connect_addr(&at).unwrap();
        log.outcome("accept", clone.accept());
    }

    fn helpers_of_std_work_on_both(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (tcp, tcp_peer) = tcp_pair();
        let copying = spawn(move || {
            let copied = io::copy(&mut &theirs, &mut &tcp).unwrap();
            tcp.shutdown(Shutdown::Write).unwrap();
            copied
        });
        let writing = spawn(move || {
            let mut writer = io::BufWriter::new(&ours);
            for number in 0..10_000 {
                writeln!(writer, "line {number}").unwrap();
            }
            writer.flush().unwrap();
        });
        let lines = io::BufRead::lines(io::BufReader::new(&tcp_peer));
        let lines: Vec<_> = lines.map(Result::unwrap).collect();
        log.value("lines", lines.len());
        log.value("last", lines.last().cloned());
        log.value("copied", copying.join().unwrap());
        writing.join().unwrap();
        log.note("too little", (&tcp_peer).read_exact(&mut [0; 5]));
    }

    fn accepted_connections_come_one_after_the_other(log) {
        let listener = TcpListener::bind(local()).unwrap();
        let address = listener.local_addr().unwrap();
        let clients = spawn(move || {
            for text in ["one", "two", "three"] {
                TcpStream::connect(address).unwrap().write_all(text.as_bytes()).unwrap();
            }
        });
        for stream in listener.incoming().take(3) {
            log.note("tcp", read(stream.unwrap(), 9));
        }
        clients.join().unwrap();
        let at = abstract_name();
        let listener = UnixListener::bind_addr(&at).unwrap();
        let clients = spawn(move || {
            for text in ["one", "two", "three"] {
                UnixStream::connect_addr(&at).unwrap().write_all(text.as_bytes()).unwrap();
            }
        });
        for stream in listener.incoming().take(3) {
            log.note("unix", read(stream.unwrap(), 9));
        }
        clients.join().unwrap();
    }
}
