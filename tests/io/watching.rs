//! What `io::Fd` does to its descriptor, and to objects that change theirs.

use greenling::io::{Fd, Interest};
use greenling::time::timeout;
use greenling::{WaitError, schedule, spawn};
use rustix::fs::{OFlags, fcntl_getfl};
use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, PipeReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

const SOON: Duration = Duration::from_millis(1);

fn is_nonblocking(fd: impl AsFd) -> bool {
    fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

#[test]
fn what_is_always_ready_is_refused_and_left_as_it_was() {
    isolated(|| {
        let file = tempfile::tempfile().unwrap();
        for object in [
            &file,
            &File::open("/dev/null").unwrap(),
            &File::open("/").unwrap(),
        ] {
            let error = Fd::new(object).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("greenling::fs"), "{error}");
            assert!(!is_nonblocking(object));
        }
    });
}

#[test]
fn the_mode_is_given_back() {
    isolated(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        let watched = Fd::new(&reader).unwrap();
        assert!(is_nonblocking(&reader));
        watched.into_inner();
        assert!(!is_nonblocking(&reader));

        let flags = fcntl_getfl(&writer).unwrap() | OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(&writer, flags).unwrap();
        Fd::new(&writer).unwrap().into_inner();
        assert!(is_nonblocking(&writer), "it was in that mode before");
    });
}

#[test]
fn a_descriptor_is_watched_by_one_object_at_a_time() {
    isolated(|| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let first = Fd::new(&reader).unwrap();
        let error = Fd::new(&reader).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        // A duplicate is another descriptor, and the first one goes on.
        let duplicate = Fd::new(reader.try_clone().unwrap()).unwrap();
        writer.write_all(b"ab").unwrap();
        (&first).read_exact(&mut [0]).unwrap();
        (&duplicate).read_exact(&mut [0]).unwrap();
        drop(first);
        Fd::new(&reader).unwrap();
    });
}

#[test]
fn no_bytes_are_read_and_written_at_once() {
    isolated(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        let (reader, writer) = (Fd::new(reader).unwrap(), Fd::new(writer).unwrap());
        while writer.try_write(&[0; 4096]).is_ok() {}
        assert_eq!((&writer).write(&[]).unwrap(), 0);
        assert_eq!((&writer).write_vectored(&[]).unwrap(), 0);
        while reader.try_read(&mut [0; 4096]).is_ok() {}
        assert_eq!((&reader).read(&mut []).unwrap(), 0);
        assert_eq!((&reader).read_vectored(&mut []).unwrap(), 0);
        assert_eq!(reader.try_read(&mut []).unwrap(), 0);
    });
}

#[test]
fn time_limits_end_operations_and_lose_nothing() {
    isolated(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        let (reader, writer) = (Fd::new(reader).unwrap(), Fd::new(writer).unwrap());
        reader.set_read_timeout(Some(SOON)).unwrap();
        let error = (&reader).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        reader.set_read_timeout(None).unwrap();
        let error = timeout(SOON, || (&reader).read(&mut [0]).unwrap_err());
        assert_eq!(error.unwrap_err().into_inner().kind(), ErrorKind::TimedOut);
        let error = reader.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);

        let mut sent = 0;
        writer.set_write_timeout(Some(SOON)).unwrap();
        assert_eq!(writer.write_timeout(), Some(SOON));
        let error = loop {
            match (&writer).write(&[1; 1000]) {
                Ok(count) => sent += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(writer);
        let mut got = Vec::new();
        (&reader).read_to_end(&mut got).unwrap();
        assert_eq!(got.len(), sent);
    });
}

#[test]
fn closing_and_waking() {
    isolated(|| {
        let (reader, _writer) = std::io::pipe().unwrap();
        let reader = Rc::new(Fd::new(reader).unwrap());
        reader.try_read(&mut [0]).unwrap_err();
        let waiting = reader.clone();
        let woken = spawn(move || waiting.wait(Interest::READ, None).unwrap().any());
        let waiting = reader.clone();
        let closed = spawn(move || (&*waiting).read(&mut [0]).unwrap_err().kind());
        schedule();
        reader.wake();
        assert!(!woken.join().unwrap());
        assert!(!closed.is_finished());
        reader.close();
        assert_eq!(closed.join().unwrap(), ErrorKind::ConnectionAborted);
        let later = (&*reader).read(&mut [0]).unwrap_err();
        assert_eq!(later.kind(), ErrorKind::ConnectionAborted);
    });
}

#[test]
fn an_operation_of_the_programs_cannot_switch() {
    isolated(|| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let reader = Fd::new(reader).unwrap();
        writer.write_all(b"x").unwrap();
        let never = greenling::Channel::<()>::new();
        let got = reader.read_with(|mut pipe| {
            let refused = never.receive().unwrap_err();
            assert!(matches!(
                refused,
                greenling::ReceiveError::Wait(WaitError::SwitchTrap)
            ));
            let mut byte = [0];
            pipe.read_exact(&mut byte)?;
            Ok(byte[0])
        });
        assert_eq!(got.unwrap(), b'x');
        let blocked = reader.try_read_with(|mut pipe| pipe.read(&mut [0]));
        assert_eq!(blocked.unwrap_err().kind(), ErrorKind::WouldBlock);
        // Known to be drained, so the operation is not even called.
        let called = Cell::new(false);
        let blocked = reader.try_read_with(|_| {
            called.set(true);
            Ok(())
        });
        blocked.unwrap_err();
        assert!(!called.get());
    });
}

/// An object that names another descriptor once told to, as safe code can.
struct Fickle<'a>(Cell<&'a PipeReader>);

impl AsFd for Fickle<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get().as_fd()
    }
}

#[test]
fn an_object_that_changes_its_descriptor_harms_only_itself() {
    isolated(|| {
        let (first, mut writer) = std::io::pipe().unwrap();
        let (second, mut other_writer) = std::io::pipe().unwrap();
        let fickle = Fd::new(Fickle(Cell::new(&first))).unwrap();
        fickle.get_ref().0.set(&second);
        let error = (&fickle).read(&mut [0]).unwrap_err();
        assert!(error.to_string().contains("another descriptor"), "{error}");
        fickle.try_read(&mut [0]).unwrap_err();
        fickle.try_write(&[0]).unwrap_err();

        // Its second descriptor is watched by somebody else meanwhile, and
        // the first one afterwards.
        let honest = Fd::new(&second).unwrap();
        drop(fickle);
        for (reader, writer) in [
            (&honest, &mut other_writer),
            (&Fd::new(&first).unwrap(), &mut writer),
        ] {
            reader.try_read(&mut [0]).unwrap_err();
            writer.write_all(b"!").unwrap();
            let mut reader = reader;
            reader.read_exact(&mut [0]).unwrap();
        }
    });
}
