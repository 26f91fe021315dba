//! From bytes to a [`Request`]: syntax by `httparse`, and the rules that keep two readers of the
//! same bytes from disagreeing (RFC 9112 sections 3.2, 6.3 and 11.2; RFC 9110 section 10.1.1).
//!
//! `httparse` forgives line feeds without carriage return, leaves the meaning of fields to others
//! and allows bytes above 127 in a target. All three are refused here.

use std::mem::MaybeUninit;

use super::request::{Framing, Method, Request, Span, Version};
use super::settings::Settings;
use super::status::{Rejection, Status};

/// Fields that are parsed without touching more of the stack. Browsers send about 20.
const FIELDS_USUAL: usize = 24;
/// More fields than this get 431.
const FIELDS_MAX: usize = 100;

const HEAD_TOO_LARGE: Rejection =
    Rejection::new(Status::HEADERS_TOO_LARGE, "the request head is too large");
const TOO_MANY_FIELDS: Rejection = Rejection::new(
    Status::HEADERS_TOO_LARGE,
    "the request has too many header fields",
);
const TARGET_TOO_LONG: Rejection =
    Rejection::new(Status::URI_TOO_LONG, "the request target is too long");
const BARE_LINE_FEED: Rejection = Rejection::bad("a line ends without carriage return");

/// Parses the head at the start of `input` into `request`.
///
/// Returns how many bytes it took, or `None` while the head is incomplete. A head that can no
/// longer become valid is refused before it is complete.
pub(super) fn parse_head(
    request: &mut Request,
    input: &[u8],
    settings: &Settings,
) -> Result<Option<usize>, Rejection> {
    match parse_fields::<FIELDS_USUAL>(request, input, settings) {
        Err(TOO_MANY_FIELDS) => parse_fields::<FIELDS_MAX>(request, input, settings),
        parsed => parsed,
    }
}

/// As [`parse_head`], with room for `N` fields. Not inlined, so that only the room that is needed
/// lies on the stack: a page that was touched once stays in memory for as long as the connection.
#[inline(never)]
fn parse_fields<const N: usize>(
    request: &mut Request,
    input: &[u8],
    settings: &Settings,
) -> Result<Option<usize>, Rejection> {
    let mut slots = [const { MaybeUninit::uninit() }; N];
    let mut parsed = httparse::Request::new(&mut []);
    let length = match parsed.parse_with_uninit_headers(input, &mut slots) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return check_partial(input, settings).map(|()| None),
        Err(error) => return Err(explain(error, input, settings)),
    };
    let head = &input[..length];
    if !lines_end_properly(head, parsed.headers) {
        return Err(BARE_LINE_FEED);
    }
    let target = parsed.path.unwrap_or_default();
    if target.len() > settings.target_max {
        return Err(TARGET_TOO_LONG);
    }
    if length > settings.head_max {
        return Err(HEAD_TOO_LARGE);
    }

    let base = input.as_ptr().addr();
    let span = |piece: &[u8]| {
        let start = piece.as_ptr().addr() - base;
        Span {
            start,
            end: start + piece.len(),
        }
    };
    request.version = if parsed.version == Some(0) {
        Version::Http10
    } else {
        Version::Http11
    };
    request.method = method(parsed.method.unwrap_or_default());
    let target = split_target(parsed.method.unwrap_or_default(), target)?;
    request.set_target(target.path, target.query);

    request.fields.clear();
    let mut facts = Facts::default();
    for field in parsed.headers.iter() {
        // An empty name or value may point anywhere, even outside of `input`.
        let value = if field.value.is_empty() {
            Span::default()
        } else {
            span(field.value)
        };
        request.fields.push((span(field.name.as_bytes()), value));
        facts.note(field.name, field.value)?;
    }
    facts.conclude(request)?;
    request.bytes.clear();
    request.bytes.extend_from_slice(head);
    Ok(Some(length))
}

/// What may be said of a head that has not ended yet.
fn check_partial(input: &[u8], settings: &Settings) -> Result<(), Rejection> {
    if has_bare_line_feed(input) {
        return Err(BARE_LINE_FEED);
    }
    if target_is_too_long(input, settings) {
        return Err(TARGET_TOO_LONG);
    }
    if input.len() >= settings.head_max {
        return Err(HEAD_TOO_LARGE);
    }
    Ok(())
}

