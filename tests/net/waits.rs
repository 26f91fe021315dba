//! Time limits, closing, and several waiters on one socket.

use greenling::net::TcpStream;
use greenling::time::{sleep, timeout};
use greenling::{io::Interest, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::isolated;
use tests::sockets::{listener, pair};

const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(3600);

/// Writes until the socket takes no more, and tells how much it took.
fn fill(stream: &TcpStream) -> usize {
    let piece = vec![b'f'; 1 << 16];
    let mut sent = 0;
    while let Ok(count) = stream.try_write(&piece) {
        sent += count;
    }
    sent
}

#[test]
fn a_sockets_own_limit_is_would_block_and_a_scopes_is_timed_out() {
    isolated(|| {
        let (mut ours, mut theirs) = pair();
        let mut buffer = [0; 8];
        ours.set_read_timeout(Some(SHORT)).unwrap();
        let error = ours.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // A scope that ends later changes nothing, and is not marked.
        let error = timeout(LONG, || ours.read(&mut buffer))
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // One that ends earlier wins.
        ours.set_read_timeout(Some(LONG)).unwrap();
        let elapsed = timeout(SHORT, || ours.read(&mut buffer)).unwrap_err();
        assert_eq!(
            elapsed.into_inner().unwrap_err().kind(),
            ErrorKind::TimedOut
        );
        ours.set_read_timeout(None).unwrap();
        let elapsed = timeout(SHORT, || ours.read(&mut buffer)).unwrap_err();
        assert_eq!(
            elapsed.into_inner().unwrap_err().kind(),
            ErrorKind::TimedOut
        );
        // Nothing is lost by all that.
        theirs.write_all(b"still").unwrap();
        assert_eq!(ours.read(&mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..5], b"still");
    });
}

#[test]
fn write_limits_end_a_write_that_makes_no_progress() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let mut sent = fill(&ours);
        ours.set_write_timeout(Some(SHORT)).unwrap();
        let error = (&ours).write(b"more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        ours.set_write_timeout(None).unwrap();
        let elapsed = timeout(SHORT, || (&ours).write(b"more")).unwrap_err();
        assert_eq!(
            elapsed.into_inner().unwrap_err().kind(),
            ErrorKind::TimedOut
        );
        let reader = spawn(move || {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            all
        });
        (&ours).write_all(b"end").unwrap();
        sent += 3;
        drop(ours);
        let all = reader.join().unwrap();
        assert_eq!(all.len(), sent);
        assert_eq!(&all[sent - 3..], b"end");
    });
}

#[test]
fn data_that_is_there_is_read_also_after_the_deadline() {
    isolated(|| {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"ab").unwrap();
        let result = timeout(SHORT, || {
            sleep(LONG);
            let mut byte = [0];
            let first = ours.read(&mut byte);
            let second = ours.read(&mut byte);
            let third = ours.read(&mut byte);
            (first.unwrap(), second.unwrap(), third.unwrap_err().kind())
        });
        let inner = result.unwrap_err().into_inner();
        assert_eq!(inner, (1, 1, ErrorKind::TimedOut));
    });
}

