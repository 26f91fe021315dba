//! Standard streams of every kind, in child processes that run this binary.
//!
//! The child says on stderr that it is alive, from a tasklet that runs only if
//! the one that waits for input has not stopped the thread. Its parent sends
//! nothing before it has heard that.

use greenling::io::Fd;
use greenling::process::{Child, Command, Stdio};
use greenling::spawn;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use tests::{child, isolated};

const PART: &str = "copies its input";
const PATH: &str = "standard_streams::a_child_copies_its_input";

/// Parts what the test harness prints from what the child does.
const START: &[u8] = b"<start>";

/// Not a test of its own: the others run it.
#[test]
fn a_child_copies_its_input() {
    if !child::is(PART) {
        return;
    }
    greenling::enter(|| {
        spawn(|| greenling::io::stderr().write_all(b"alive").unwrap());
        let (mut stdin, mut stdout) = (greenling::io::stdin(), greenling::io::stdout());
        let mut buffer = vec![0; 10_000];
        let mut first = true;
        loop {
            let count = stdin.read(&mut buffer).unwrap();
            // After the read, so that a terminal has been waited for.
            if std::mem::take(&mut first) {
                stdout.write_all(START).unwrap();
            }
            if count == 0 {
                break;
            }
            stdout.write_all(&buffer[..count]).unwrap();
        }
        // It may have had no need to wait.
        greenling::run().unwrap();
    });
    std::process::exit(0);
}

/// This binary, to play the part.
fn copier() -> Command {
    child::command(PATH, PART).into()
}

fn heard_of(child: &mut Child) {
    let mut alive = [0; 5];
    let stderr = child.stderr.as_mut().unwrap();
    stderr.read_exact(&mut alive).unwrap();
    assert_eq!(&alive, b"alive");
}

/// What the child itself has written.
fn after_start(text: &[u8]) -> &[u8] {
    let start = text.windows(START.len()).position(|part| part == START);
    &text[start.expect("the child has started") + START.len()..]
}

fn is_nonblocking(fd: impl AsFd) -> bool {
    fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

fn pipe() -> (PipeReader, PipeWriter) {
    std::io::pipe().unwrap()
}

#[test]
fn pipes() {
    isolated(|| {
        let ((their_in, our_in), (our_out, their_out)) = (pipe(), pipe());
        let (shared_in, shared_out) = (their_in.try_clone().unwrap(), their_out.try_clone());
        let shared_out = shared_out.unwrap();
        let mut command = copier();
        command
            .stdin(their_in)
            .stdout(their_out)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(command);
        heard_of(&mut child);
        let mut our_in = Fd::new(our_in).unwrap();
        let bytes: Vec<u8> = (0..1_000_000u32).map(|at| (at % 249) as u8).collect();
        let sent = bytes.clone();
        let reading = spawn(move || {
            let mut our_out = Fd::new(our_out).unwrap();
            let mut got = Vec::new();
            our_out.read_to_end(&mut got).unwrap();
            got
        });
        our_in.write_all(&sent).unwrap();
        // The descriptions that the child shares with others are as they were.
        assert!(!is_nonblocking(&shared_in));
        assert!(!is_nonblocking(&shared_out));
        drop((our_in, shared_out));
        assert!(after_start(&reading.join().unwrap()) == bytes);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn a_terminal() {
    isolated(|| {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let mut both = File::options();
        let slave: OwnedFd = both
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap()
            .into();
        // What is typed would come back, too, among what the child writes.
        let mut modes = tcgetattr(&slave).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        let mut command = copier();
        command
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        heard_of(&mut child);
        let master = Fd::new(master).unwrap();
        (&master).write_all(b"one\ntwo\n").unwrap();
        assert!(!is_nonblocking(&slave));
        // The end of input.
        (&master).write_all(b"three\n\x04").unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"three\r\n") {
            let mut piece = [0; 256];
            let count = (&master).read(&mut piece).unwrap();
            text.extend_from_slice(&piece[..count]);
        }
        assert!(after_start(&text) == b"one\r\ntwo\r\nthree\r\n");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn regular_files() {
    isolated(|| {
        let scratch = tempfile::tempdir().unwrap();
        let (input, output) = (scratch.path().join("in"), scratch.path().join("out"));
        let bytes: Vec<u8> = (0..100_000u32).map(|at| (at % 247) as u8).collect();
        std::fs::write(&input, &bytes).unwrap();
        // Both go on from where the shared description stands.
        let mut input = File::open(&input).unwrap();
        input.seek_relative(1000).unwrap();
        let mut output_file = File::create(&output).unwrap();
        output_file.write_all(b"before").unwrap();
        let mut command = copier();
        command
            .stdin(input.try_clone().unwrap())
            .stdout(output_file.try_clone().unwrap());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        heard_of(&mut child);
        assert!(child.wait().unwrap().success());
        output_file.write_all(b"after").unwrap();
        let text = std::fs::read(&output).unwrap();
        assert!(text.starts_with(b"before"));
        let written = after_start(&text).strip_suffix(b"after").unwrap();
        assert!(written == &bytes[1000..]);
        assert_eq!(input.stream_position().unwrap(), bytes.len() as u64);
    });
}

#[test]
fn sockets() {
    isolated(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let shared = theirs.try_clone().unwrap();
        let theirs = OwnedFd::from(theirs);
        let mut command = copier();
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        drop(command);
        heard_of(&mut child);
        assert!(!is_nonblocking(&shared));
        drop(shared);
        let ours = Fd::new(ours).unwrap();
        (&ours).write_all(b"by a socket").unwrap();
        ours.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = Vec::new();
        (&ours).read_to_end(&mut text).unwrap();
        assert_eq!(after_start(&text), b"by a socket");
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn nothing() {
    isolated(|| {
        let mut command = copier();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        heard_of(&mut child);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn closed_descriptors() {
    isolated(|| {
        let copier = copier();
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" <&- >&-"])
            .arg(copier.get_program());
        command.args(copier.get_args());
        for (name, value) in copier.as_std().get_envs() {
            command.envs(value.map(|value| (name, value)));
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        heard_of(&mut child);
        assert!(child.wait().unwrap().success());
    });
}
