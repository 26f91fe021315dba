//! What every server of a comparison answers: `GET /hello` with 13 bytes, and
//! `GET /bytes/N` with N bytes, both `text/plain`.
//!
//! And how rivals that have no workers of their own have several: threads that know
//! nothing of each other.
//!
//! The rivals send the body of `/bytes/N` from one buffer that lives as long as
//! the program, so that none of them pays for making it.

use std::sync::LazyLock;
use std::{io, thread};

/// The body of `/hello`.
pub const HELLO: &[u8] = b"Hello, world!";

/// The longest body of `/bytes/N`, 64 MiB.
pub const BYTES_MAX: usize = 64 << 20;

/// Repeated in the body of `/bytes/N`: what Greenling's web server repeats too.
const LINE: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n";

/// Made at the first request that needs it, so that a server which only says
/// hello holds no memory for it.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| LINE.repeat(BYTES_MAX / LINE.len()));

/// The body for `path`; `None` where nothing is.
pub fn body(path: &str) -> Option<&'static [u8]> {
    if path == "/hello" {
        return Some(HELLO);
    }
    let count = path.strip_prefix("/bytes/")?.parse().ok()?;
    BYTES.get(..count)
}

/// Runs `serve` on so many threads, until it ends on the first of them; on this thread
/// where one is enough.
///
/// # Errors
///
/// Those of `serve`, and when it panics.
pub fn on_threads<E>(count: usize, serve: impl Fn() -> Result<(), E> + Sync) -> Result<(), E>
where
    E: From<io::Error> + Send,
{
    if count == 1 {
        return serve();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&serve)).collect();
        for thread in threads {
            let ended = thread.join();
            ended.map_err(|_| io::Error::other("a worker panicked"))??;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_body_that_it_asks_for() {
        assert_eq!(body("/hello"), Some(HELLO));
        assert_eq!(body("/bytes/0"), Some(&[][..]));
        assert_eq!(body("/bytes/70").map(<[u8]>::len), Some(70));
        assert_eq!(body("/bytes/67108864").map(<[u8]>::len), Some(BYTES_MAX));
        for path in ["/", "/hello/", "/bytes/", "/bytes/-1", "/bytes/67108865"] {
            assert_eq!(body(path), None, "{path}");
        }
    }
}
