//! Each kind of descriptor that can be polled.

use greenling::io::{Fd, Interest};
use greenling::{schedule, spawn};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::fs::OpenOptions;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::rc::Rc;
use tests::isolated;

/// The two ends of a pipe, watched.
fn pipe() -> (Fd<std::io::PipeReader>, Fd<std::io::PipeWriter>) {
    let (reader, writer) = std::io::pipe().unwrap();
    (Fd::new(reader).unwrap(), Fd::new(writer).unwrap())
}

#[test]
fn a_pipe_carries_more_than_it_holds() {
    isolated(|| {
        let (mut reader, mut writer) = pipe();
        let bytes: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
        let sent = bytes.clone();
        let writing = spawn(move || writer.write_all(&sent).unwrap());
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        writing.join().unwrap();
        assert!(got == bytes);
    });
}

#[test]
fn a_pipe_reads_and_writes_several_buffers_at_once() {
    isolated(|| {
        let (mut reader, mut writer) = pipe();
        let (mut first, mut second) = ([0; 2], [0; 3]);
        let reading = spawn(move || {
            let buffers = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let count = reader.read_vectored(buffers).unwrap();
            (count, first, second)
        });
        schedule();
        let pieces = [IoSlice::new(b"a"), IoSlice::new(b"bcd")];
        assert_eq!(writer.write_vectored(&pieces).unwrap(), 4);
        assert_eq!(reading.join().unwrap(), (4, *b"ab", *b"cd\0"));
    });
}

#[test]
fn a_pipe_whose_reader_is_gone_is_an_error_for_a_waiting_writer() {
    isolated(|| {
        let (reader, mut writer) = pipe();
        let writing = spawn(move || writer.write_all(&[0; 1 << 20]).unwrap_err().kind());
        schedule();
        drop(reader);
        assert_eq!(writing.join().unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn an_eventfd_counts() {
    isolated(|| {
        let counter = Rc::new(Fd::new(eventfd(0, EventfdFlags::CLOEXEC).unwrap()).unwrap());
        let waiting = counter.clone();
        let sum = spawn(move || {
            let mut sum = 0;
            while sum < 7 {
                let mut count = [0; 8];
                (&*waiting).read_exact(&mut count).unwrap();
                sum += u64::from_ne_bytes(count);
            }
            sum
        });
        schedule();
        for count in [3u64, 4] {
            (&*counter).write_all(&count.to_ne_bytes()).unwrap();
            schedule();
        }
        assert_eq!(sum.join().unwrap(), 7);
    });
}

#[test]
fn a_full_eventfd_parks_its_writer() {
    isolated(|| {
        let counter = Rc::new(Fd::new(eventfd(0, EventfdFlags::CLOEXEC).unwrap()).unwrap());
        (&*counter)
            .write_all(&(u64::MAX - 1).to_ne_bytes())
            .unwrap();
        let writing = counter.clone();
        let writer = spawn(move || (&*writing).write_all(&5u64.to_ne_bytes()).unwrap());
        schedule();
        assert!(!writer.is_finished());
        let mut count = [0; 8];
        (&*counter).read_exact(&mut count).unwrap();
        writer.join().unwrap();
        (&*counter).read_exact(&mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 5);
    });
}

#[test]
fn a_timerfd_expires() {
    isolated(|| {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).unwrap();
        let soon = Timespec {
            tv_sec: 0,
            tv_nsec: 1_000_000,
        };
        let times = Itimerspec {
            it_value: soon,
            it_interval: soon,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times).unwrap();
        let mut timer = Fd::new(timer).unwrap();
        for _ in 0..3 {
            let mut expirations = [0; 8];
            assert_eq!(timer.read(&mut expirations).unwrap(), 8);
            assert!(u64::from_ne_bytes(expirations) >= 1);
        }
    });
}

#[test]
fn inotify_tells_of_a_new_file() {
    isolated(|| {
        let directory = tempfile::tempdir().unwrap();
        let watcher = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&watcher, directory.path(), inotify::WatchFlags::CREATE).unwrap();
        let mut watcher = Fd::new(watcher).unwrap();
        let news = spawn(move || {
            let mut events = [0; 1024];
            let count = watcher.read(&mut events).unwrap();
            String::from_utf8_lossy(&events[..count]).into_owned()
        });
        schedule();
        std::fs::write(directory.path().join("arrival"), "").unwrap();
        assert!(news.join().unwrap().contains("arrival"));
    });
}

#[test]
fn a_signalfd_hears_its_threads_signals() {
    isolated(|| {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGUSR2);
        signals.thread_block().unwrap();
        let source = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC).unwrap();
        let source = Fd::new(source).unwrap();
        let number = spawn(move || {
            let signal = source.read_with(|signals| {
                let signal = signals.read_signal()?;
                signal.ok_or_else(|| ErrorKind::WouldBlock.into())
            });
            signal.unwrap().ssi_signo
        });
        schedule();
        raise(Signal::SIGUSR2).unwrap();
        assert_eq!(number.join().unwrap(), Signal::SIGUSR2 as u32);
    });
}

