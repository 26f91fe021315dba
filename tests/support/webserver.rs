//! The example web server as a child process.

use crate::example;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

/// How long the server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running web server, killed when dropped.
#[derive(Debug)]
pub struct WebServer {
    child: Child,
    port: u16,
}

impl WebServer {
    /// Starts the server on a free port of 127.0.0.1, with more options if wanted.
    ///
    /// # Panics
    ///
    /// When it cannot be built, or does not announce its address.
    pub fn start<S: AsRef<OsStr>>(options: impl IntoIterator<Item = S>) -> WebServer {
        let mut child = Command::new(executable())
            .args(["--listen", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the web server starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Reading goes on after the first line, or the pipe would fill.
                let _ = sender.send(line);
            }
        });
        // Held from here on, so that a panic below ends the child.
        let mut server = WebServer { child, port: 0 };
        let line = receiver
            .recv_timeout(START_LIMIT)
            .expect("the web server says where it listens");
        server.port = line
            .strip_prefix("listening https://127.0.0.1:")
            .and_then(|port| port.trim().parse().ok())
            .unwrap_or_else(|| panic!("not an address: {line:?}"));
        server
    }

    /// The port of its HTTPS listener on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://localhost:PORT` and `path`.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The process, for signals and for its figures under `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // It may have ended by itself; a test that cares looks before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of the server's executable: what `GREENLING_WEBSERVER` names, or else
/// built on first use, with the profile of the tests.
///
/// # Panics
///
/// When the build fails.
pub fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        if let Some(built_before) = std::env::var_os("GREENLING_WEBSERVER") {
            return built_before.into();
        }
        example::build("webserver")
    })
}
