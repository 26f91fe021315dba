//! Peers that never read, and peers that never write: a deadline ends whoever
//! waits for them, and what they hold stays bounded.

use greenling::net::TcpStream;
use greenling::spawn;
use greenling::time::timeout;
use socket2::SockRef;
use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;
use tests::process::{alone, open_descriptors};
use tests::sockets::half_pair;

const PEERS: usize = 200;

/// What a writer would like to get rid of, for each peer.
const WANTED: usize = 1 << 30;

/// What all writers together may add to the process: their stacks and control
/// blocks; each has written to a buffer of its own that is counted as well.
const GROWTH_MAX: u64 = 32 << 20;

const LIMIT: Duration = Duration::from_millis(300);

/// A stream whose send buffer holds little, and a peer that nobody reads from.
fn slow_pair() -> (TcpStream, std::net::TcpStream) {
    let (ours, theirs) = half_pair();
    SockRef::from(&ours).set_send_buffer_size(4096).unwrap();
    (ours, theirs)
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() << 10
}

/// Writes until an error, and says which.
fn write_on(mut stream: &TcpStream, written: &Cell<usize>) -> ErrorKind {
    let piece = vec![0; 64 << 10];
    while written.get() < WANTED {
        match stream.write(&piece) {
            Ok(count) => written.set(written.get() + count),
            Err(error) => return error.kind(),
        }
    }
    panic!("a peer that does not read has taken {WANTED} bytes")
}

/// Two hundred writers, each ended by `limited`; their streams remain usable.
fn writers_end(limited: fn(&TcpStream, &Cell<usize>)) {
    greenling::enter(|| {
        // The reactor has come into being.
        drop(half_pair());
        let descriptors = open_descriptors();
        let before = resident();
        let pairs: Vec<_> = (0..PEERS).map(|_| slow_pair()).collect();
        let writers: Vec<_> = pairs
            .into_iter()
            .map(|(ours, theirs)| {
                spawn(move || {
                    let written = Cell::new(0);
                    limited(&ours, &written);
                    (ours, theirs, written.get())
                })
            })
            .collect();
        let held: Vec<_> = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect();
        let growth = resident().saturating_sub(before);
        assert!(growth <= GROWTH_MAX, "{growth} bytes for {PEERS} writers");
        for (ours, mut theirs, written) in held {
            // Nothing was lost and nothing came twice: the peer, which reads
            // at last, finds exactly what the writer was told.
            drop(ours);
            let mut buffer = vec![0; 64 << 10];
            let mut got = 0;
            loop {
                match theirs.read(&mut buffer).unwrap() {
                    0 => break,
                    count => got += count,
                }
            }
            assert_eq!(got, written);
        }
        assert_eq!(open_descriptors(), descriptors);
    });
}

#[test]
fn writers_to_peers_that_never_read_end_by_their_sockets_limit() {
    const NAME: &str = "slow::writers_to_peers_that_never_read_end_by_their_sockets_limit";
    alone(NAME, || {
        writers_end(|ours, written| {
            ours.set_write_timeout(Some(LIMIT)).unwrap();
            assert_eq!(write_on(ours, written), ErrorKind::WouldBlock);
        });
    });
}

#[test]
fn writers_to_peers_that_never_read_end_by_the_deadline_of_a_scope() {
    const NAME: &str = "slow::writers_to_peers_that_never_read_end_by_the_deadline_of_a_scope";
    alone(NAME, || {
        writers_end(|ours, written| {
            let elapsed = timeout(LIMIT, || write_on(ours, written));
            let kind = elapsed.expect_err("the scope has ended").into_inner();
            assert_eq!(kind, ErrorKind::TimedOut);
        });
    });
}

#[test]
fn readers_of_peers_that_never_write_end_by_a_deadline_all_at_once() {
    tests::isolated(|| {
        let deadline = std::time::Instant::now() + LIMIT;
        let ended = Rc::new(Cell::new(0));
        let readers: Vec<_> = (0..PEERS)
            .map(|_| {
                let (ours, theirs) = half_pair();
                let ended = ended.clone();
                spawn(move || {
                    let read = || (&ours).read(&mut [0]).map_err(|error| error.kind());
                    let elapsed = greenling::time::timeout_at(deadline, read);
                    let kind = elapsed.expect_err("the scope has ended").into_inner();
                    assert_eq!(kind, Err(ErrorKind::TimedOut));
                    ended.set(ended.get() + 1);
                    // The stream is as good as before.
                    (&theirs).write_all(b"x").unwrap();
                    let mut byte = [0];
                    (&ours).read_exact(&mut byte).unwrap();
                    assert_eq!(&byte, b"x");
                })
            })
            .collect();
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
        assert_eq!(ended.get(), PEERS);
    });
}
