//! How streams end: half close, an end that arrives with data, a reset.

use greenling::time::timeout;
use greenling::{schedule, spawn};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::sockets::{half_pair, pair};

#[test]
fn a_half_closed_connection_still_answers() {
    isolated(|| {
        let (mut ours, mut theirs) = pair();
        let server = spawn(move || {
            let mut request = String::new();
            theirs.read_to_string(&mut request).unwrap();
            theirs.write_all(request.to_uppercase().as_bytes()).unwrap();
        });
        ours.write_all(b"question").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        let error = ours.write(b"more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let mut answer = String::new();
        ours.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "QUESTION");
        server.join().unwrap();
    });
}

#[test]
fn shutting_down_wakes_readers_and_writers() {
    isolated(|| {
        let (ours, _theirs) = pair();
        let piece = vec![0; 1 << 16];
        while ours.try_write(&piece).is_ok() {}
        let ours = Rc::new(ours);
        let (reading, writing) = (ours.clone(), ours.clone());
        let reader = spawn(move || (&*reading).read(&mut [0; 4]));
        let writer = spawn(move || (&*writing).write(b"x"));
        schedule();
        assert!(!reader.is_finished() && !writer.is_finished());
        ours.shutdown(Shutdown::Read).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), 0);
        ours.shutdown(Shutdown::Write).unwrap();
        let error = writer.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn an_end_that_arrives_together_with_data_is_seen() {
    // A short read says that the socket is drained. The end of the stream may
    // be there already, and no further edge announces it.
    isolated(|| {
        for waits_first in [false, true] {
            let (mut ours, mut theirs) = half_pair();
            let reader = move || {
                let mut buffer = [0; 64];
                assert_eq!(ours.read(&mut buffer).unwrap(), 4);
                assert_eq!(ours.read(&mut buffer).unwrap(), 0);
                assert_eq!(ours.read(&mut buffer).unwrap(), 0);
            };
            let task = if waits_first {
                let task = spawn(reader);
                schedule();
                theirs.write_all(b"last").unwrap();
                drop(theirs);
                task
            } else {
                theirs.write_all(b"last").unwrap();
                drop(theirs);
                spawn(reader)
            };
            timeout(Duration::from_secs(30), || task.join().unwrap()).unwrap();
        }
    });
}

#[test]
fn an_end_between_the_edge_and_the_read_is_seen() {
    isolated(|| {
        let (mut ours, mut theirs) = half_pair();
        let reader = spawn(move || {
            let mut buffer = [0; 64];
            assert_eq!(ours.read(&mut buffer).unwrap(), 4);
            assert_eq!(ours.read(&mut buffer).unwrap(), 0);
        });
        schedule();
        theirs.write_all(b"last").unwrap();
        // The edge of the data is taken, but the reader has not run yet: the
        // sleeper was queued before it by the same poll or an earlier one.
        greenling::time::sleep(Duration::ZERO);
        drop(theirs);
        timeout(Duration::from_secs(30), || reader.join().unwrap()).unwrap();
    });
}

#[test]
fn a_reset_is_an_error_for_readers_and_writers() {
    isolated(|| {
        let (ours, theirs) = half_pair();
        let piece = vec![0; 1 << 16];
        while ours.try_write(&piece).is_ok() {}
        let ours = Rc::new(ours);
        let (reading, writing) = (ours.clone(), ours.clone());
        let reader = spawn(move || (&*reading).read(&mut [0; 4]));
        let writer = spawn(move || (&*writing).write(b"x"));
        schedule();
        SockRef::from(&theirs)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(theirs);
        // Whoever looks first takes the error; the other sees what is left.
        let read = reader.join().unwrap();
        let written = writer.join().unwrap();
        let reset = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionReset;
        assert!(
            read.as_ref().is_err_and(reset) || written.as_ref().is_err_and(reset),
            "{read:?} {written:?}"
        );
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
        written.unwrap_err();
        // Neither waits for anything any more.
        assert!(!matches!((&*ours).read(&mut [0; 4]), Ok(1..)));
        (&*ours).write(b"x").unwrap_err();
    });
}

#[test]
fn a_reset_while_connecting_or_right_after_is_an_error_not_a_hang() {
    isolated(|| {
        for _ in 0..50 {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let peer = std::thread::spawn(move || {
                let (stream, _) = listener.accept().unwrap();
                SockRef::from(&stream)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
            });
            if let Ok(mut stream) = greenling::net::TcpStream::connect(address) {
                assert!(!matches!(stream.read(&mut [0; 4]), Ok(1..)));
            }
            peer.join().unwrap();
        }
    });
}

#[test]
fn connections_reset_before_they_are_accepted_do_no_harm() {
    isolated(|| {
        let listener = tests::sockets::listener();
        let address = listener.local_addr().unwrap();
        for _ in 0..10 {
            let gone = std::net::TcpStream::connect(address).unwrap();
            SockRef::from(&gone)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        }
        let mut last = std::net::TcpStream::connect(address).unwrap();
        last.write_all(b"me").unwrap();
        let name = last.local_addr().unwrap();
        let (mut served, _) = loop {
            let (served, peer) = listener.accept().unwrap();
            if peer == name {
                break (served, peer);
            }
        };
        let mut text = [0; 2];
        served.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"me");
    });
}
