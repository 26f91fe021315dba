//! Files: what jobs on other threads could get wrong.

use greenling::fs::{self, File, OpenOptions};
use greenling::time::timeout;
use greenling::{offload, schedule, spawn, switch_trap};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::cell::Cell;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

/// Runs `f` in a scratch directory.
fn in_scratch(f: impl FnOnce(&Path) + Send + 'static) {
    isolated(|| {
        let scratch = tempfile::tempdir().unwrap();
        f(scratch.path());
    });
}

fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
}

/// Files and all that leads to them may go to other threads.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<File>();
    is_send::<OpenOptions>();
    is_send::<fs::ReadDir>();
    is_send::<greenling::process::Command>();
};

/// Counts how often others had a turn.
fn turns() -> Rc<Cell<u32>> {
    let turns = Rc::new(Cell::new(0));
    let counting = Rc::downgrade(&turns);
    spawn(move || {
        while let Some(turns) = counting.upgrade() {
            turns.set(turns.get() + 1);
            drop(turns);
            schedule();
        }
    });
    turns
}

#[test]
fn others_run_while_a_file_is_opened() {
    in_scratch(|dir| {
        let path = dir.join("fifo");
        make_fifo(&path);
        let opening = path.clone();
        // Opening a FIFO waits for its other end.
        let reader = spawn(move || {
            let mut text = String::new();
            File::open(opening)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        });
        schedule();
        assert!(!reader.is_finished());
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        writer.write_all(b"through the pipe").unwrap();
        drop(writer);
        assert_eq!(reader.join().unwrap(), "through the pipe");
    });
}

#[test]
fn small_reads_use_what_was_read_ahead() {
    in_scratch(|dir| {
        let path = dir.join("file");
        let bytes: Vec<u8> = (0..60_000u32).map(|at| (at % 250) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let mut file = File::open(&path).unwrap();
        let turns = turns();
        schedule();
        let mut got = vec![0; 3];
        file.read_exact(&mut got).unwrap();
        let before = turns.get();
        assert!(before > 1, "the first read waits for its job");
        while got.len() < bytes.len() {
            let mut three = [0; 3];
            file.read_exact(&mut three).unwrap();
            got.extend_from_slice(&three);
        }
        assert_eq!(turns.get(), before, "the others don't");
        assert!(got == bytes);
    });
}

#[test]
fn what_others_have_written_is_seen_after_a_seek() {
    in_scratch(|dir| {
        let path = dir.join("file");
        fs::write(&path, "old text").unwrap();
        let mut file = File::open(&path).unwrap();
        let mut four = [0; 4];
        file.read_exact(&mut four).unwrap();
        std::fs::write(&path, "new text, and more").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "new text, and more");
        std::fs::write(&path, "new text, and more still").unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "new text, and more still", "the end is not kept");
    });
}

#[test]
fn a_write_of_a_killed_tasklet_comes_before_later_ones() {
    const MANY: usize = 1 << 20;
    in_scratch(|dir| {
        let path = dir.join("fifo");
        make_fifo(&path);
        let mut both = OpenOptions::new();
        let stream = Rc::new(both.read(true).write(true).open(&path).unwrap());
        let mut reader = std::fs::File::open(&path).unwrap();
        let writing = stream.clone();
        // More than a pipe holds, so it is under way until somebody reads.
        let victim = spawn(move || (&*writing).write(&[b'v'; MANY]));
        schedule();
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        let later = spawn(move || (&*stream).write_all(&[b'l'; MANY]).unwrap());
        schedule();
        let got = offload(move || {
            let mut got = vec![0; 2 * MANY];
            reader.read_exact(&mut got).unwrap();
            got
        });
        let got = got.unwrap();
        later.join().unwrap();
        assert!(got[..MANY].iter().all(|&byte| byte == b'v'));
        assert!(got[MANY..].iter().all(|&byte| byte == b'l'));
    });
}

#[test]
fn a_write_that_was_cut_short_can_be_repeated() {
    in_scratch(|dir| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = Rc::new(options.open(dir.join("file")).unwrap());
        for round in 0..20u8 {
            let writing = file.clone();
            let victim = spawn(move || (&*writing).write(&[b'v'; 1 << 20]));
            schedule();
            victim.tasklet().kill().unwrap();
            assert!(victim.join().unwrap_err().is_killed());
            assert_eq!((&*file).stream_position().unwrap(), 0, "unmoved");
            let mut bytes = vec![round; 1000];
            (&*file).write_all(&bytes).unwrap();
            (&*file).rewind().unwrap();
            (&*file).read_exact(&mut bytes).unwrap();
            assert!(bytes.iter().all(|&byte| byte == round), "in round {round}");
            (&*file).rewind().unwrap();
        }
    });
}

#[test]
fn a_read_that_was_cut_short_has_taken_nothing() {
    in_scratch(|dir| {
        let path = dir.join("file");
        fs::write(&path, "0123456789").unwrap();
        let file = Rc::new(File::open(&path).unwrap());
        for _ in 0..20 {
            let reading = file.clone();
            let victim = spawn(move || (&*reading).read(&mut [0; 4]));
            schedule();
            victim.tasklet().kill().unwrap();
            assert!(victim.join().unwrap_err().is_killed());
            let _ = timeout(Duration::ZERO, || (&*file).read(&mut [0; 0]));
        }
        let mut text = String::new();
        (&*file).read_to_string(&mut text).unwrap();
        assert_eq!(text, "0123456789");
    });
}

