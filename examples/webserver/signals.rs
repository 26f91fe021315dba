//! What signals do to the server.
//!
//! ```text
//!   serving --SIGTERM, SIGINT--> draining --all connections ended, or --drain passed--> exit 0
//!      |                            |
//!      +-- SIGUSR1: dump            +-- SIGTERM, SIGINT again: exit at once
//!      +-- SIGHUP: certificates
//! ```

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use greenling::signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, Signals};
use greenling::{Shutdown, inspect};

use crate::certificates::Certificates;

/// Obeys signals from now on.
pub(crate) fn obey(shutdown: &Shutdown, certificates: Arc<Certificates>) -> io::Result<()> {
    signal::stop_on(&[SIGINT, SIGTERM], shutdown)?;
    // By a thread of its own: a dump is for the time when nothing else moves.
    inspect::dump_on(SIGUSR1)?;
    let (ready, waiting) = mpsc::channel();
    thread::Builder::new()
        .name("certificates".to_owned())
        .spawn(move || {
            let signals = Signals::new(&[SIGHUP]);
            let (signals, told) = match signals {
                Ok(signals) => (Some(signals), ready.send(Ok(()))),
                Err(error) => (None, ready.send(Err(error))),
            };
            if let (Some(signals), Ok(())) = (signals, told) {
                reload_at_each(&signals, &certificates);
            }
        })?;
    waiting.recv().map_err(io::Error::other)?
}

/// Reading files and keys takes its time: connections are served by other threads meanwhile.
fn reload_at_each(signals: &Signals, certificates: &Certificates) {
    loop {
        match signals.wait() {
            Ok(_) => match certificates.reload() {
                Ok(()) => log::info!("certificates reloaded"),
                Err(error) => log::error!("certificates stay as they were: {error}"),
            },
            Err(error) => return log::error!("certificates stay as they are: {error}"),
        }
    }
}
