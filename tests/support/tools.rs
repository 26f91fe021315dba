//! Foreign programs that tests talk to: whether they are there, and running
//! them under a watchdog.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::forks;

/// A generous limit for one run of a foreign program: it only ends what hangs.
const WATCHDOG: Duration = Duration::from_secs(120);

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Finds the program `tool` for `test`, or says that the test is skipped.
///
/// The line `SKIPPED: test (tool missing)` goes past the test harness's capture,
/// so that it shows without `--nocapture`.
///
/// # Panics
///
/// When the program is missing and `GREENLING_REQUIRE_INTEROP=1` is set, as in
/// the gate, where a silent skip would be a hole.
pub fn find(test: &str, tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(tool))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        skip(test, &format!("{tool} missing"));
    }
    found
}

/// Says that `test` is skipped, and why.
///
/// # Panics
///
/// When `GREENLING_REQUIRE_INTEROP=1` is set.
pub fn skip(test: &str, reason: &str) {
    let required = std::env::var_os("GREENLING_REQUIRE_INTEROP");
    assert!(
        required.as_deref() != Some(OsStr::new("1")),
        "{test}: {reason}, and GREENLING_REQUIRE_INTEROP=1 is set"
    );
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let line = format!("SKIPPED: {test} ({reason}) [{count} so far]\n");
    // A terminal that is gone is no reason to fail.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// How many tests of this process were skipped.
pub fn skipped() -> usize {
    SKIPPED.load(Ordering::Relaxed)
}

/// What a foreign program left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Standard output and error as text, for assertions and their messages.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}",
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        )
    }

    /// This, if the program ended with success.
    ///
    /// # Panics
    ///
    /// With all that it wrote, if not.
    #[track_caller]
    pub fn success(self) -> Finished {
        assert!(self.status.success(), "{}: {}", self.status, self.text());
        self
    }
}

/// Runs `command` with `input` on its standard input until it ends.
///
/// # Panics
///
/// When it cannot be started, or has not ended after two minutes.
pub fn run(command: &mut Command, input: &[u8]) -> Finished {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = forks::start(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (sender, receiver) = mpsc::channel();
    let stdout = collect(&mut child, |child| child.stdout.take(), sender.clone());
    let stderr = collect(&mut child, |child| child.stderr.take(), sender);
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A program that does not read all of its input is judged by its output.
        let _ = stdin.write_all(&input);
    });
    let limit = Instant::now() + WATCHDOG;
    for _stream in ["stdout", "stderr"] {
        let left = limit.saturating_duration_since(Instant::now());
        if receiver.recv_timeout(left).is_err() {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} does not end");
        }
    }
    let status = child.wait().expect("a child can be waited for");
    let join = |reader: std::thread::JoinHandle<Vec<u8>>| reader.join().expect("reader thread");
    feeder.join().expect("feeder thread");
    Finished {
        status,
        stdout: join(stdout),
        stderr: join(stderr),
    }
}

/// Reads one of the child's streams to its end on a thread, then sends a message.
fn collect<R: Read + Send + 'static>(
    child: &mut Child,
    take: impl FnOnce(&mut Child) -> Option<R>,
    done: mpsc::Sender<()>,
) -> std::thread::JoinHandle<Vec<u8>> {
    let mut stream = take(child).expect("the stream is piped");
    std::thread::spawn(move || {
        let mut content = Vec::new();
        // What was read before an error is still worth showing.
        let _ = stream.read_to_end(&mut content);
        // The receiver is gone after the watchdog has struck.
        let _ = done.send(());
        content
    })
}