#[test]
fn a_deadline_of_a_wait_is_timed_out_and_keeps_the_scope_unmarked() {
    isolated(|| {
        let (ours, _theirs) = pair();
        assert!(ours.try_read(&mut [0]).is_err());
        let deadline = Instant::now() + SHORT;
        let inner = timeout(LONG, || ours.wait(Interest::READ, Some(deadline)));
        assert_eq!(inner.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn either_direction_ends_a_wait_for_both() {
    isolated(|| {
        let (ours, theirs) = pair();
        let sent = fill(&ours);
        assert!(ours.try_read(&mut [0]).is_err());
        let ours = Rc::new(ours);
        let waiting = ours.clone();
        let waiter = spawn(move || waiting.wait(Interest::BOTH, None).unwrap());
        schedule();
        (&theirs).write_all(b"x").unwrap();
        let ready = waiter.join().unwrap();
        assert!(ready.readable && !ready.writable, "{ready:?}");
        assert_eq!(ours.try_read(&mut [0; 8]).unwrap(), 1);
        let waiting = ours.clone();
        let waiter = spawn(move || waiting.wait(Interest::BOTH, None).unwrap());
        schedule();
        let mut left = sent;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            left -= (&theirs).read(&mut buffer).unwrap();
        }
        let ready = waiter.join().unwrap();
        assert!(ready.writable && !ready.readable, "{ready:?}");
    });
}

#[test]
fn a_reader_and_a_writer_share_a_socket() {
    const SIZE: usize = 1 << 20;
    isolated(|| {
        let (ours, theirs) = pair();
        let (ours, theirs) = (Rc::new(ours), Rc::new(theirs));
        let mut tasks = Vec::new();
        for (stream, seed) in [(ours, 3), (theirs, 5)] {
            let reading = stream.clone();
            tasks.push(spawn(move || {
                let mut sum = 0u64;
                let mut left = SIZE;
                let mut buffer = vec![0; 5000];
                while left > 0 {
                    let got = (&*reading).read(&mut buffer).unwrap();
                    assert!(got > 0);
                    sum += buffer[..got].iter().map(|&b| u64::from(b)).sum::<u64>();
                    left -= got;
                }
                sum
            }));
            tasks.push(spawn(move || {
                let bytes: Vec<u8> = (0..SIZE).map(|i| (i * seed) as u8).collect();
                (&*stream).write_all(&bytes).unwrap();
                bytes.iter().map(|&b| u64::from(b)).sum()
            }));
        }
        let sums: Vec<u64> = tasks.into_iter().map(|task| task.join().unwrap()).collect();
        assert_eq!((sums[0], sums[1]), (sums[3], sums[2]));
    });
}

#[test]
fn several_readers_get_each_byte_once() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let ours = Rc::new(ours);
        let got = Rc::new(RefCell::new(Vec::new()));
        let readers: Vec<_> = (0..5)
            .map(|_| {
                let (ours, got) = (ours.clone(), got.clone());
                spawn(move || {
                    let mut buffer = [0; 3];
                    loop {
                        match (&*ours).read(&mut buffer).unwrap() {
                            0 => return,
                            count => got.borrow_mut().extend_from_slice(&buffer[..count]),
                        }
                    }
                })
            })
            .collect();
        let bytes: Vec<u8> = (0..=255).collect();
        for piece in bytes.chunks(7) {
            theirs.write_all(piece).unwrap();
            schedule();
        }
        drop(theirs);
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
        let mut got = got.take();
        got.sort_unstable();
        assert_eq!(got, bytes);
    });
}

#[test]
fn close_wakes_readers_writers_and_waiters_with_an_error() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        fill(&ours);
        // Known not to be readable: else the wait below would say so at once.
        assert!(ours.try_read(&mut [0]).is_err());
        let ours = Rc::new(ours);
        let [a, b, c, d] = std::array::from_fn(|_| ours.clone());
        let kind = |error: std::io::Error| error.kind();
        let waiters = [
            spawn(move || kind((&*a).read(&mut [0]).unwrap_err())),
            spawn(move || kind((&*b).write(b"x").unwrap_err())),
            spawn(move || kind(c.wait(Interest::BOTH, None).unwrap_err())),
            spawn(move || kind(d.peek(&mut [0]).unwrap_err())),
        ];
        schedule();
        ours.close();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), ErrorKind::ConnectionAborted);
        }
        // Everything later fails alike, and closing again does nothing.
        ours.close();
        let error = (&*ours).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        // The peer sees the end although the descriptor is still open.
        let mut rest = Vec::new();
        theirs.read_to_end(&mut rest).unwrap();
    });
}

#[test]
fn close_wakes_all_acceptors() {
    isolated(|| {
        let listener = Rc::new(listener());
        let acceptors: Vec<_> = (0..3)
            .map(|_| {
                let listener = listener.clone();
                spawn(move || listener.accept().map(drop).unwrap_err().kind())
            })
            .collect();
        schedule();
        listener.close();
        for acceptor in acceptors {
            assert_eq!(acceptor.join().unwrap(), ErrorKind::ConnectionAborted);
        }
        let error = listener.accept().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    });
}

