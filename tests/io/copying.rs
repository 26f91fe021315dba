//! Copying, by the kernel and by a buffer: exact bytes, also after a copy was
//! cut short.

use greenling::io::{Copier, Fd, Pollable, Relay, copy, send_file};
use greenling::net::{TcpStream, UnixStream};
use greenling::time::timeout;
use greenling::{schedule, spawn};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Advice, fadvise};
use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::sockets::{half_pair, pair};

const SOON: Duration = Duration::from_millis(2);

/// So many bytes, in blocks that are numbered.
fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 1000);
    for number in 0u64.. {
        if bytes.len() >= length {
            break;
        }
        bytes.extend_from_slice(&number.to_ne_bytes());
        bytes.extend_from_slice(&[number as u8; 990]);
    }
    bytes.truncate(length);
    bytes
}

/// A file with these bytes.
fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Reads little at a time, and lets others run in between.
fn read_slowly(mut stream: impl Read) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buffer = [0; 30_000];
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => return got,
            count => got.extend_from_slice(&buffer[..count]),
        }
        schedule();
    }
}

fn a_big_file_goes_to_a_slow_reader<S>(to: S, from: impl Read + 'static)
where
    S: Pollable,
{
    let bytes = pattern(20_000_000);
    let file = file_of(&bytes);
    let reader = spawn(move || read_slowly(from));
    let mut offset = 5;
    let sent = send_file(&file, &mut offset, u64::MAX, &to).unwrap();
    assert_eq!(sent, bytes.len() as u64 - 5);
    assert_eq!(offset, bytes.len() as u64);
    drop(to);
    assert!(reader.join().unwrap() == bytes[5..]);
}

#[test]
fn send_file_by_tcp() {
    isolated(|| {
        let (to, from) = pair();
        a_big_file_goes_to_a_slow_reader(to, from);
    });
}

#[test]
fn send_file_by_a_unix_socket() {
    isolated(|| {
        let (to, from) = UnixStream::pair().unwrap();
        a_big_file_goes_to_a_slow_reader(to, from);
    });
}

#[test]
fn send_file_by_a_pipe() {
    isolated(|| {
        let (from, to) = std::io::pipe().unwrap();
        a_big_file_goes_to_a_slow_reader(Fd::new(to).unwrap(), Fd::new(from).unwrap());
    });
}

#[test]
fn send_file_to_what_the_kernel_refuses() {
    isolated(|| {
        let counter = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let numbers = [3u64, 40, 500].map(u64::to_ne_bytes).concat();
        let file = file_of(&numbers);
        let refused = rustix::fs::sendfile(&counter, &file, Some(&mut 0), 8);
        assert_eq!(refused, Err(rustix::io::Errno::INVAL));
        let mut counter = Fd::new(counter).unwrap();
        let mut offset = 8;
        // An eventfd takes a number at a time.
        for _ in 0..2 {
            assert_eq!(send_file(&file, &mut offset, 8, &counter).unwrap(), 8);
        }
        assert_eq!(send_file(&file, &mut offset, 8, &counter).unwrap(), 0);
        let mut sum = [0; 8];
        counter.read_exact(&mut sum).unwrap();
        assert_eq!(u64::from_ne_bytes(sum), 540);
    });
}

#[test]
fn send_file_that_is_cut_short_goes_on_where_it_was() {
    isolated(|| {
        // More than sockets ever hold.
        let bytes = pattern(24_000_000);
        let file = file_of(&bytes);
        let (to, from) = half_pair();
        let mut offset = 0;
        // Nobody reads.
        for _ in 0..3 {
            let before = offset;
            let sent = timeout(SOON, || send_file(&file, &mut offset, u64::MAX, &to));
            let error = sent.unwrap_err().into_inner().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(offset >= before);
        }
        assert!(offset > 0 && offset < bytes.len() as u64);
        // Somebody is killed.
        let (to, file, offset) = (Rc::new(to), Rc::new(file), Rc::new(RefCell::new(offset)));
        let (sending, from_file, at) = (to.clone(), file.clone(), offset.clone());
        let victim = spawn(move || {
            let mut offset = at.borrow_mut();
            send_file(&*from_file, &mut offset, u64::MAX, &*sending)
        });
        schedule();
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        let reader = std::thread::spawn(move || {
            let (mut from, mut got) = (from, Vec::new());
            from.read_to_end(&mut got).unwrap();
            got
        });
        send_file(&*file, &mut offset.borrow_mut(), u64::MAX, &*to).unwrap();
        drop(to);
        assert!(reader.join().unwrap() == bytes);
    });
}

#[test]
fn send_file_of_a_part_and_past_the_end() {
    isolated(|| {
        let file = file_of(b"0123456789");
        let (to, mut from) = pair();
        let mut offset = 2;
        assert_eq!(send_file(&file, &mut offset, 3, &to).unwrap(), 3);
        assert_eq!(send_file(&file, &mut offset, 0, &to).unwrap(), 0);
        assert_eq!(send_file(&file, &mut offset, 100, &to).unwrap(), 5);
        assert_eq!(send_file(&file, &mut offset, 100, &to).unwrap(), 0);
        offset = u64::MAX - 5;
        // Past what a file can be.
        let _ = send_file(&file, &mut offset, 100, &to);
        assert_eq!(offset, u64::MAX - 5);
        let mut offset = 0;
        let version = File::open("/proc/version").unwrap();
        let sent = send_file(&version, &mut offset, 1 << 20, &to).unwrap();
        drop(to);
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        let version = std::fs::read_to_string("/proc/version").unwrap();
        assert_eq!(text, format!("23456789{version}"));
        assert_eq!(sent, version.len() as u64);
    });
}

#[test]
fn send_file_that_is_not_in_memory() {
    isolated(|| {
        let bytes = pattern(3_000_000);
        let file = file_of(&bytes);
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        let (to, from) = pair();
        let reader = spawn(move || read_slowly(from));
        send_file(&file, &mut 0, u64::MAX, &to).unwrap();
        drop(to);
        assert!(reader.join().unwrap() == bytes);
    });
}

#[test]
fn send_file_to_a_peer_that_is_gone() {
    isolated(|| {
        let file = file_of(&pattern(1 << 20));
        let (to, from) = UnixStream::pair().unwrap();
        // A drop is not enough while another test's child has the descriptor.
        from.shutdown(Shutdown::Both).unwrap();
        let mut offset = 0;
        let error = send_file(&file, &mut offset, u64::MAX, &to).unwrap_err();
        assert_eq!((error.kind(), offset), (ErrorKind::BrokenPipe, 0));
    });
}

/// A client and a server with a proxy between them, whose two ends these are.
fn proxied() -> (TcpStream, (TcpStream, TcpStream), TcpStream) {
    let ((client, front), (back, server)) = (pair(), pair());
    (client, (front, back), server)
}

#[test]
fn a_relay_passes_everything_on() {
    isolated(|| {
        let (mut client, (front, back), server) = proxied();
        let bytes = pattern(10_000_000);
        let sent = bytes.clone();
        let sender = spawn(move || client.write_all(&sent).unwrap());
        let reader = spawn(move || read_slowly(server));
        let mut relay = Relay::new().unwrap();
        assert_eq!(relay.copy(&front, &back).unwrap(), bytes.len() as u64);
        assert_eq!((relay.copied(), relay.held()), (bytes.len() as u64, 0));
        drop(back);
        sender.join().unwrap();
        assert!(reader.join().unwrap() == bytes);
    });
}

#[test]
fn a_relay_that_is_cut_short_holds_what_it_has() {
    isolated(|| {
        let (mut client, (front, back), server) = proxied();
        let bytes = pattern(20_000_000);
        let sent = bytes.clone();
        let sender = spawn(move || client.write_all(&sent).unwrap());
        // Nobody reads: what has room on the way gets full, and the relay too.
        let mut relay = Relay::new().unwrap();
        let cut = timeout(SOON, || relay.copy(&front, &back));
        let error = cut.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let relay = Rc::new(RefCell::new(relay));
        let (front, back) = (Rc::new(front), Rc::new(back));
        let (theirs, from, to) = (relay.clone(), front.clone(), back.clone());
        let victim = spawn(move || theirs.borrow_mut().copy(&*from, &*to));
        while relay.try_borrow().is_ok() {
            schedule();
        }
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        let reader = spawn(move || read_slowly(server));
        relay.borrow_mut().copy(&*front, &*back).unwrap();
        assert_eq!(relay.borrow().copied(), bytes.len() as u64);
        drop((relay, back));
        sender.join().unwrap();
        assert!(reader.join().unwrap() == bytes);
    });
}

#[test]
fn a_relay_gives_out_what_it_holds() {
    isolated(|| {
        let (source, mut feed) = std::io::pipe().unwrap();
        let (drain, target) = std::io::pipe().unwrap();
        let (source, target) = (Fd::new(source).unwrap(), Fd::new(target).unwrap());
        while target.try_write(&[0; 4096]).is_ok() {}
        feed.write_all(b"held").unwrap();
        let mut relay = Relay::new().unwrap();
        timeout(SOON, || relay.copy(&source, &target)).unwrap_err();
        assert_eq!((relay.held(), relay.copied()), (4, 0));
        assert_eq!(relay.take_held().unwrap(), b"held");
        assert_eq!(relay.held(), 0);
        drop((feed, drain));
        assert_eq!(relay.copy(&source, &target).unwrap(), 0);
    });
}

#[test]
fn a_relay_says_what_it_cannot_do() {
    isolated(|| {
        let (source, mut feed) = std::io::pipe().unwrap();
        feed.write_all(b"no way").unwrap();
        let source = Fd::new(source).unwrap();
        let target = Fd::new(eventfd(0, EventfdFlags::CLOEXEC).unwrap()).unwrap();
        let mut relay = Relay::new().unwrap();
        let error = relay.copy(&source, &target).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(relay.take_held().unwrap(), b"no way");
    });
}

#[test]
fn copy_takes_all_until_the_end() {
    isolated(|| {
        let (from, to) = std::io::pipe().unwrap();
        let (mut from, mut to) = (Fd::new(from).unwrap(), Fd::new(to).unwrap());
        let bytes = pattern(1_000_000);
        let mut source = &bytes.clone()[..];
        let reader = spawn(move || {
            let mut got = Vec::new();
            let count = copy(&mut from, &mut got).unwrap();
            assert_eq!(count, got.len() as u64);
            got
        });
        assert_eq!(copy(&mut source, &mut to).unwrap(), bytes.len() as u64);
        drop(to);
        assert!(reader.join().unwrap() == bytes);
    });
}

/// Takes three bytes at a time, and refuses every second write.
#[derive(Default)]
struct Stubborn {
    got: Vec<u8>,
    writes: usize,
}

impl Write for Stubborn {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writes += 1;
        match self.writes % 4 {
            1 => Err(ErrorKind::Interrupted.into()),
            3 => Err(ErrorKind::WouldBlock.into()),
            _ => {
                let count = bytes.len().min(3);
                self.got.extend_from_slice(&bytes[..count]);
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_copier_goes_on_after_an_error() {
    let bytes = pattern(10_000);
    let (mut reader, mut writer) = (&bytes[..], Stubborn::default());
    let mut copier = Copier::with_capacity(7);
    let mut errors = 0;
    let last = loop {
        match copier.copy(&mut reader, &mut writer) {
            Ok(count) => break count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        errors += 1;
        let known = copier.copied() as usize + copier.pending().len() + reader.len();
        assert_eq!(known, bytes.len());
    };
    assert!(errors > 100 && last < 10);
    assert_eq!(copier.copied(), bytes.len() as u64);
    assert!(writer.got == bytes);
    let full = copy(&mut &b"x"[..], &mut &mut [][..]).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::WriteZero);
}

#[test]
fn time_limits_of_the_objects_count() {
    isolated(|| {
        let (to, _from) = pair();
        to.set_write_timeout(Some(SOON)).unwrap();
        let file = file_of(&pattern(20_000_000));
        let mut offset = 0;
        let error = send_file(file.as_fd(), &mut offset, u64::MAX, &to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(offset > 0);
    });
}