/// Whether the second word of the request line is longer than allowed, complete or not.
fn target_is_too_long(input: &[u8], settings: &Settings) -> bool {
    let line = input
        .trim_ascii_start()
        .split(|&b| b == b'\n')
        .next()
        .unwrap_or_default();
    let target = line.split(|&b| b == b' ').nth(1).unwrap_or_default();
    target.len() > settings.target_max
}

fn explain(error: httparse::Error, input: &[u8], settings: &Settings) -> Rejection {
    match error {
        httparse::Error::TooManyHeaders => Rejection::new(
            Status::HEADERS_TOO_LARGE,
            "the request has too many header fields",
        ),
        httparse::Error::Version if names_a_version(input) => Rejection::new(
            Status::VERSION_NOT_SUPPORTED,
            "only HTTP/1.1 and HTTP/1.0 are spoken here",
        ),
        _ if target_is_too_long(input, settings) => TARGET_TOO_LONG,
        httparse::Error::HeaderName => Rejection::bad("a header field name is malformed"),
        httparse::Error::HeaderValue => Rejection::bad("a header field value is malformed"),
        _ => Rejection::bad("the request line is malformed"),
    }
}

/// Whether the third word of the request line reads `HTTP/` digit `.` digit.
fn names_a_version(input: &[u8]) -> bool {
    let line = input
        .trim_ascii_start()
        .split(|&b| b == b'\n')
        .next()
        .unwrap_or_default();
    let word = line
        .trim_ascii_end()
        .split(|&b| b == b' ')
        .nth(2)
        .unwrap_or_default();
    match word.strip_prefix(b"HTTP/") {
        Some([major]) => major.is_ascii_digit(),
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit(),
        _ => false,
    }
}

/// Whether each line of a head that `httparse` has found complete ends in carriage return and line
/// feed. Its line feeds are where lines end and nowhere else, so what is before each field is
/// looked at, and the end of the head, instead of every byte.
fn lines_end_properly(head: &[u8], fields: &[httparse::Header<'_>]) -> bool {
    let base = head.as_ptr().addr();
    // Empty lines may come before the first, of which nothing is known here.
    let begins_at_once = head
        .first()
        .is_some_and(|first| !matches!(first, b'\r' | b'\n'));
    let in_order = begins_at_once
        && fields.iter().all(|field| {
            // Wherever an empty name points, that is nothing to go by.
            let at = field.name.as_ptr().addr().wrapping_sub(base);
            !field.name.is_empty() && at >= 2 && head.get(at - 2..at) == Some(b"\r\n")
        });
    (in_order && head.ends_with(b"\r\n\r\n")) || !has_bare_line_feed(head)
}

/// Counts instead of searching, which compiles to vector instructions.
pub(super) fn has_bare_line_feed(bytes: &[u8]) -> bool {
    let after_first = bytes.get(1..).unwrap_or_default();
    let bare = bytes
        .iter()
        .zip(after_first)
        .filter(|&(&a, &b)| b == b'\n' && a != b'\r')
        .count();
    bare > 0 || bytes.first() == Some(&b'\n')
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

struct Target<'t> {
    path: &'t str,
    query: Option<&'t str>,
}

/// Takes the four forms of RFC 9112 section 3.2 apart.
fn split_target<'t>(method: &str, target: &'t str) -> Result<Target<'t>, Rejection> {
    if !target.bytes().all(|b| TARGET[usize::from(b)]) {
        return Err(Rejection::bad(
            "the request target has a character that must be encoded",
        ));
    }
    if method == "CONNECT" {
        return Err(Rejection::new(
            Status::NOT_IMPLEMENTED,
            "this server is not a proxy",
        ));
    }
    let local = if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        target
    } else {
        // The authority of an absolute-form target replaces the Host field; this server answers
        // for any name, so that it only has to be well formed.
        let rest = strip_scheme(target).ok_or(Rejection::bad(
            "the request target is neither a path nor an http URL",
        ))?;
        let (authority, local) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || !is_host(authority.as_bytes()) {
            return Err(Rejection::bad("the request target names no valid host"));
        }
        local
    };
    match local.split_once('?') {
        Some((path, query)) => Ok(Target {
            path,
            query: Some(query),
        }),
        None => Ok(Target {
            path: local,
            query: None,
        }),
    }
}

fn strip_scheme(target: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// `uri-host [":" port]`. Commas are left out: a list of hosts is what an attacker sends.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|&b| HOST[usize::from(b)])
}