#[test]
fn several_acceptors_take_each_connection_once() {
    const COUNT: usize = 60;
    isolated(|| {
        let listener = Rc::new(listener());
        let address = listener.local_addr().unwrap();
        let accepted = Rc::new(Cell::new(0));
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let (listener, accepted) = (listener.clone(), accepted.clone());
                spawn(move || {
                    while let Ok((mut stream, _)) = listener.accept() {
                        accepted.set(accepted.get() + 1);
                        stream.write_all(b"!").unwrap();
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..COUNT)
            .map(|_| {
                spawn(move || {
                    let mut text = String::new();
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.read_to_string(&mut text).unwrap();
                    text
                })
            })
            .collect();
        for client in clients {
            assert_eq!(client.join().unwrap(), "!");
        }
        assert_eq!(accepted.get(), COUNT);
        listener.close();
        acceptors.into_iter().for_each(|task| task.join().unwrap());
    });
}

#[test]
fn a_kill_of_one_waiter_leaves_the_others_waiting() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let ours = Rc::new(ours);
        let read_one = |ours: Rc<TcpStream>| {
            spawn(move || {
                let mut byte = [0];
                (&*ours).read_exact(&mut byte).map(|()| byte[0]).unwrap()
            })
        };
        let (first, second, third) = (
            read_one(ours.clone()),
            read_one(ours.clone()),
            read_one(ours.clone()),
        );
        schedule();
        second.tasklet().kill().unwrap();
        assert!(second.join().unwrap_err().is_killed());
        // Woken by data, but killed before it has run: the data stays.
        theirs.write_all(b"12").unwrap();
        let one = first.join().unwrap();
        let two = third.join().unwrap();
        assert_eq!([one.min(two), one.max(two)], *b"12");
    });
}

#[test]
fn a_yield_inside_a_long_run_of_reads_loses_nothing_when_it_is_killed() {
    // After a number of successes an operation gives way. A kill that arrives
    // there must not take along what has been read already.
    isolated(|| {
        let (ours, mut theirs) = pair();
        let bytes: Vec<u8> = (0..200).collect();
        theirs.write_all(&bytes).unwrap();
        let ours = Rc::new(ours);
        let kept = Rc::new(RefCell::new(Vec::new()));
        let mut finished = false;
        while !finished {
            let (reading, keeping) = (ours.clone(), kept.clone());
            let reader = spawn(move || {
                let mut byte = [0];
                while keeping.borrow().len() < 200 {
                    (&*reading).read_exact(&mut byte).unwrap();
                    keeping.borrow_mut().push(byte[0]);
                }
            });
            // The reader runs until it gives way, and then is killed.
            schedule();
            finished = reader.is_finished();
            if !finished {
                reader.tasklet().kill().unwrap();
            }
        }
        assert_eq!(*kept.borrow(), bytes);
    });
}

#[test]
fn a_yield_of_accept_loses_no_connection_when_it_is_killed() {
    const COUNT: usize = 100;
    isolated(|| {
        let listener = Rc::new(listener());
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..COUNT)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        let kept = Rc::new(RefCell::new(Vec::new()));
        while kept.borrow().len() < COUNT {
            let before = kept.borrow().len();
            let (listener, keeping) = (listener.clone(), kept.clone());
            let acceptor = spawn(move || {
                loop {
                    let accepted = listener.accept().unwrap();
                    keeping.borrow_mut().push(accepted);
                }
            });
            schedule();
            acceptor.tasklet().kill().unwrap();
            assert!(kept.borrow().len() > before, "a connection is lost");
        }
        let kept = kept.borrow();
        let mut peers: Vec<_> = kept.iter().map(|(_, peer)| *peer).collect();
        let mut locals: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        peers.sort_unstable();
        locals.sort_unstable();
        assert_eq!(peers, locals);
    });
}
