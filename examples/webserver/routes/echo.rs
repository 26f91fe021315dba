//! `POST /echo`: the body back.
//!
//! Many clients send all of a body before they read any of the response. If the server answered
//! while it reads, both sides would end up writing into full buffers. So a body is held in memory
//! up to a size, and up to a sum over all connections; only what is longer is streamed, and then
//! asks for a client that reads while it writes. The idle limit ends the connection of one that
//! does not.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use examples::http::{Exchange, Request, Status};

const PIECE: usize = 64 * 1024;
/// What is held of one body.
const HELD_MAX: usize = 16 * 1024 * 1024;
/// What is held of all bodies together.
const HELD_SUM_MAX: usize = 256 * 1024 * 1024;

/// Bytes held at present, in all threads.
static HELD_SUM: AtomicUsize = AtomicUsize::new(0);

pub(super) fn echo<S: Read + Write>(
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    let mut held = Held::default();
    let is_whole = loop {
        let Some(room) = held.room(PIECE) else {
            break false;
        };
        match exchange.read(room)? {
            0 => break true,
            count => held.length += count,
        }
    };
    let response = exchange
        .respond(Status::OK)
        .header(
            "content-type",
            request.header("content-type").unwrap_or(BINARY),
        )
        .header("x-content-type-options", "nosniff");
    if is_whole {
        return response.body(held.bytes());
    }
    response.start(request.content_length())?;
    exchange.write_all(held.bytes())?;
    drop(held);
    let mut piece = vec![0; PIECE];
    loop {
        match exchange.read(&mut piece)? {
            0 => return Ok(()),
            count => exchange.write_all(&piece[..count])?,
        }
    }
}

const BINARY: &[u8] = b"application/octet-stream";

/// The beginning of a body, counted in [`HELD_SUM`].
#[derive(Default)]
struct Held {
    buffer: Vec<u8>,
    length: usize,
}

impl Held {
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Room for more; `None` when this body or all of them have had their share.
    fn room(&mut self, least: usize) -> Option<&mut [u8]> {
        if self.length == self.buffer.len() {
            let more = self
                .buffer
                .len()
                .max(least)
                .min(HELD_MAX - self.buffer.len());
            if more == 0 {
                return None;
            }
            let sum = HELD_SUM.fetch_add(more, Ordering::Relaxed) + more;
            if sum > HELD_SUM_MAX {
                HELD_SUM.fetch_sub(more, Ordering::Relaxed);
                return None;
            }
            self.buffer.resize(self.buffer.len() + more, 0);
        }
        Some(&mut self.buffer[self.length..])
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD_SUM.fetch_sub(self.buffer.len(), Ordering::Relaxed);
    }
}
