//! Edges that a reactor may lose, or take for something else.

use greenling::net::{TcpStream, UnixStream};
use greenling::time::timeout;
use greenling::{schedule, spawn};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use socket2::SockRef;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net;
use std::time::{Duration, Instant};
use tests::isolated;
use tests::sockets::{half_pair, pair};

/// Reads `count` bytes with a buffer that is larger than what is there.
fn read_bytes<S>(stream: &S, count: usize) -> Vec<u8>
where
    for<'a> &'a S: Read,
{
    let mut all = Vec::new();
    let mut buffer = [0; 256];
    while all.len() < count {
        let mut stream = stream;
        let got = timeout(Duration::from_secs(20), || stream.read(&mut buffer));
        let got = got.unwrap_or_else(|_| panic!("bytes are there, but the read waits: {all:?}"));
        let got = got.unwrap();
        assert!(got > 0);
        all.extend_from_slice(&buffer[..got]);
    }
    all
}

#[test]
fn a_read_that_ends_at_an_urgent_byte_does_not_hide_what_follows() {
    // recv(2) stops before urgent data: a short read that does not mean that
    // the socket is drained. Any peer can send such a byte.
    isolated(|| {
        for waits_first in [false, true] {
            let (ours, theirs) = half_pair();
            let send = move || {
                (&theirs).write_all(b"before").unwrap();
                SockRef::from(&theirs).send_out_of_band(b"!").unwrap();
                (&theirs).write_all(b"after").unwrap();
                theirs
            };
            if waits_first {
                let reader = spawn(move || read_bytes(&ours, 11));
                schedule();
                let _theirs = send();
                assert_eq!(reader.join().unwrap(), b"beforeafter");
            } else {
                let _theirs = send();
                assert_eq!(read_bytes(&ours, 11), b"beforeafter");
            }
        }
    });
}

#[test]
fn a_read_that_ends_at_a_passed_descriptor_does_not_hide_what_follows() {
    // Reads of a Unix stream end behind bytes that came with descriptors
    // (unix(7)), whoever wants them. Any peer can send such bytes.
    isolated(|| {
        for vectored in [false, true] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            read_around_a_passed_descriptor(ours, &theirs, vectored);
        }
    });
}

#[test]
fn a_stream_of_tcp_that_is_none_hides_nothing_either() {
    // `From<OwnedFd>` asks nobody what kind of socket it is.
    isolated(|| {
        for vectored in [false, true] {
            let (ours, theirs) = net::UnixStream::pair().unwrap();
            let ours = TcpStream::try_from(OwnedFd::from(ours)).unwrap();
            let theirs = UnixStream::from_std(theirs).unwrap();
            read_around_a_passed_descriptor(ours, &theirs, vectored);
        }
    });
}

fn read_around_a_passed_descriptor<S>(ours: S, theirs: &UnixStream, vectored: bool)
where
    S: 'static,
    for<'a> &'a S: Read,
{
    let reader = spawn(move || {
        if vectored {
            let mut buffer = [0; 256];
            let mut buffers = [std::io::IoSliceMut::new(&mut buffer)];
            assert_eq!((&ours).read_vectored(&mut buffers).unwrap(), 6);
            return read_bytes(&ours, 5);
        }
        read_bytes(&ours, 11)
    });
    schedule();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut passed = SendAncillaryBuffer::new(&mut space);
    let descriptors = [theirs.as_fd()];
    assert!(passed.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let bytes = [IoSlice::new(b"before")];
    sendmsg(theirs, &bytes, &mut passed, SendFlags::empty()).unwrap();
    { theirs }.write_all(b"after").unwrap();
    let expected: &[u8] = if vectored { b"after" } else { b"beforeafter" };
    assert_eq!(reader.join().unwrap(), expected);
}

/// Makes this thread look at its descriptors at every switch, as it does when
/// tasklets run long between switches.
fn poll_at_every_switch() {
    let mut in_a_row = 0;
    while in_a_row < 5 {
        let before = greenling::inspect::polls();
        run_long();
        schedule();
        let polled = greenling::inspect::polls() > before;
        in_a_row = if polled { in_a_row + 1 } else { 0 };
    }
}

/// Runs longer than the scheduler likes, without a switch.
fn run_long() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(300) {
        std::hint::spin_loop();
    }
}

#[test]
fn an_edge_that_comes_while_a_reader_gives_way_is_not_forgotten() {
    // The reader gives way after many reads in a row. What arrives, and is
    // polled, in that moment must not be forgotten because the read before
    // was a short one.
    in_rounds(|small_reads| {
        let (ours, theirs) = pair();
        poll_at_every_switch();
        (&theirs).write_all(&vec![b'x'; small_reads + 9]).unwrap();
        let reader = spawn(move || {
            for _ in 0..small_reads {
                (&ours).read_exact(&mut [0; 1]).unwrap();
            }
            run_long();
            read_bytes(&ours, 9 + 40)
        });
        run_long();
        schedule();
        (&theirs).write_all(&[b'y'; 40]).unwrap();
        run_long();
        schedule();
        let bytes = reader.join().unwrap();
        assert_eq!(bytes.iter().filter(|&&byte| byte == b'y').count(), 40);
    });
}

/// Whatever the number of reads after which a reader gives way, some round
/// puts the last, short read right there.
fn in_rounds(round: fn(usize)) {
    isolated(move || (0..70).for_each(round));
}

#[cfg(target_os = "linux")]
#[test]
fn an_entry_in_the_error_queue_is_no_end_of_the_stream() {
    use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt::Timestamping};
    use std::os::fd::AsFd;
    // Transmit time stamps go to the socket's error queue, which polls as an
    // error although the connection is well. The reader must wait, not spin.
    isolated(|| {
        let (ours, mut theirs) = pair();
        let flags = TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
            | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
        setsockopt(&ours.as_fd(), Timestamping, &flags).unwrap();
        (&ours).write_all(b"stamped").unwrap();
        theirs.read_exact(&mut [0; 7]).unwrap();
        let reader = spawn(move || {
            let mut text = [0; 4];
            (&ours).read_exact(&mut text).unwrap();
            text
        });
        // If the reader spun, this would not come back.
        greenling::time::sleep(Duration::from_millis(5));
        theirs.write_all(b"well").unwrap();
        assert_eq!(&reader.join().unwrap(), b"well");
    });
}
