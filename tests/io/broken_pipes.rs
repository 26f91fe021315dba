//! A process that `SIGPIPE` would end, as a program in C that has not asked
//! otherwise.

use greenling::enter;
use greenling::io::copy;
use greenling::net::UnixStream;
use nix::sys::signal::{SigHandler, Signal, signal};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use tests::process::alone;

#[test]
fn copies_to_a_peer_that_is_gone_raise_no_signal() {
    alone(
        "broken_pipes::copies_to_a_peer_that_is_gone_raise_no_signal",
        || {
            // SAFETY: the default action needs no handler to be sound.
            unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
            enter(|| {
                let (mut to, from) = UnixStream::pair().unwrap();
                from.shutdown(Shutdown::Both).unwrap();
                assert_eq!(to.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
                let mut file = File::open("/proc/self/exe").unwrap();
                let error = copy(&mut file, &mut to).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            });
        },
    );
}
