//! Waits for UDP and Unix sockets, and for one of several addresses.

use crate::stage::{Stage, kill_tests};
use greenling::net::{TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{self, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tests::sockets::{Deaf, half_pair, listener};

kill_tests! {
    receiving_datagrams,
    receiving_unix_datagrams,
    sending_to_a_full_queue,
    sending_to_another_sockets_full_queue,
    reading_and_peeking_a_unix_stream,
    reading_by_halves,
    accepting_unix,
    connecting_to_a_full_queue,
    connecting_to_one_of_several,
}

/// A name that no other run of a scenario has.
fn fresh_name() -> SocketAddr {
    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }
    COUNT.set(COUNT.get() + 1);
    let thread = std::thread::current().id();
    let name = format!(
        "greenling-{}-{thread:?}-{}",
        std::process::id(),
        COUNT.get()
    );
    SocketAddr::from_abstract_name(name).unwrap()
}

fn receiving_datagrams(stage: &Stage) {
    let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let address = socket.local_addr().unwrap();
    let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (receiving, got) = (socket.clone(), Rc::new(Cell::new(0)));
    let counting = got.clone();
    let victim = stage.victim(move || {
        let mut buffer = [0; 9];
        receiving.peek(&mut buffer).unwrap();
        counting.set(counting.get() + receiving.recv(&mut buffer).unwrap());
        receiving.peek_from(&mut buffer).unwrap();
        counting.set(counting.get() + receiving.recv_from(&mut buffer).unwrap().0);
        counting.set(counting.get() + receiving.recv_from(&mut buffer).unwrap().0);
    });
    let mut sent = 0;
    for piece in [&b"a"[..], b"bcd", b"efghi"] {
        stage.until_parked();
        sent += peer.send_to(piece, address).unwrap();
    }
    stage.end(victim);
    let mut buffer = [0; 9];
    while got.get() < sent {
        got.set(got.get() + socket.recv(&mut buffer).unwrap());
    }
    assert_eq!(got.get(), sent, "a datagram is lost or doubled");
    socket.try_recv(&mut buffer).unwrap_err();
}

fn receiving_unix_datagrams(stage: &Stage) {
    let (socket, peer) = UnixDatagram::pair().unwrap();
    let (socket, got) = (Rc::new(socket), Rc::new(RefCell::new(Vec::new())));
    let (receiving, keeping) = (socket.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = [0; 9];
        let size = receiving.recv(&mut buffer).unwrap();
        keeping.borrow_mut().push(buffer[..size].to_vec());
        let (size, _) = receiving.recv_from(&mut buffer).unwrap();
        keeping.borrow_mut().push(buffer[..size].to_vec());
    });
    for piece in [b"one", b"two"] {
        stage.until_parked();
        peer.send(piece).unwrap();
    }
    stage.end(victim);
    let mut got = got.take();
    while got.len() < 2 {
        let mut buffer = [0; 9];
        let size = socket.recv(&mut buffer).unwrap();
        got.push(buffer[..size].to_vec());
    }
    assert_eq!(got, [b"one", b"two"]);
}

/// How many datagrams were sent is how many arrive, whenever the sender dies.
fn sending(stage: &Stage, receiver: &net::UnixDatagram, send: impl Fn() + 'static) {
    receiver.set_nonblocking(true).unwrap();
    let sent = Rc::new(Cell::new(0));
    let counting = sent.clone();
    let queue = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    // More than the queue holds, three times.
    let count = 3 * (queue.trim().parse::<usize>().unwrap() + 2);
    let victim = stage.victim(move || {
        for _ in 0..count {
            send();
            counting.set(counting.get() + 1);
        }
    });
    let mut received = 0;
    while stage.until_parked() {
        while receiver.recv(&mut [0; 9]).is_ok() {
            received += 1;
        }
    }
    stage.end(victim);
    while receiver.recv(&mut [0; 9]).is_ok() {
        received += 1;
    }
    assert_eq!(received, sent.get(), "more or less than was sent");
}

fn sending_to_a_full_queue(stage: &Stage) {
    let name = fresh_name();
    let receiver = net::UnixDatagram::bind_addr(&name).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect_addr(&name).unwrap();
    sending(stage, &receiver, move || {
        sender.send(b"x").unwrap();
    });
}

