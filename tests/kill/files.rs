//! Waits for files, and copies that are cut short.

use crate::stage::{Stage, kill_tests};
use greenling::fs::{File, OpenOptions};
use greenling::io::{Relay, copy, send_file};
use greenling::net::UnixStream;
use greenling::{schedule, spawn};
use rustix::fs::{Advice, fadvise};
use std::cell::RefCell;
use std::io::{Read, Seek, Write};
use std::rc::Rc;

kill_tests! {
    reading_a_file,
    writing_a_file,
    sending_a_file,
    copying_a_file,
    relaying,
}

/// Larger than what sockets and pipes hold on the way.
const LARGE: usize = 1 << 20;

/// Two ends of a connection: one of ours, one of std.
fn half_pair() -> (UnixStream, std::os::unix::net::UnixStream) {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    (UnixStream::from_std(ours).unwrap(), theirs)
}

fn numbered(length: usize) -> Vec<u8> {
    let words = (0..length as u32 / 4).map(u32::to_ne_bytes);
    words.collect::<Vec<_>>().concat()
}

fn reading_a_file(stage: &Stage) {
    let bytes = numbered(200_000);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    let file = Rc::new(File::from(file));
    let got = Rc::new(RefCell::new(Vec::new()));
    let (reading, keeping) = (file.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = vec![0; 70_000];
        loop {
            match (&*reading).read(&mut buffer).unwrap() {
                0 => return,
                count => keeping.borrow_mut().extend_from_slice(&buffer[..count]),
            }
        }
    });
    stage.end(victim);
    let mut got = got.take();
    (&*file).read_to_end(&mut got).unwrap();
    assert!(got == bytes, "bytes are lost or doubled");
}

fn writing_a_file(stage: &Stage) {
    let path = tempfile::NamedTempFile::new().unwrap();
    let mut options = OpenOptions::new();
    let file = Rc::new(options.read(true).write(true).open(&path).unwrap());
    let writing = file.clone();
    let victim = stage.victim(move || {
        for byte in b"abc" {
            (&*writing).write_all(&[*byte; 1000]).unwrap();
        }
        writing.sync_all().unwrap();
    });
    stage.end(victim);
    // Goes on at the position up to which writes were reported.
    let position = (&*file).stream_position().unwrap() as usize;
    assert!(position.is_multiple_of(1000));
    let rest = [[b'a'; 1000], [b'b'; 1000], [b'c'; 1000]].concat();
    (&*file).write_all(&rest[position..]).unwrap();
    assert!(std::fs::read(&path).unwrap() == rest);
}

fn sending_a_file(stage: &Stage) {
    let bytes = numbered(LARGE);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let (to, from) = half_pair();
    let (to, file, offset) = (Rc::new(to), Rc::new(file), Rc::new(RefCell::new(0)));
    let (sending, from_file, at) = (to.clone(), file.clone(), offset.clone());
    let victim = stage.victim(move || {
        let mut offset = at.borrow_mut();
        send_file(&*from_file, &mut offset, u64::MAX, &*sending).unwrap();
    });
    stage.until_parked();
    let reader = std::thread::spawn(move || {
        let (mut from, mut got) = (from, Vec::new());
        from.read_to_end(&mut got).unwrap();
        got
    });
    stage.end(victim);
    send_file(&*file, &mut offset.borrow_mut(), u64::MAX, &*to).unwrap();
    drop(to);
    assert!(reader.join().unwrap() == bytes, "bytes are lost or doubled");
}

fn copying_a_file(stage: &Stage) {
    let bytes = numbered(LARGE);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    let (to, from) = half_pair();
    let (to, file) = (Rc::new(to), Rc::new(File::from(file)));
    // It has the position while it reads.
    let shared = file.clone();
    let head = spawn(move || {
        let mut head = vec![0; 1000];
        (&*shared).read_exact(&mut head).unwrap();
        head
    });
    schedule();
    let (sending, from_file) = (to.clone(), file.clone());
    let victim = stage.victim(move || {
        copy(&mut &*from_file, &mut &*sending).unwrap();
    });
    stage.until_parked();
    let mut expected = head.join().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut from, mut got) = (from, Vec::new());
        from.read_to_end(&mut got).unwrap();
        got
    });
    stage.end(victim);
    copy(&mut &*file, &mut &*to).unwrap();
    drop(to);
    expected.extend(reader.join().unwrap());
    assert!(expected == bytes, "bytes are lost or doubled");
}

fn relaying(stage: &Stage) {
    let bytes = numbered(LARGE);
    let ((front, mut client), (back, mut server)) = (half_pair(), half_pair());
    let (front, back) = (Rc::new(front), Rc::new(back));
    let relay = Rc::new(RefCell::new(Relay::new().unwrap()));
    let (from, to, theirs) = (front.clone(), back.clone(), relay.clone());
    let victim = stage.victim(move || theirs.borrow_mut().copy(&*from, &*to).unwrap());
    // It waits for bytes, and then for room.
    stage.until_parked();
    let sent = bytes.clone();
    let sender = std::thread::spawn(move || {
        client.write_all(&sent).unwrap();
    });
    stage.until_parked();
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        server.read_to_end(&mut got).unwrap();
        got
    });
    stage.end(victim);
    relay.borrow_mut().copy(&*front, &*back).unwrap();
    assert_eq!(relay.borrow().copied(), bytes.len() as u64);
    drop(back);
    sender.join().unwrap();
    assert!(reader.join().unwrap() == bytes, "bytes are lost or doubled");
}