#[test]
fn a_pidfd_tells_of_a_childs_end() {
    isolated(|| {
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let end = Fd::new(pidfd_open(pid, PidfdFlags::empty()).unwrap()).unwrap();
        let ended = spawn(move || {
            end.read_with(|pidfd| {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                let options = options | WaitIdOptions::NOWAIT;
                let status = waitid(WaitId::PidFd(std::os::fd::AsFd::as_fd(pidfd)), options)?;
                status.ok_or_else(|| ErrorKind::WouldBlock.into())
            })
            .unwrap()
            .exit_status()
        });
        schedule();
        assert!(!ended.is_finished());
        drop(child.stdin.take());
        assert_eq!(ended.join().unwrap(), Some(0));
        assert!(child.wait().unwrap().success());
    });
}

/// The two sides of a terminal; the line discipline waits for whole lines.
fn terminal() -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(libc::O_NOCTTY);
    let slave = options.open(name.to_str().unwrap()).unwrap();
    (master, slave.into())
}

#[test]
fn a_terminal_gives_line_after_line() {
    isolated(|| {
        let (master, slave) = terminal();
        let (master, slave) = (Fd::new(master).unwrap(), Fd::new(slave).unwrap());
        let lines = spawn(move || {
            let mut lines = Vec::new();
            loop {
                // Less than a line at a time: the rest comes without an edge.
                let mut piece = [0; 4];
                let count = (&slave).read(&mut piece).unwrap();
                lines.extend_from_slice(&piece[..count]);
                if lines.ends_with(b"three\n") {
                    return lines;
                }
            }
        });
        schedule();
        (&master).write_all(b"one\ntwo\n").unwrap();
        schedule();
        (&master).write_all(b"thr").unwrap();
        schedule();
        (&master).write_all(b"ee\n").unwrap();
        assert_eq!(lines.join().unwrap(), b"one\ntwo\nthree\n");
        // What was typed comes back as an echo.
        master.wait(Interest::READ, None).unwrap();
        let mut echo = [0; 64];
        let count = (&master).read(&mut echo).unwrap();
        assert!(echo[..count].starts_with(b"one\r\n"));
    });
}

#[test]
fn a_socket_works_both_ways_at_once() {
    isolated(|| {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let (ours, theirs) = (Fd::new(ours).unwrap(), Fd::new(theirs).unwrap());
        let ours = Rc::new(ours);
        let writing = ours.clone();
        let bytes = vec![7; 1 << 20];
        let sent = bytes.clone();
        let writer = spawn(move || (&*writing).write_all(&sent).unwrap());
        let echo = spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            (&theirs).read_exact(&mut buffer).unwrap();
            (&theirs).write_all(&buffer).unwrap();
        });
        let mut got = vec![0; 1 << 20];
        (&*ours).read_exact(&mut got).unwrap();
        assert!(got == bytes);
        writer.join().unwrap();
        echo.join().unwrap();
    });
}
