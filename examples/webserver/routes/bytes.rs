//! `GET /bytes/N`: N bytes from memory, for measuring and for testing clients.

use std::io::{self, Read, Write};

use examples::http::{Exchange, Method, Request, Status};

/// The longest body on offer.
const COUNT_MAX: u64 = 1 << 30;

/// Written again and again: lines of 64 characters, so that a damaged body shows.
static PATTERN: [u8; 64 * 1024] = {
    let line = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n";
    let mut pattern = [0; 64 * 1024];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = line[at % line.len()];
        at += 1;
    }
    pattern
};

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
    while left > 0 {
        let piece = left.min(PATTERN.len() as u64);
        exchange.write_all(&PATTERN[..piece as usize])?;
        left -= piece;
    }
    Ok(())
}
