//! Child processes: pipes, waits, ends, and objects that are dropped early.

use greenling::process::{Child, Command, Stdio};
use greenling::time::timeout;
use greenling::{schedule, spawn};
use nix::sys::signal::Signal;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

/// A child whose pipes are ours.
fn piped(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// A child that runs this line.
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// Whether there is a process with this number, a zombie included.
fn exists(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

/// Lets others run until the process has been reaped.
fn until_reaped(id: u32) {
    while exists(id) {
        greenling::time::sleep(Duration::from_micros(100));
    }
}

#[test]
fn a_hundred_megabytes_go_through_a_child_both_ways_at_once() {
    const TOTAL: usize = 100 << 20;
    isolated(|| {
        let mut child = piped("cat", &[]);
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let piece: Vec<u8> = (0..1 << 20).map(|at| (at % 253) as u8).collect();
        let sent = piece.clone();
        let writer = spawn(move || {
            for _ in 0..TOTAL / sent.len() {
                stdin.write_all(&sent).unwrap();
            }
        });
        let mut got = vec![0; piece.len()];
        for _ in 0..TOTAL / piece.len() {
            stdout.read_exact(&mut got).unwrap();
            assert!(got == piece);
        }
        writer.join().unwrap();
        assert_eq!(stdout.read(&mut got).unwrap(), 0);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn others_run_while_a_child_is_waited_for() {
    isolated(|| {
        let mut child = piped("cat", &[]);
        let stdin = child.stdin.take();
        let waiter = spawn(move || child.wait().unwrap());
        schedule();
        assert!(!waiter.is_finished());
        drop(stdin);
        assert!(waiter.join().unwrap().success());
    });
}

#[test]
fn waiting_closes_standard_input_as_std_does() {
    isolated(|| assert!(piped("cat", &[]).wait().unwrap().success()));
}

#[test]
fn output_takes_both_pipes_at_once() {
    isolated(|| {
        // Each is more than a pipe holds, and one comes wholly before the other.
        let line = "head -c 500000 /dev/zero | tr '\\0' e >&2; head -c 300000 /dev/zero; exit 3";
        let output = shell(line).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(output.stderr == vec![b'e'; 500_000]);
        assert!(output.stdout == vec![0; 300_000]);
    });
}

#[test]
fn output_leaves_the_command_as_it_was() {
    isolated(|| {
        let mut command = shell("[ -z \"$SILENT\" ] && cat && echo out && echo err >&2");
        let output = command.stderr(Stdio::null()).output().unwrap();
        assert_eq!(
            (&*output.stdout, &*output.stderr),
            (&b"out\n"[..], &b""[..])
        );
        let child = command.env("SILENT", "1").spawn();
        let mut child = child.unwrap();
        assert!(child.stdin.is_none() && child.stdout.is_none() && child.stderr.is_none());
        assert_eq!(child.wait().unwrap().code(), Some(1));
    });
}

#[test]
fn the_status_is_that_of_std() {
    isolated(|| {
        for line in ["exit 0", "exit 7", "kill -9 $$", "kill -15 $$"] {
            let ours = shell(line).status().unwrap();
            let stds = std::process::Command::new("sh").args(["-c", line]).status();
            assert_eq!(ours, stds.unwrap(), "{line}");
        }
    });
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    isolated(|| {
        let error = Command::new("/no/such/program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_killed_child_is_heard_of() {
    isolated(|| {
        let child = Rc::new(piped("cat", &[]));
        let waiting = child.clone();
        let waiter = spawn(move || waiting.wait_shared().unwrap());
        schedule();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        let status = waiter.join().unwrap();
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
        // It has been waited for: nothing is there to kill, and that is well.
        child.kill().unwrap();
        assert_eq!(child.try_wait().unwrap(), Some(status));
    });
}

#[test]
fn several_tasklets_wait_for_one_child() {
    isolated(|| {
        let mut child = piped("sh", &["-c", "read line; exit 5"]);
        let mut stdin = child.stdin.take().unwrap();
        let child = Rc::new(child);
        let waiters: Vec<_> = (0..5)
            .map(|_| {
                let child = child.clone();
                spawn(move || child.wait_shared().unwrap().code())
            })
            .collect();
        schedule();
        stdin.write_all(b"go\n").unwrap();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Some(5));
        }
    });
}

#[test]
fn a_wait_that_is_cut_short_can_be_repeated() {
    isolated(|| {
        let child = Rc::new(piped("cat", &[]));
        let soon = Duration::from_millis(1);
        let cut = timeout(soon, || child.wait_shared().unwrap_err());
        assert_eq!(cut.unwrap_err().into_inner().kind(), ErrorKind::TimedOut);
        let waiting = child.clone();
        let victim = spawn(move || waiting.wait_shared());
        schedule();
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        child.kill().unwrap();
        assert!(child.wait_shared().unwrap().signal().is_some());
    });
}

#[test]
fn two_hundred_children_at_once() {
    isolated(|| {
        let children: Vec<_> = (0..200u8)
            .map(|number| {
                spawn(move || {
                    let line = format!("read line; echo $line; exit {number}");
                    let mut child = piped("sh", &["-c", &line]);
                    schedule();
                    let mut stdin = child.stdin.take().unwrap();
                    writeln!(stdin, "line {number}").unwrap();
                    let output = child.wait_with_output().unwrap();
                    assert_eq!(output.status.code(), Some(i32::from(number)));
                    let text = String::from_utf8(output.stdout).unwrap();
                    assert_eq!(text, format!("line {number}\n"));
                })
            })
            .collect();
        for child in children {
            child.join().unwrap();
        }
    });
}

#[test]
fn a_dropped_child_lives_on_and_leaves_no_zombie() {
    isolated(|| {
        let mut child = piped("sh", &["-c", "cat; echo done"]);
        let (stdin, id) = (child.stdin.take(), child.id());
        let mut stdout = child.stdout.take().unwrap();
        drop(child);
        assert!(exists(id));
        drop(stdin);
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        assert_eq!(text, "done\n");
        until_reaped(id);
    });
}

/// Second descriptors for all pidfds of this process, as a forked process has.
fn copies_of_pidfds() -> Vec<OwnedFd> {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap();
    let pidfds = numbers.filter_map(|entry| {
        let path = entry.unwrap().path();
        let target = std::fs::read_link(&path).ok()?;
        let number = path.file_name()?.to_str()?.parse().ok()?;
        (target.to_str() == Some("anon_inode:[pidfd]")).then_some(number)
    });
    let copy = |number| pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).ok();
    pidfds.filter_map(copy).collect()
}

/// Whether an `epoll` of this process watches something with this number.
fn is_watched(number: u32) -> bool {
    let about = std::fs::read_dir("/proc/self/fdinfo").unwrap();
    let mut about = about.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    let number = format!("{number:x}");
    let is_it = |line: &str| {
        let data = line.split_once("data:");
        data.is_some_and(|(_, data)| data.split_whitespace().next() == Some(&number))
    };
    about.any(|text| text.lines().any(is_it))
}

#[test]
fn a_reaped_child_is_watched_no_more_even_if_its_pidfd_is_elsewhere_too() {
    // Its end would be news again and again.
    isolated(|| {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let (id, stdin) = (child.id(), child.stdin.take());
        drop(child);
        assert!(is_watched(id));
        let copies = copies_of_pidfds();
        assert!(!copies.is_empty());
        drop(stdin);
        until_reaped(id);
        assert!(!is_watched(id));
    });
}

#[test]
fn a_dropped_child_is_killed_if_so_asked() {
    isolated(|| {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let (stdin, id) = (child.stdin.take(), child.id());
        let mut stdout = child.stdout.take().unwrap();
        // Killed with the object in its frame.
        let victim = spawn(move || child.wait());
        schedule();
        victim.tasklet().kill().unwrap();
        assert_eq!(stdout.read(&mut [0]).unwrap(), 0);
        until_reaped(id);
        drop(stdin);
    });
}

#[test]
fn a_writer_to_a_child_that_ended_gets_an_error() {
    isolated(|| {
        let mut child = piped("true", &[]);
        child.wait_shared().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than the pipe holds: another test's child may have the reading
        // end, too, until it has loaded its program.
        let error = stdin.write_all(&[0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn children_are_chained_by_their_pipes() {
    isolated(|| {
        let mut first = piped("sh", &["-c", "head -c 1000000 /dev/zero"]);
        let pipe = first.stdout.take().unwrap();
        let mut second = Command::new("wc");
        let output = second.arg("-c").stdin(pipe).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "1000000");
        assert!(first.wait().unwrap().success());
    });
}

#[test]
fn what_is_set_arrives() {
    isolated(|| {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().canonicalize().unwrap();
        let file = directory.join("file");
        let mut command = shell("pwd; echo $ONE $TWO $THREE; cat");
        command.current_dir(&directory).env_clear();
        command.envs([("ONE", "1"), ("TWO", "2")]).env("THREE", "3");
        command.env_remove("TWO").env("PATH", "/usr/bin:/bin");
        std::fs::write(&file, "from the file").unwrap();
        command.stdin(File::open(&file).unwrap());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, format!("{}\n1 3\nfrom the file", directory.display()));
        assert_eq!(command.get_program(), "sh");
        assert_eq!(command.get_args().len(), 2);
        assert!(
            command
                .get_envs()
                .any(|it| it == ("ONE".as_ref(), Some("1".as_ref())))
        );
        assert_eq!(command.get_current_dir(), Some(&*directory));
    });
}

#[test]
fn a_process_of_another_name_group_and_owner() {
    isolated(|| {
        let line = "read a b c d group rest </proc/$$/stat; echo $0 $group $$; id -u; id -g";
        let mut command = shell(line);
        command.arg0("another").process_group(0);
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        if is_root {
            command.uid(12).gid(34);
        }
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let words: Vec<_> = text.split_whitespace().collect();
        assert_eq!((words[0], words[1]), ("another", words[2]));
        if is_root {
            assert_eq!(words[3..], ["12", "34"]);
        }
    });
}