fn sending_to_another_sockets_full_queue(stage: &Stage) {
    let name = fresh_name();
    let receiver = net::UnixDatagram::bind_addr(&name).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sending(stage, &receiver, move || {
        sender.send_to_addr(b"x", &name).unwrap();
    });
}

fn reading_and_peeking_a_unix_stream(stage: &Stage) {
    let (ours, mut theirs) = net::UnixStream::pair().unwrap();
    let ours = Rc::new(UnixStream::from_std(ours).unwrap());
    let (reading, got) = (ours.clone(), Rc::new(RefCell::new(Vec::new())));
    let keeping = got.clone();
    let victim = stage.victim(move || {
        let mut buffer = [0; 4];
        while reading.peek(&mut buffer).unwrap() > 0 {
            let size = (&*reading).read(&mut buffer).unwrap();
            keeping.borrow_mut().extend_from_slice(&buffer[..size]);
        }
    });
    for piece in [&b"ab"[..], b"cdefgh", b"i"] {
        stage.until_parked();
        theirs.write_all(piece).unwrap();
    }
    stage.until_parked();
    drop(theirs);
    stage.end(victim);
    (&*ours).read_to_end(&mut got.borrow_mut()).unwrap();
    assert_eq!(*got.borrow(), b"abcdefghi");
}

fn reading_by_halves(stage: &Stage) {
    let (ours, mut theirs) = half_pair();
    let (mut reader, mut writer) = ours.split();
    let victim = stage.victim(move || reader.read(&mut [0; 4]).unwrap());
    stage.until_parked();
    theirs.write_all(b"x").unwrap();
    stage.end(victim);
    // The other half is not ended by that.
    writer.write_all(b"alive").unwrap();
    let mut buffer = [0; 9];
    assert_eq!(theirs.read(&mut buffer).unwrap(), 5);
    drop(writer);
}

fn accepting_unix(stage: &Stage) {
    let name = fresh_name();
    let listener = Rc::new(UnixListener::bind_addr(&name).unwrap());
    let (accepting, accepted) = (listener.clone(), Rc::new(RefCell::new(Vec::new())));
    let keeping = accepted.clone();
    let victim = stage.victim(move || {
        for stream in accepting.incoming().take(2) {
            keeping.borrow_mut().push(stream.unwrap());
        }
    });
    let mut clients = Vec::new();
    for text in ["one", "two"] {
        stage.until_parked();
        let mut client = net::UnixStream::connect_addr(&name).unwrap();
        client.write_all(text.as_bytes()).unwrap();
        clients.push(client);
    }
    stage.end(victim);
    let mut accepted = accepted.take();
    while accepted.len() < 2 {
        accepted.push(listener.accept().unwrap().0);
    }
    let texts = accepted.iter_mut().map(|stream| {
        let mut buffer = [0; 3];
        stream.read_exact(&mut buffer).map(|()| buffer).unwrap()
    });
    assert_eq!(texts.collect::<Vec<_>>(), [*b"one", *b"two"]);
}

fn connecting_to_a_full_queue(stage: &Stage) {
    let name = fresh_name();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    let raw = [b"\0", name.as_abstract_name().unwrap()].concat();
    let raw = std::ffi::OsString::from(String::from_utf8(raw).unwrap());
    socket.bind(&socket2::SockAddr::unix(raw).unwrap()).unwrap();
    // A queue of length n holds n + 1 connections.
    socket.listen(0).unwrap();
    let _first = net::UnixStream::connect_addr(&name).unwrap();
    let victim = stage.victim(move || drop(UnixStream::connect_addr(&name).unwrap()));
    for _ in 0..3 {
        stage.until_parked();
    }
    let (_accepted, _) = socket.accept().unwrap();
    stage.end(victim);
}

fn connecting_to_one_of_several(stage: &Stage) {
    let (deaf, listener) = (Deaf::new(), listener());
    let address = listener.local_addr().unwrap();
    let silent = deaf.address();
    let victim = stage.victim(move || {
        let limit = Duration::from_millis(1);
        let all = [silent, silent];
        greenling::time::timeout(limit, || TcpStream::connect(all)).unwrap_err();
        // After a pause, the second answers.
        TcpStream::connect([silent, address]).unwrap();
    });
    stage.end(victim);
}
