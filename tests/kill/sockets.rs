//! Waits for descriptors.

use crate::stage::{Stage, kill_tests};
use greenling::io::Interest;
use greenling::net::{TcpListener, TcpStream};
use greenling::{schedule, spawn};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;
use tests::process::open_descriptors;
use tests::sockets::{Deaf, half_pair, listener};

kill_tests! {
    reading,
    reading_with_limits,
    several_readers,
    writing,
    either_direction,
    accepting,
    accept_backing_off,
    connecting,
    closing_time,
}

/// Reads until the end what a killed reader has left.
fn rest_of(stream: &TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    (&*stream).read_to_end(&mut rest).unwrap();
    rest
}

fn reading(stage: &Stage) {
    let (ours, theirs) = half_pair();
    let (ours, got) = (Rc::new(ours), Rc::new(RefCell::new(Vec::new())));
    let (reading, keeping) = (ours.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = [0; 4];
        loop {
            match (&*reading).read(&mut buffer).unwrap() {
                0 => return,
                count => keeping.borrow_mut().extend_from_slice(&buffer[..count]),
            }
        }
    });
    stage.feed(victim, theirs, &got, &*ours);
}

fn reading_with_limits(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    let ours = Rc::new(ours);
    let reading = ours.clone();
    let victim = stage.victim(move || {
        reading
            .set_read_timeout(Some(Duration::from_micros(500)))
            .unwrap();
        (&*reading).read(&mut [0]).unwrap_err();
        let limited = greenling::time::timeout(Duration::from_micros(500), || {
            reading.set_read_timeout(None).unwrap();
            reading.peek(&mut [0]).unwrap_err()
        });
        limited.unwrap_err();
    });
    stage.end(victim);
    theirs.write_all(b"kept").unwrap();
    drop(theirs);
    assert_eq!(rest_of(&ours), b"kept");
}

fn several_readers(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    let ours = Rc::new(ours);
    let read_one = |ours: Rc<TcpStream>, got: Rc<RefCell<Vec<u8>>>| {
        move || {
            let mut byte = [0];
            (&*ours).read_exact(&mut byte).unwrap();
            got.borrow_mut().push(byte[0]);
        }
    };
    let got = Rc::new(RefCell::new(Vec::new()));
    let first = spawn(read_one(ours.clone(), got.clone()));
    let victim = stage.victim(read_one(ours.clone(), got.clone()));
    let last = spawn(read_one(ours.clone(), got.clone()));
    stage.until_parked();
    schedule();
    // Enough for all; the victim's byte is for whoever comes after it.
    theirs.write_all(b"123").unwrap();
    drop(theirs);
    stage.end(victim);
    first.join().unwrap();
    last.join().unwrap();
    let mut got = got.take();
    got.extend(rest_of(&ours));
    got.sort_unstable();
    assert_eq!(got, b"123");
}

fn writing(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    socket2::SockRef::from(&ours)
        .set_send_buffer_size(1 << 16)
        .unwrap();
    let written = Rc::new(Cell::new(0));
    let counting = written.clone();
    let victim = stage.victim(move || {
        let piece = vec![b'w'; 1 << 20];
        for _ in 0..6 {
            let count = (&ours).write(&piece).unwrap();
            counting.set(counting.get() + count);
        }
    });
    // The victim parks whenever both buffers are full, and its socket goes
    // with it.
    let mut received = 0;
    let mut buffer = vec![0; 1 << 16];
    theirs.set_nonblocking(true).unwrap();
    loop {
        match theirs.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received += count,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                schedule();
            }
        }
    }
    stage.end(victim);
    assert_eq!(
        received,
        written.get(),
        "more or less than was said to be written"
    );
}

fn either_direction(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    let piece = vec![b'e'; 1 << 16];
    while ours.try_write(&piece).is_ok() {}
    ours.try_read(&mut [0]).unwrap_err();
    let ours = Rc::new(ours);
    let waiting = ours.clone();
    let victim = stage.victim(move || {
        let ready = waiting.wait(Interest::BOTH, None).unwrap();
        assert!(ready.readable && !ready.writable);
        assert_eq!(waiting.try_read(&mut [0; 8]).unwrap(), 1);
        let soon = std::time::Instant::now() + Duration::from_micros(500);
        waiting.wait(Interest::BOTH, Some(soon)).unwrap_err();
    });
    stage.until_parked();
    theirs.write_all(b"x").unwrap();
    stage.end(victim);
    // Both lists are left: a wait for one direction works as before.
    theirs.write_all(b"y").unwrap();
    ours.wait(Interest::READ, None).unwrap();
    drop(theirs);
    ours.wait(Interest::WRITE, None).unwrap();
}

fn accepting(stage: &Stage) {
    let listener = Rc::new(listener());
    let address = listener.local_addr().unwrap();
    let accepted = Rc::new(RefCell::new(Vec::new()));
    let (accepting, keeping) = (listener.clone(), accepted.clone());
    let victim = stage.victim(move || {
        for _ in 0..3 {
            let connection = accepting.accept().unwrap();
            keeping.borrow_mut().push(connection);
        }
    });
    let mut clients = Vec::new();
    while clients.len() < 3 {
        stage.until_parked();
        clients.push(std::net::TcpStream::connect(address).unwrap());
    }
    stage.end(victim);
    let mut peers: Vec<_> = accepted.take().into_iter().map(|(_, peer)| peer).collect();
    while peers.len() < 3 {
        peers.push(listener.accept().unwrap().1);
    }
    let locals: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
    assert_eq!(peers, locals, "a connection is lost");
}

fn accept_backing_off(stage: &Stage) {
    let listener: Rc<TcpListener> = Rc::new(listener());
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let few = open_descriptors() as u64 + 10;
    setrlimit(Resource::RLIMIT_NOFILE, few, hard).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    let accepting = listener.clone();
    let victim = stage.victim(move || accepting.accept().unwrap().1);
    stage.until_parked();
    drop(files);
    let peer = stage.end(victim);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    let peer = peer.unwrap_or_else(|| listener.accept().unwrap().1);
    assert_eq!(peer, client.local_addr().unwrap());
}

fn connecting(stage: &Stage) {
    let deaf = Deaf::new();
    let address = deaf.address();
    let victim = stage.victim(move || {
        let limit = Duration::from_millis(1);
        TcpStream::connect_timeout(&address, limit).unwrap_err();
        let names = greenling::net::lookup_host("localhost:80");
        assert!(names.unwrap().next().is_some());
        greenling::time::timeout(limit, || TcpStream::connect(address)).unwrap_err();
    });
    stage.end(victim);
}

fn closing_time(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    let ours = Rc::new(ours);
    let reading = ours.clone();
    let victim = stage.victim(move || (&*reading).read(&mut [0]).unwrap_err());
    stage.until_parked();
    ours.close();
    stage.end(victim);
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}
