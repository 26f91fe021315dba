//! One peer that always has data beside fifty that have a byte now and then.
//!
//! The main tasklet plays all peers without ever waiting: before each turn that
//! it gives, it fills up what the flooded reader reads from. So that reader
//! never parks, and all that lets others run is its budget. Everything is
//! counted in turns: how many operations the reader does in one, and how many
//! pass until the fifty are served.

use greenling::io::Fd;
use greenling::net::{TcpStream, UdpSocket};
use greenling::{JoinHandle, schedule, spawn};
use greenling_tls::crypto::TestCa;
use greenling_tls::{ContextBuilder, TlsStream};
use std::cell::Cell;
use std::io::{PipeWriter, Read, Write, pipe};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::pair;

/// Those who have a byte now and then.
const QUIET: usize = 50;

/// How often they have one.
const ROUNDS: u64 = 20;

/// Operations of the flooded reader in one turn: the budget is 32, and a reader
/// that has just waited may find one of them spent.
const BUDGET_MAX: u64 = 33;

/// Turns until all are served. The kernel is asked once in 100 microseconds
/// while tasklets are runnable, which is 20 turns here, and several hundred
/// where Valgrind or a busy machine makes the clock run ahead.
const TURNS_MAX: u64 = 10_000;

/// A reader under flood, and how much it has read.
struct Flood {
    reads: Rc<Cell<u64>>,
    reader: JoinHandle<()>,
}

impl Flood {
    /// `read_one` reads a byte or a datagram.
    fn new(mut read_one: impl FnMut() -> std::io::Result<usize> + 'static) -> Flood {
        let reads = Rc::new(Cell::new(0));
        let count = reads.clone();
        let reader = spawn(move || {
            while read_one().is_ok_and(|got| got == 1) {
                count.set(count.get() + 1);
            }
        });
        Flood { reads, reader }
    }
}

/// One of the fifty: its peer's end writes, and a tasklet at this end reads.
struct Quiet {
    write_one: Box<dyn FnMut()>,
    served: Rc<Cell<u64>>,
    reader: JoinHandle<()>,
}

impl Quiet {
    fn new(
        write_one: impl FnMut() + 'static,
        mut read_one: impl FnMut() -> std::io::Result<usize> + 'static,
    ) -> Quiet {
        let served = Rc::new(Cell::new(0));
        let count = served.clone();
        let reader = spawn(move || {
            while read_one().is_ok_and(|got| got == 1) {
                count.set(count.get() + 1);
            }
        });
        Quiet {
            write_one: Box::new(write_one),
            served,
            reader,
        }
    }
}

/// Lets both kinds read; `fill` leaves nothing to be wished for in the flood.
fn nobody_starves(flood: Flood, mut fill: impl FnMut(), mut quiet: Vec<Quiet>) {
    // Everybody has begun and waits, the flooded reader as well.
    fill();
    schedule();
    while flood.reads.get() == 0 {
        schedule();
    }
    let mut longest = 0;
    for round in 1..=ROUNDS {
        quiet.iter_mut().for_each(|one| (one.write_one)());
        let mut turns = 0;
        while quiet.iter().any(|one| one.served.get() < round) {
            fill();
            let before = flood.reads.get();
            schedule();
            let reads = flood.reads.get() - before;
            assert!(reads <= BUDGET_MAX, "{reads} operations in one turn");
            turns += 1;
            assert!(turns <= TURNS_MAX, "not served in round {round}");
        }
        longest = longest.max(turns);
    }
    println!("at most {longest} turns until all were served");
    assert!(flood.reads.get() >= ROUNDS * 32, "the flood has run dry");
    flood.reader.tasklet().kill().unwrap();
    for one in quiet {
        assert_eq!(one.served.get(), ROUNDS);
        one.reader.tasklet().kill().unwrap();
    }
}

fn tcp_pair() -> (Rc<TcpStream>, Rc<TcpStream>) {
    let (ours, theirs) = pair();
    (Rc::new(ours), Rc::new(theirs))
}