/// Which bytes a Host field may have.
static HOST: [bool; 256] = {
    let mut may = [false; 256];
    let mut b = 0u8;
    while b < 128 {
        may[b as usize] = b.is_ascii_alphanumeric();
        b += 1;
    }
    let mut others: &[u8] = b"-._~%!$&'()*+;=:[]";
    while let [other, rest @ ..] = others {
        may[*other as usize] = true;
        others = rest;
    }
    may
};

/// Which bytes a request target may have.
static TARGET: [bool; 256] = {
    let mut may = [false; 256];
    let mut b = 0u8;
    while b < 128 {
        may[b as usize] = b.is_ascii_graphic() && b != b'#';
        b += 1;
    }
    may
};

/// What the fields say that decide about framing and persistence.
#[derive(Default)]
struct Facts {
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

impl Facts {
    fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Rejection> {
        // The lengths of the five names differ, so that most fields cost one comparison.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => {
                self.hosts += 1;
                if self.hosts > 1 {
                    return Err(Rejection::bad("more than one Host field"));
                }
                if !is_host(value) {
                    return Err(Rejection::bad("the Host field is malformed"));
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                // Not even equal lengths twice: whoever sends that has been tampered with.
                if self.length.is_some() {
                    return Err(Rejection::bad("more than one Content-Length field"));
                }
                self.length = Some(
                    decimal(value)
                        .ok_or(Rejection::bad("the Content-Length field is malformed"))?,
                );
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Rejection::bad(
                        "the only transfer coding here is a single chunked",
                    ));
                }
                self.chunked = true;
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            6 if name.eq_ignore_ascii_case("expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Rejection::new(
                        Status::EXPECTATION_FAILED,
                        "the only expectation known here is 100-continue",
                    ));
                }
                self.expects_continue = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn conclude(self, request: &mut Request) -> Result<(), Rejection> {
        let modern = request.version == Version::Http11;
        if modern && self.hosts == 0 {
            return Err(Rejection::bad("no Host field"));
        }
        request.framing = match (self.chunked, self.length) {
            (true, Some(_)) => {
                return Err(Rejection::bad("both Content-Length and Transfer-Encoding"));
            }
            (true, None) if !modern => {
                return Err(Rejection::bad("Transfer-Encoding in an HTTP/1.0 request"));
            }
            (true, None) => Framing::Chunked,
            (false, Some(0) | None) => Framing::None,
            (false, Some(length)) => Framing::Length(length),
        };
        request.keep_alive = !self.close && (modern || self.keep_alive);
        request.expects_continue =
            self.expects_continue && modern && request.framing != Framing::None;
        Ok(())
    }
}

/// Digits only: no sign, no blank, no list, no overflow.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is looked at where fields begin is as good as a look at every byte.
    #[test]
    fn a_bare_line_feed_is_found_wherever_it_is() {
        let heads: [&[u8]; 5] = [
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost:x \t\r\nEmpty:\r\nOther: \t \r\nLast: y\r\n\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /?a=b HTTP/1.0\r\nA: b\r\nC: \xe9\r\n\r\n",
        ];
        let (mut proper, mut bare) = (0, 0);
        for head in heads {
            let ends: Vec<usize> = (0..head.len()).filter(|&at| head[at] == b'\r').collect();
            // Every choice of line ends that lose their carriage return.
            for choice in 0..1u32 << ends.len() {
                let is_left_out = |at| {
                    let index = ends.iter().position(|&end| end == at);
                    index.is_some_and(|index| choice & 1 << index != 0)
                };
                let kept = head.iter().enumerate().filter(|&(at, _)| !is_left_out(at));
                let changed: Vec<u8> = kept.map(|(_, &byte)| byte).collect();
                let mut slots = [httparse::EMPTY_HEADER; 8];
                let mut parsed = httparse::Request::new(&mut slots);
                let Ok(httparse::Status::Complete(length)) = parsed.parse(&changed) else {
                    panic!("httparse is said to forgive {changed:?}");
                };
                let found = !lines_end_properly(&changed[..length], parsed.headers);
                assert_eq!(found, has_bare_line_feed(&changed[..length]), "{changed:?}");
                assert_eq!(found, choice != 0, "{changed:?}");
                if found {
                    bare += 1;
                } else {
                    proper += 1;
                }
            }
        }
        assert!(proper == heads.len() && bare > 50);
    }
}
