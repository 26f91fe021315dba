//! Paths, abstract names, pairs.

use super::cases;

cases! {
    fn a_stream_by_path(log) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        log.outcome("in use", UnixListener::bind(&path));
        let mut client = UnixStream::connect(&path).unwrap();
        let (server, peer) = listener.accept().unwrap();
        log.value("the client has no name", peer.is_unnamed());
        log.value("nor here", client.local_addr().unwrap().is_unnamed());
        let address = client.peer_addr().unwrap();
        log.value("the server has", address.as_pathname() == Some(&path));
        let address = listener.local_addr().unwrap();
        log.value("the listener has", address.as_pathname() == Some(&path));
        client.write_all(b"text").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        log.note("text", read(&server, 9));
        log.note("end", read(&server, 9));
        drop(server);
        log.note("end", read(&client, 9));
        log.note("broken", client.write(b"x"));
        drop(listener);
        log.value("the file stays", path.exists());
        log.outcome("refused", UnixStream::connect(&path));
        log.value("debug", format!("{client:?}").starts_with("UnixStream { fd: "));
    }

    fn a_stream_by_abstract_name(log) {
        let at = abstract_name();
        let listener = UnixListener::bind_addr(&at).unwrap();
        log.outcome("in use", UnixListener::bind_addr(&at));
        let client = UnixStream::connect_addr(&at).unwrap();
        let name = client.peer_addr().unwrap();
        log.value("name", name.as_abstract_name() == at.as_abstract_name());
        let (server, _) = listener.accept().unwrap();
        (&server).write_all(b"text").unwrap();
        log.note("text", read(&client, 9));
        drop(listener);
        log.outcome("refused", UnixStream::connect_addr(&at));
        log.outcome("free again", UnixListener::bind_addr(&at));
        let unnamed = UnixDatagram::unbound().unwrap().local_addr().unwrap();
        log.outcome("unnamed", UnixDatagram::unbound().unwrap().connect_addr(&unnamed));
    }

    fn a_pair_whose_peer_goes_with_unread_data_is_reset(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(b"unread").unwrap();
        drop(theirs);
        log.note("read", read(&ours, 9));
        log.note("read again", read(&ours, 9));
        log.note("write", (&ours).write(b"x"));
    }

    fn a_pairs_peer_sees_the_end_and_half_ends(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.shutdown(Shutdown::Read).unwrap();
        log.note("the peer can't write", (&theirs).write(b"x"));
        log.note("the end", read(&ours, 9));
        (&ours).write_all(b"but this way").unwrap();
        log.note("can be read", read(&theirs, 99));
        ours.shutdown(Shutdown::Both).unwrap();
        log.note("the end", read(&theirs, 9));
        log.note("take_error", theirs.take_error().map(|error| error.is_none()));
    }

    fn empty_writes_say_whether_the_peer_is_there(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        log.note("there", (&ours).write(b""));
        ours.set_nonblocking(true).unwrap();
        while (&ours).write(&[0; 1 << 12]).is_ok() {}
        ours.set_nonblocking(false).unwrap();
        log.note("there, but full", (&ours).write(b""));
        drop(theirs);
        log.note("gone", (&ours).write(b""));
    }

    fn a_full_queue_of_connections_makes_clients_wait(log) {
        // A queue of length n holds n + 1 connections.
        let at = abstract_name();
        let listener = Socket::new(socket2::Domain::UNIX, Type::STREAM, None).unwrap();
        let name = [b"\0", at.as_abstract_name().unwrap()].concat();
        let name = std::ffi::OsString::from(String::from_utf8(name).unwrap());
        listener.bind(&socket2::SockAddr::unix(name).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let listener = listener_of(listener.into());
        let _first = UnixStream::connect_addr(&at).unwrap();
        let second = spawn(move || UnixStream::connect_addr(&at).map(|stream| read(&stream, 9)));
        let accepting = spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(b"hello").unwrap();
            }
        });
        accepting.join().unwrap();
        log.note("hello", second.join().unwrap().unwrap());
    }

    fn half_closed_pairs_go_on_in_the_other_direction(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(b"last").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        log.note("data before the end", read(&theirs, 9));
        log.note("the end", read(&theirs, 9));
        log.note("answer", (&theirs).write(b"answer"));
        log.note("answered", read(&ours, 9));
        log.note("write after the own end", (&ours).write(b"x"));
        log.note("second end", theirs.shutdown(Shutdown::Write));
        log.note("read", read(&ours, 9));
        log.outcome("shut down once more", ours.shutdown(Shutdown::Both));
    }

    fn empty_buffers_take_nothing(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        log.note("no buffers", (&ours).read_vectored(&mut []));
        log.note("write no buffers", (&ours).write_vectored(&[]));
        log.note("write empty ones", (&ours).write_vectored(&[IoSlice::new(&[])]));
        (&theirs).write_all(b"data").unwrap();
        log.note("read nothing", (&ours).read(&mut []));
        log.note("read nothing", (&ours).read_vectored(&mut [IoSliceMut::new(&mut [])]));
        log.note("it is still there", read(&ours, 9));
        drop(theirs);
        log.note("nothing of the end", (&ours).read(&mut []));
        log.note("the end", read(&ours, 9));
    }

    fn urgent_data_of_a_pair_splits_reads(log) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&theirs).write_all(b"ab").unwrap();
        log.note("urgent", SockRef::from(&theirs).send_out_of_band(b"!"));
        (&theirs).write_all(b"cd").unwrap();
        log.note("before", read(&ours, 9));
        log.note("taken out", urgent_byte(&ours));
        log.note("taken out twice", urgent_byte(&ours));
        log.note("behind", read(&ours, 9));
        (&theirs).write_all(b"ef").unwrap();
        log.note("urgent", SockRef::from(&theirs).send_out_of_band(b"?"));
        (&theirs).write_all(b"gh").unwrap();
        drop(theirs);
        let mut rest = String::new();
        log.note("rest", (&ours).read_to_string(&mut rest));
        log.value("text", rest);
    }
}