#[test]
fn a_killed_reader_of_a_stream_leaves_its_bytes_to_the_next() {
    in_scratch(|dir| {
        let path = dir.join("fifo");
        make_fifo(&path);
        let mut both = OpenOptions::new();
        let stream = Rc::new(both.read(true).write(true).open(&path).unwrap());
        let reading = stream.clone();
        let victim = spawn(move || (&*reading).read(&mut [0; 100]));
        schedule();
        victim.tasklet().kill().unwrap();
        // Its job reads them for nobody; a write is not held up by it.
        (&*stream).write_all(b"kept").unwrap();
        let mut got = [0; 4];
        (&*stream).read_exact(&mut got).unwrap();
        assert_eq!(&got, b"kept");
        assert_eq!(
            (&*stream).stream_position().unwrap_err().kind(),
            ErrorKind::NotSeekable
        );
    });
}

#[test]
fn tasklets_that_share_a_file_read_each_byte_once() {
    in_scratch(|dir| {
        let path = dir.join("file");
        let bytes: Vec<u8> = (0..2_000_000u32).map(|at| (at >> 8) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let file = Rc::new(File::open(&path).unwrap());
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let file = file.clone();
                spawn(move || {
                    let mut sum = 0u64;
                    let mut buffer = vec![0; 100_000];
                    loop {
                        let count = (&*file).read(&mut buffer).unwrap();
                        if count == 0 {
                            return sum;
                        }
                        sum += buffer[..count]
                            .iter()
                            .map(|&byte| u64::from(byte))
                            .sum::<u64>();
                    }
                })
            })
            .collect();
        let total: u64 = readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .sum();
        assert_eq!(total, bytes.iter().map(|&byte| u64::from(byte)).sum());
    });
}

#[test]
fn positioned_reads_and_writes_leave_the_position() {
    in_scratch(|dir| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let mut file = options.open(dir.join("file")).unwrap();
        file.write_all_at(b"0123456789", 0).unwrap();
        let mut three = [0; 3];
        file.read_exact(&mut three).unwrap();
        file.write_all_at(b"ABC", 3).unwrap();
        file.read_exact_at(&mut three, 7).unwrap();
        assert_eq!(&three, b"789");
        let past = file.read_exact_at(&mut three, 8).unwrap_err();
        assert_eq!(past.kind(), ErrorKind::UnexpectedEof);
        file.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"ABC", "what was read ahead is forgotten");
        assert_eq!(file.stream_position().unwrap(), 6);
        let mut file = file.into_std().unwrap();
        assert_eq!(file.stream_position().unwrap(), 6);
        let file = File::from(file);
        assert_eq!((&file).stream_position().unwrap(), 6);
    });
}

#[test]
fn what_is_no_regular_file_works_as_well() {
    isolated(|| {
        let mut options = OpenOptions::new();
        let mut null = options.read(true).write(true).open("/dev/null").unwrap();
        null.write_all(&[1; 100_000]).unwrap();
        assert_eq!(null.read(&mut [0; 10]).unwrap(), 0);
        let mut zero = [1; 100_000];
        File::open("/dev/zero")
            .unwrap()
            .read_exact(&mut zero)
            .unwrap();
        assert!(zero.iter().all(|&byte| byte == 0));
        let maps = fs::read_to_string("/proc/self/status").unwrap();
        let mut text = String::new();
        let mut file = File::open("/proc/self/status").unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().next(), maps.lines().next());
        assert!(text.len() > 500);
    });
}

#[test]
fn a_directory_that_is_listed_late_loses_no_entry() {
    in_scratch(|dir| {
        for number in 0..1000 {
            std::fs::write(dir.join(number.to_string()), "").unwrap();
        }
        let mut entries = fs::read_dir(dir).unwrap();
        let (mut names, mut cut_short) = (Vec::new(), 0);
        loop {
            // Whenever a batch has to be read, it may not wait for it.
            let trap = switch_trap();
            let next = entries.next();
            drop(trap);
            match next {
                Some(Ok(entry)) => names.push(entry.file_name()),
                Some(Err(error)) => {
                    assert_eq!(error.kind(), ErrorKind::Other);
                    assert!(entries.next().is_none(), "a loop would not end");
                    cut_short += 1;
                    // Without the trap.
                    names.extend(entries.next().map(|entry| entry.unwrap().file_name()));
                }
                None => break,
            }
        }
        assert!(cut_short >= 7, "{cut_short}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
    });
}

#[test]
fn who_waits_for_a_lock_gets_it_holds_nobody_up_and_can_be_cut_short() {
    isolated(|| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::from(std::fs::File::open(file.path()).unwrap());
        let (one, other, third) = (open(), open(), open());
        one.lock().unwrap();
        // More of them than the pool has threads.
        let crowd: Vec<_> = (0..70).map(|_| open()).collect();
        let crowd = crowd
            .into_iter()
            .map(|file| spawn(move || file.lock_shared()));
        let crowd: Vec<_> = crowd.collect();
        let ended = timeout(Duration::from_millis(5), || other.lock());
        let error = ended.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let victim = spawn(move || third.lock());
        schedule();
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        one.unlock().unwrap();
        for waiting in crowd {
            waiting.join().unwrap().unwrap();
        }
        other.lock().unwrap();
    });
}
