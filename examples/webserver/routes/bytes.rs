//! `GET /bytes/N`: N bytes from memory, for measuring and for testing clients.

use std::io::{self, Read, Write};

use examples::http::{Exchange, Method, Request, Status};

/// The longest body on offer.
const COUNT_MAX: u64 = 1 << 30;

/// A line, so that a damaged body shows.
const LINE: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n";

/// Written again and again, in pieces as large as a socket takes at once.
static LINES: [[u8; 64]; 16 * 1024] = [*LINE; 16 * 1024];

pub(super) fn bytes<S: Read + Write>(
    request: &Request,
    exchange: &mut Exchange<'_, S>,
    count: &str,
) -> io::Result<()> {
    if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
        return exchange.respond_plainly(Status::NOT_FOUND);
    }
    let Some(mut left) = count.parse().ok().filter(|&count| count <= COUNT_MAX) else {
        return exchange
            .respond(Status::BAD_REQUEST)
            .header("content-type", "text/plain; charset=utf-8")
            .body(b"400 Bad Request: at most 1073741824 bytes\n");
    };
    exchange
        .respond(Status::OK)
        .header("content-type", "text/plain; charset=us-ascii")
        .start(Some(left))?;
    if request.method() == Method::Head {
        return Ok(());
    }
    let pattern = LINES.as_flattened();
    while left > 0 {
        let piece = left.min(pattern.len() as u64);
        exchange.write_all(&pattern[..piece as usize])?;
        left -= piece;
    }
    Ok(())
}