#[test]
fn a_tcp_peer_that_floods_starves_nobody() {
    isolated(|| {
        let (ours, theirs) = tcp_pair();
        let flood = Flood::new(move || (&*ours).read(&mut [0]));
        let piece = [0; 4096];
        let fill = move || while theirs.try_write(&piece).is_ok() {};
        let quiet = (0..QUIET).map(|_| {
            let (ours, theirs) = tcp_pair();
            Quiet::new(
                move || assert_eq!(theirs.try_write(b"x").unwrap(), 1),
                move || (&*ours).read(&mut [0]),
            )
        });
        nobody_starves(flood, fill, quiet.collect());
    });
}

/// The first sends to the second.
fn udp_pair() -> (UdpSocket, UdpSocket) {
    let [from, to] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    from.connect(to.local_addr().unwrap()).unwrap();
    (from, to)
}

#[test]
fn a_udp_peer_that_floods_starves_nobody() {
    isolated(|| {
        let (from, to) = udp_pair();
        let flood = Flood::new(move || to.recv(&mut [0; 8]));
        // More than are read in a turn. A full queue drops them, which is no
        // error of the sender's.
        let fill = move || (0..40).for_each(|_| assert_eq!(from.try_send(b"x").unwrap(), 1));
        let quiet = (0..QUIET).map(|_| {
            let (from, to) = udp_pair();
            Quiet::new(
                move || assert_eq!(from.try_send(b"x").unwrap(), 1),
                move || to.recv(&mut [0; 8]),
            )
        });
        nobody_starves(flood, fill, quiet.collect());
    });
}

fn watched_pipe() -> (Fd<std::io::PipeReader>, Fd<PipeWriter>) {
    let (reader, writer) = pipe().unwrap();
    (Fd::new(reader).unwrap(), Fd::new(writer).unwrap())
}

#[test]
fn a_pipe_that_floods_starves_nobody() {
    isolated(|| {
        let (mut reader, writer) = watched_pipe();
        let flood = Flood::new(move || reader.read(&mut [0]));
        let piece = [0; 4096];
        let fill = move || while writer.try_write(&piece).is_ok() {};
        let quiet = (0..QUIET).map(|_| {
            let (mut reader, writer) = watched_pipe();
            Quiet::new(
                move || assert_eq!(writer.try_write(b"x").unwrap(), 1),
                move || reader.read(&mut [0]),
            )
        });
        nobody_starves(flood, fill, quiet.collect());
    });
}

/// A client's and a server's end that have shaken hands.
fn tls_pair(
    client: &greenling_tls::Context,
    server: &greenling_tls::Context,
) -> (TlsStream<TcpStream>, TlsStream<TcpStream>) {
    let (ours, theirs) = pair();
    let server = server.clone();
    let serving = spawn(move || TlsStream::accept(&server, theirs).unwrap());
    let ours = TlsStream::connect(client, "localhost", ours).unwrap();
    (ours, serving.join().unwrap())
}

#[test]
fn a_tls_peer_that_floods_starves_nobody() {
    isolated(|| {
        let ca = TestCa::new("floods").unwrap();
        let server = ContextBuilder::server().identity(ca.issue(&["localhost"]).unwrap());
        let server = server.build().unwrap();
        let client = ContextBuilder::client().trust_pem(ca.root_pem().unwrap());
        let client = client.build().unwrap();

        let (ours, theirs) = tls_pair(&client, &server);
        let flood = Flood::new(move || (&ours).read(&mut [0]));
        // A record holds many turns' worth of bytes, which come out of the
        // engine and not of the socket.
        theirs.set_nonblocking(true);
        let piece = [0; 16_000];
        let fill = move || while (&theirs).write(&piece).is_ok() {};
        let quiet = (0..QUIET).map(|_| {
            let (ours, theirs) = tls_pair(&client, &server);
            theirs.set_nonblocking(true);
            Quiet::new(
                move || assert_eq!((&theirs).write(b"x").unwrap(), 1),
                move || (&ours).read(&mut [0]),
            )
        });
        nobody_starves(flood, fill, quiet.collect());
    });
}
