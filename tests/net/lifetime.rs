//! Descriptors that come, go, and move between threads.

use greenling::net::{TcpListener, TcpStream};
use greenling::time::sleep;
use greenling::{schedule, spawn};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::process::{alone, open_descriptors};
use tests::sockets::{half_pair, listener, pair, plain_pair};

#[test]
fn sockets_move_between_threads_by_way_of_std() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        (&ours).write_all(b"one").unwrap();
        assert!(ours.try_read(&mut [0]).is_err());
        let plain = ours.into_std().unwrap();
        let thread = std::thread::spawn(move || {
            // Blocking again, as std's sockets are.
            (&plain).write_all(b"two").unwrap();
            greenling::enter(|| {
                let mut ours = TcpStream::from_std(plain).unwrap();
                ours.write_all(b"three").unwrap();
                let mut answer = [0; 6];
                ours.read_exact(&mut answer).unwrap();
                answer
            })
        });
        let mut text = [0; 11];
        theirs.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"onetwothree");
        theirs.write_all(b"answer").unwrap();
        assert_eq!(&thread.join().unwrap(), b"answer");
    });
}

#[test]
fn a_returned_socket_blocks() {
    isolated(|| {
        let (ours, theirs) = half_pair();
        let mut plain = ours.into_std().unwrap();
        let writer = std::thread::spawn(move || {
            let mut theirs = theirs;
            let mut go = [0];
            theirs.read_exact(&mut go).unwrap();
            theirs.write_all(b"x").unwrap();
        });
        plain.write_all(b"g").unwrap();
        // WouldBlock, were it still in non-blocking mode.
        plain.read_exact(&mut [0]).unwrap();
        writer.join().unwrap();
    });
}

#[test]
fn listeners_move_as_well() {
    isolated(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        let plain = listener.into_std().unwrap();
        let server = std::thread::spawn(move || {
            greenling::enter(|| {
                let listener = TcpListener::from_std(plain).unwrap();
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(b"moved").unwrap();
            });
        });
        let mut text = String::new();
        TcpStream::connect(address)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "moved");
        server.join().unwrap();
    });
}

#[test]
fn a_reused_descriptor_inherits_no_readiness() {
    isolated(|| {
        for round in 0..50u8 {
            // Ready in both directions, ended, and never looked at.
            let (old, mut peer) = half_pair();
            peer.write_all(b"stale").unwrap();
            drop(peer);
            if round % 2 == 0 {
                sleep(Duration::ZERO);
            }
            let number = old.as_raw_fd();
            drop(old);
            let (ours, mut theirs) = plain_pair();
            let reused = [ours.as_raw_fd(), theirs.as_raw_fd()].contains(&number);
            let fresh = TcpStream::from_std(ours).unwrap();
            let mut byte = [0; 8];
            let error = fresh.try_read(&mut byte).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            let reader = spawn(move || {
                let mut byte = [0; 8];
                let got = (&fresh).read(&mut byte).unwrap();
                byte[..got].to_vec()
            });
            schedule();
            sleep(Duration::ZERO);
            assert!(!reader.is_finished(), "reused: {reused}");
            theirs.write_all(&[round]).unwrap();
            assert_eq!(reader.join().unwrap(), [round]);
        }
    });
}

#[test]
fn a_kill_of_the_only_owner_ends_the_watch() {
    isolated(|| {
        for _ in 0..20 {
            let (ours, mut theirs) = half_pair();
            let reader = spawn(move || (&ours).read(&mut [0]).map(drop));
            schedule();
            reader.tasklet().kill().unwrap();
            // The socket went with the tasklet, and the peer hears of it.
            assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
        }
        let (ours, mut theirs) = half_pair();
        theirs.write_all(b"x").unwrap();
        (&ours).read_exact(&mut [0]).unwrap();
    });
}

#[test]
fn a_socket_dropped_by_a_tasklet_that_was_woken_for_it_harms_nobody() {
    isolated(|| {
        // Both get an event from the same poll; the first drops the second's
        // peer, and opens a socket that takes the place in the reactor.
        let (first, mut first_peer) = half_pair();
        let (second, mut second_peer) = half_pair();
        let second = Rc::new(second);
        let dropped = Rc::new(std::cell::RefCell::new(Some(second.clone())));
        let taking = dropped.clone();
        let one = spawn(move || {
            (&first).read_exact(&mut [0]).unwrap();
            drop(taking.take());
            let (fresh, fresh_peer) = half_pair();
            assert!(fresh.try_read(&mut [0]).is_err());
            (fresh, fresh_peer)
        });
        let two = spawn(move || (&*second).read_exact(&mut [0]).unwrap());
        schedule();
        first_peer.write_all(b"1").unwrap();
        second_peer.write_all(b"2").unwrap();
        let (mut fresh, mut fresh_peer) = one.join().unwrap();
        two.join().unwrap();
        fresh_peer.write_all(b"3").unwrap();
        fresh.read_exact(&mut [0]).unwrap();
    });
}

#[test]
fn nothing_is_leaked() {
    alone("lifetime::nothing_is_leaked", || {
        let before = open_descriptors();
        for _ in 0..3 {
            let thread = std::thread::spawn(|| {
                greenling::enter(|| {
                    let listener = listener();
                    let address = listener.local_addr().unwrap();
                    for _ in 0..20 {
                        let (ours, theirs) = pair();
                        spawn(move || (&ours).read(&mut [0]).map(drop));
                        spawn(move || theirs.peek(&mut [0]).map(drop));
                    }
                    spawn(move || listener.accept().map(drop));
                    schedule();
                    drop(TcpStream::connect(address).unwrap());
                });
            });
            thread.join().unwrap();
            assert_eq!(open_descriptors(), before);
        }
    });
}
