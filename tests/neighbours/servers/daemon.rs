//! A server of another project's, started for one test.

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A generous limit: it only ends what hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A running process, interrupted and waited for when it is dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts `command` and waits until a line that it writes contains `ready`.
    /// The lines come from its standard error if `on_stderr`, else from its
    /// standard output. The other one is thrown away.
    ///
    /// # Errors
    ///
    /// What it wrote, when it has ended instead.
    pub(crate) fn start(
        command: &mut Command,
        on_stderr: bool,
        ready: &'static str,
    ) -> Result<Daemon, String> {
        command.stdin(Stdio::null());
        match on_stderr {
            true => command.stderr(Stdio::piped()).stdout(Stdio::null()),
            false => command.stdout(Stdio::piped()).stderr(Stdio::null()),
        };
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let lines: Box<dyn Read + Send> = match on_stderr {
            true => Box::new(child.stderr.take().expect("it is piped")),
            false => Box::new(child.stdout.take().expect("it is piped")),
        };
        let daemon = Daemon { child };
        let (tell, told) = mpsc::channel();
        // Reads on until the end, so that the server never waits for us.
        std::thread::spawn(move || {
            let mut so_far = String::new();
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if line.contains(ready) {
                    // Nobody listens after the watchdog.
                    let _ = tell.send(Ok(()));
                }
                so_far = so_far + &line + "\n";
            }
            let _ = tell.send(Err(so_far));
        });
        told.recv_timeout(WATCHDOG)
            .map_err(|_| "it does not get ready".to_owned())??;
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.child.id().cast_signed());
        // Not `Child::kill`, which leaves the processes of PostgreSQL's behind.
        // Gone already: then there is nothing to end.
        let _ = signal::kill(id, Signal::SIGINT);
        let _ = self.child.wait();
    }
}

/// Calls `start` with free ports until it succeeds: another process may take one
/// before the server does.
///
/// # Panics
///
/// With what the server wrote, when it fails each time.
pub(crate) fn on_a_free_port<T>(mut start: impl FnMut(u16) -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..5 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        match start(port) {
            Ok(started) => return started,
            Err(written) => last = written,
        }
    }
    panic!("the server does not start: {last}");
}
