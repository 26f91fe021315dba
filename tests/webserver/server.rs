//! The program under test, as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

use tests::webserver::executable;

use crate::client::Client;

/// A running server with a listener of each kind on ports of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) https: SocketAddr,
    pub(crate) plain: SocketAddr,
}

impl Server {
    /// Starts it with more options, and returns when it says that it is ready.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::spawn(options, "warn")
    }

    /// As [`Server::start`], with a log that tells what goes well, too.
    pub(crate) fn start_talkative(options: &[&str]) -> Self {
        Self::spawn(options, "webserver=info")
    }

    fn spawn(options: &[&str], log: &str) -> Self {
        let mut child = Command::new(executable())
            .env("RUST_LOG", log)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--plain",
                "127.0.0.1:0",
                "--workers",
                "2",
            ])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was just built");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut announced = |scheme: &str| {
            let line = lines
                .next()
                .expect("a line for each listener")
                .expect("text");
            let address = line
                .strip_prefix("listening ")
                .and_then(|rest| rest.strip_prefix(scheme));
            address
                .and_then(|text| text.parse().ok())
                .unwrap_or_else(|| panic!("{line:?}"))
        };
        let https = announced("https://");
        let plain = announced("http://");
        Self {
            child,
            https,
            plain,
        }
    }

    /// Connects to the listener without TLS.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.plain)
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is a standard tool").success());
    }

    /// Waits for its end; returns how it ended and what it wrote to standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut log = String::new();
        let stderr = self.child.stderr.take().expect("piped, and taken once");
        BufReader::new(stderr)
            .read_to_string(&mut log)
            .expect("text");
        (self.child.wait().expect("a child of this process"), log)
    }

    /// Reads standard error up to a line that has `text` in it.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut log = String::new();
        let mut stderr = BufReader::new(self.child.stderr.as_mut().expect("piped"));
        while !log.contains(text) {
            assert!(
                stderr.read_line(&mut log).expect("text") > 0,
                "ended without {text:?}: {log}"
            );
        }
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the server with options that it refuses; returns its complaint.
pub(crate) fn refused(options: &[&str]) -> String {
    let output = Command::new(executable())
        .args(options)
        .output()
        .expect("the binary was just built");
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "said that it was ready");
    String::from_utf8(output.stderr).expect("text")
}
