//! Ends, resets, empty buffers, urgent data, options.

use super::cases;

cases! {
    fn half_closed_connections_go_on_in_the_other_direction(log) {
        let (ours, theirs) = tcp_pair();
        (&ours).write_all(b"last").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        log.note("data before the end", read(&theirs, 9));
        log.note("the end", read(&theirs, 9));
        log.note("the end again", read(&theirs, 9));
        log.note("answer", (&theirs).write(b"answer"));
        log.note("answered", read(&ours, 9));
        log.note("write after the own end", (&ours).write(b"x"));
        log.note("second end", theirs.shutdown(Shutdown::Write));
        log.note("read", read(&ours, 9));
        log.outcome("peer of a closed connection", ours.peer_addr());
        log.outcome("shut down once more", ours.shutdown(Shutdown::Both));
    }

    fn a_shut_down_reader_reads_what_is_there_and_then_the_end(log) {
        let (ours, theirs) = tcp_pair();
        (&theirs).write_all(b"there").unwrap();
        ours.peek(&mut [0]).unwrap();
        log.note("shut down", ours.shutdown(Shutdown::Read));
        log.note("read", read(&ours, 9));
        log.note("end", read(&ours, 9));
        log.note("the peer may write", (&theirs).write(b"more"));
    }

    fn a_reset_is_told_once_to_readers_and_then_to_writers(log) {
        let (ours, theirs) = tcp_pair();
        SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        drop(theirs);
        log.note("read", read(&ours, 9));
        log.note("read again", read(&ours, 9));
        log.note("write", (&ours).write(b"x"));
        log.note("empty write", (&ours).write(b""));
        log.outcome("peer", ours.peer_addr());
        log.note("pending", ours.take_error().map(|error| error.is_some()));
    }

    fn a_reset_behind_data_hides_the_data(log) {
        let (ours, theirs) = tcp_pair();
        (&theirs).write_all(b"lost").unwrap();
        ours.peek(&mut [0]).unwrap();
        SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        drop(theirs);
        // Only the end of the wait says that the reset is here.
        let mut byte = [0];
        while ours.peer_addr().is_ok() {
            std::thread::yield_now();
        }
        log.note("peek", ours.peek(&mut byte));
        log.note("read", read(&ours, 9));
    }

    fn a_reset_ends_a_waiting_read(log) {
        let (ours, theirs) = tcp_pair();
        let reading = spawn(move || {
            let first = read(&ours, 9).map_err(|error| error.kind());
            let second = read(&ours, 9).map_err(|error| error.kind());
            (first, second)
        });
        let other = spawn(move || {
            SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
            drop(theirs);
        });
        other.join().unwrap();
        log.value("reads", reading.join().unwrap());
    }

    fn empty_buffers_do_not_wait(log) {
        let (ours, theirs) = tcp_pair();
        log.note("no buffers", (&ours).read_vectored(&mut []));
        let mut none = [IoSliceMut::new(&mut [])];
        log.note("empty buffers", (&ours).read_vectored(&mut none));
        log.note("write", (&ours).write(&[]));
        log.note("write no buffers", (&ours).write_vectored(&[]));
        log.note("write empty ones", (&ours).write_vectored(&[IoSlice::new(&[])]));
        (&theirs).write_all(b"data").unwrap();
        log.note("data arrives", ours.peek(&mut [0; 9]));
        log.note("read nothing of it", (&ours).read(&mut []));
        log.note("peek at nothing of it", ours.peek(&mut []));
        log.note("it is still there", read(&ours, 9));
        ours.shutdown(Shutdown::Write).unwrap();
        log.note("write after the end", (&ours).write(&[]));
        log.note("vectored", (&ours).write_vectored(&[]));
    }

    fn empty_writes_do_not_wait_for_a_full_buffer(log) {
        let (ours, _theirs) = tcp_pair();
        ours.set_nonblocking(true).unwrap();
        while (&ours).write(&[0; 1 << 16]).is_ok() {}
        ours.set_nonblocking(false).unwrap();
        log.note("empty write", (&ours).write(&[]));
        log.note("empty vectored write", (&ours).write_vectored(&[IoSlice::new(&[])]));
    }

    fn peeking_leaves_everything_there(log) {
        let (ours, theirs) = tcp_pair();
        (&theirs).write_all(b"peeked").unwrap();
        let mut three = [0; 3];
        log.note("peek", ours.peek(&mut three).map(|got| (got, three)));
        let mut three = [0; 3];
        log.note("again", ours.peek(&mut three).map(|got| (got, three)));
        log.note("read", read(&ours, 9));
        drop(theirs);
        log.note("peek at the end", ours.peek(&mut [0; 3]));
        log.note("read the end", read(&ours, 9));
    }

    fn urgent_data_is_skipped_and_splits_reads(log) {
        let (ours, theirs) = tcp_pair();
        (&theirs).write_all(b"ab").unwrap();
        let mut two = [0; 2];
        (&ours).read_exact(&mut two).unwrap();
        log.note("urgent", SockRef::from(&theirs).send_out_of_band(b"!"));
        (&theirs).write_all(b"cd").unwrap();
        drop(theirs);
        let mut rest = String::new();
        log.note("rest", (&ours).read_to_string(&mut rest));
        log.value("text", rest);
    }

    fn an_urgent_byte_can_be_taken_out(log) {
        let (ours, theirs) = tcp_pair();
        log.note("none", urgent_byte(&ours));
        (&theirs).write_all(b"ab").unwrap();
        log.note("urgent", SockRef::from(&theirs).send_out_of_band(b"!"));
        (&theirs).write_all(b"cd").unwrap();
        log.note("before", read(&ours, 9));
        log.note("taken out", urgent_byte(&ours));
        log.note("taken out twice", urgent_byte(&ours));
        log.note("behind", read(&ours, 9));
    }

    fn urgent_data_in_line_is_data(log) {
        let (ours, theirs) = tcp_pair();
        SockRef::from(&ours).set_out_of_band_inline(true).unwrap();
        (&theirs).write_all(b"ab").unwrap();
        SockRef::from(&theirs).send_out_of_band(b"!").unwrap();
        (&theirs).write_all(b"cd").unwrap();
        drop(theirs);
        let mut text = String::new();
        log.note("all", (&ours).read_to_string(&mut text));
        log.value("text", text);
    }

    fn connections_that_ended_before_they_were_accepted_are_accepted(log) {
        let listener = TcpListener::bind(local()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"bye").unwrap();
        drop(client);
        let reset = TcpStream::connect(address).unwrap();
        SockRef::from(&reset).set_linger(Some(Duration::ZERO)).unwrap();
        drop(reset);
        let (first, _) = listener.accept().unwrap();
        log.note("data", read(&first, 9));
        log.note("end", read(&first, 9));
        let (second, _) = listener.accept().unwrap();
        log.note("reset", read(&second, 9));
    }

    fn options_have_stds_defaults_and_keep_what_is_set(log) {
        let (ours, _theirs) = tcp_pair();
        log.note("nodelay", ours.nodelay());
        log.note("set", ours.set_nodelay(true));
        log.note("nodelay", ours.nodelay());
        log.note("ttl", ours.ttl());
        log.note("set", ours.set_ttl(17));
        log.note("ttl", ours.ttl());
        log.note("set a wrong one", ours.set_ttl(1000));
        log.note("pending error", ours.take_error().map(|error| error.is_none()));
        let listener = TcpListener::bind(local()).unwrap();
        log.note("listener's ttl", listener.ttl());
        log.note("set", listener.set_ttl(18));
        log.note("listener's ttl", listener.ttl());
        log.note("pending error", listener.take_error().map(|error| error.is_none()));
        log.value("debug", format!("{ours:?}").starts_with("TcpStream { addr: 127.0.0.1:"));
        log.value("debug", format!("{listener:?}").starts_with("TcpListener { addr: 127.0.0.1:"));
    }
}
