//! Many connections, big transfers, and who gets a turn.

use greenling::io::Interest;
use greenling::net::TcpStream;
use greenling::{schedule, spawn};
use rustix::net::RecvFlags;
use socket2::SockRef;
use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::{half_pair, listener, pair};

/// The `index`-th byte of a stream that no shift or swap leaves alike.
fn byte_at(index: usize, seed: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761 + seed) >> 11) as u8
}

fn pump(stream: &Rc<TcpStream>, size: usize, seed: usize) {
    let bytes: Vec<u8> = (0..size).map(|index| byte_at(index, seed)).collect();
    // Pieces of odd lengths, so that they end anywhere in the buffers.
    for piece in bytes.chunks(7919) {
        (&**stream).write_all(piece).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
}

fn check(stream: &Rc<TcpStream>, size: usize, seed: usize) {
    let mut buffer = vec![0; 10_007];
    let mut at = 0;
    loop {
        let got = (&**stream).read(&mut buffer).unwrap();
        if got == 0 {
            break;
        }
        for byte in &buffer[..got] {
            assert_eq!(*byte, byte_at(at, seed), "byte {at}");
            at += 1;
        }
    }
    assert_eq!(at, size);
}

#[test]
fn big_transfers_both_ways_through_tiny_buffers() {
    const SIZE: usize = 1 << 20;
    isolated(|| {
        let (ours, theirs) = pair();
        for stream in [&ours, &theirs] {
            SockRef::from(stream).set_send_buffer_size(1).unwrap();
            SockRef::from(stream).set_recv_buffer_size(8192).unwrap();
        }
        let (ours, theirs) = (Rc::new(ours), Rc::new(theirs));
        let tasks = [(ours.clone(), 1), (theirs.clone(), 2)]
            .map(|(stream, seed)| spawn(move || pump(&stream, SIZE, seed)));
        let checks = [(ours, 2), (theirs, 1)]
            .map(|(stream, seed)| spawn(move || check(&stream, SIZE, seed)));
        for task in tasks.into_iter().chain(checks) {
            task.join().unwrap();
        }
    });
}

#[test]
fn two_thousand_connections_at_once() {
    const COUNT: usize = 2000;
    isolated(|| {
        let listener = Rc::new(listener());
        let address = listener.local_addr().unwrap();
        let accepting = listener.clone();
        let acceptor = spawn(move || {
            while let Ok((mut stream, _)) = accepting.accept() {
                spawn(move || {
                    let mut request = [0; 4];
                    while stream.read_exact(&mut request).is_ok() {
                        stream.write_all(&request).unwrap();
                    }
                });
            }
        });
        let open = Rc::new(Cell::new(0));
        let clients: Vec<_> = (0..COUNT as u32)
            .map(|number| {
                let open = open.clone();
                spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    open.set(open.get() + 1);
                    // All are open before any goes on.
                    while open.get() < COUNT {
                        greenling::time::sleep(std::time::Duration::from_millis(1));
                    }
                    for round in 0..3 {
                        let request = (number * 3 + round).to_le_bytes();
                        stream.write_all(&request).unwrap();
                        let mut answer = [0; 4];
                        stream.read_exact(&mut answer).unwrap();
                        assert_eq!(answer, request);
                    }
                })
            })
            .collect();
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
        listener.close();
        acceptor.join().unwrap();
    });
}

#[test]
fn a_peer_that_floods_does_not_starve_the_others() {
    flooded(|mut stream, byte| stream.read(byte).is_ok());
}

#[test]
fn nor_does_it_starve_them_by_way_of_wait_and_try() {
    flooded(|stream, byte| {
        stream.wait(Interest::READ, None).unwrap();
        // Whether something was read: the flood may be slower than the reader.
        matches!(stream.try_read(byte), Ok(1))
            || matches!(stream.wait(Interest::READ, None), Ok(ready) if ready.readable)
    });
    // As those do who read by the descriptor.
    flooded(|stream, byte| {
        let ready = stream.wait(Interest::READ, None).unwrap();
        let _ = rustix::net::recv(stream, byte, RecvFlags::DONTWAIT);
        ready.readable
    });
}

/// A tasklet that reads single bytes of a flood gives way to others.
fn flooded(read: fn(&TcpStream, &mut [u8; 1]) -> bool) {
    isolated(move || {
        let (ours, theirs) = half_pair();
        let flood = std::thread::spawn(move || {
            let piece = vec![0; 1 << 16];
            while (&theirs).write_all(&piece).is_ok() {}
        });
        let reads = Rc::new(Cell::new(0u64));
        let counting = reads.clone();
        let reader = spawn(move || {
            let mut byte = [0; 1];
            // One byte at a time: the socket never runs dry.
            while read(&ours, &mut byte) {
                counting.set(counting.get() + 1);
            }
        });
        let mut turns = Vec::new();
        while turns.len() < 1000 {
            schedule();
            turns.push(reads.get());
        }
        let longest = turns.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(longest <= Some(64), "{longest:?} reads without a turn");
        reader.tasklet().kill().unwrap();
        flood.join().unwrap();
    });
}

#[test]
fn a_writer_to_a_greedy_peer_does_not_starve_the_others() {
    isolated(|| {
        let (ours, theirs) = half_pair();
        let sink = std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while (&theirs).read(&mut buffer).is_ok_and(|got| got > 0) {}
        });
        let writes = Rc::new(Cell::new(0u64));
        let counting = writes.clone();
        let writer = spawn(move || {
            while (&ours).write(b"x").is_ok() {
                counting.set(counting.get() + 1);
            }
        });
        let mut longest = 0;
        for _ in 0..1000 {
            let before = writes.get();
            schedule();
            longest = longest.max(writes.get() - before);
        }
        assert!(longest <= 64, "{longest} writes without a turn");
        writer.tasklet().kill().unwrap();
        sink.join().unwrap();
    });
}

#[test]
fn tasklets_that_yield_do_not_starve_a_socket_or_a_timer() {
    isolated(|| {
        let stop = Rc::new(Cell::new(false));
        let yielders: Vec<_> = (0..2)
            .map(|_| {
                let stop = stop.clone();
                spawn(move || {
                    while !stop.get() {
                        schedule();
                    }
                })
            })
            .collect();
        let (mut ours, theirs) = half_pair();
        let echo = std::thread::spawn(move || {
            let mut byte = [0];
            while (&theirs).read_exact(&mut byte).is_ok() {
                (&theirs).write_all(&byte).unwrap();
            }
        });
        for number in 0..200 {
            ours.write_all(&[number]).unwrap();
            let mut byte = [0];
            ours.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [number]);
        }
        greenling::time::sleep(std::time::Duration::from_millis(1));
        stop.set(true);
        yielders.into_iter().for_each(|task| task.join().unwrap());
        drop(ours);
        echo.join().unwrap();
    });
}

#[test]
fn idle_connections_cost_no_polls() {
    isolated(|| {
        let idle: Vec<_> = (0..50)
            .map(|_| {
                let (ours, theirs) = half_pair();
                let reader = spawn(move || (&ours).read(&mut [0]).map(|_| ()));
                (reader, theirs)
            })
            .collect();
        schedule();
        // The edges that say a fresh socket may be written to.
        greenling::time::sleep(std::time::Duration::from_millis(5));
        let before = greenling::inspect::polls();
        greenling::time::sleep(std::time::Duration::from_millis(50));
        let polls = greenling::inspect::polls() - before;
        assert!(polls <= 5, "{polls} polls while nothing happens");
        for (reader, theirs) in idle {
            drop(theirs);
            reader.join().unwrap().unwrap();
        }
    });
}
