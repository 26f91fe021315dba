//! Many descriptors that become ready in one poll, among more than a thread keeps in its
//! caches: what is done for speed there must not change who is woken.

use greenling::net::UnixStream;
use greenling::{JoinHandle, schedule, spawn};
use std::io::{Read, Write};

/// Pairs: twice as many descriptors, which is more than the reactor counts as few.
const PAIRS: usize = 300;

#[test]
fn whoever_waits_for_one_of_many_ready_descriptors_wakes() {
    let pairs: Vec<(UnixStream, UnixStream)> = (0..PAIRS)
        .map(|_| UnixStream::pair().expect("a pair"))
        .collect();
    let (mut near, mut far): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    // Of every three ends one is read from, one written to until it has room again, and for
    // one nobody waits.
    let mut waiting: Vec<JoinHandle<usize>> = Vec::new();
    for (index, stream) in near.iter_mut().enumerate().rev() {
        let mut stream = stream.try_clone().expect("another handle");
        match index % 3 {
            0 => waiting.push(spawn(move || {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a byte comes");
                usize::from(byte[0])
            })),
            1 => {
                fill(&stream);
                waiting.push(spawn(move || stream.write(&[1]).expect("room comes")));
            }
            _ => {}
        }
    }
    schedule();
    assert!(waiting.iter().all(|waiter| !waiter.is_finished()));
    for (index, stream) in far.iter_mut().enumerate() {
        match index % 3 {
            1 => drain(stream),
            _ => assert_eq!(stream.write(&[1]).expect("room for a byte"), 1),
        }
    }
    for waiter in waiting {
        assert_eq!(waiter.join().expect("no panic"), 1);
    }
    // What came while nobody waited is there.
    for stream in near.iter_mut().skip(2).step_by(3) {
        assert_eq!(stream.read(&mut [0; 2]).expect("a byte"), 1);
    }
}

fn fill(stream: &UnixStream) {
    while stream.try_write(&[0; 65_536]).is_ok() {}
}

fn drain(stream: &UnixStream) {
    while stream.try_read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {}
}
