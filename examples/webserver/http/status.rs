//! Status codes, and the refusal of a request.

use std::fmt;

/// A status code of RFC 9110 section 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// 200
    pub const OK: Self = Self(200);
    /// 204
    pub const NO_CONTENT: Self = Self(204);
    /// 206
    pub const PARTIAL_CONTENT: Self = Self(206);
    /// 301
    pub const MOVED_PERMANENTLY: Self = Self(301);
    /// 304
    pub const NOT_MODIFIED: Self = Self(304);
    /// 400
    pub const BAD_REQUEST: Self = Self(400);
    /// 403
    pub const FORBIDDEN: Self = Self(403);
    /// 404
    pub const NOT_FOUND: Self = Self(404);
    /// 405
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 408
    pub const REQUEST_TIMEOUT: Self = Self(408);
    /// 413
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    /// 414
    pub const URI_TOO_LONG: Self = Self(414);
    /// 416
    pub const RANGE_NOT_SATISFIABLE: Self = Self(416);
    /// 417
    pub const EXPECTATION_FAILED: Self = Self(417);
    /// 431
    pub const HEADERS_TOO_LARGE: Self = Self(431);
    /// 500
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);
    /// 501
    pub const NOT_IMPLEMENTED: Self = Self(501);
    /// 503
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    /// 505
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);

    /// The words that go with the code; empty for codes this server never sends.
    pub fn reason(self) -> &'static str {
        match self.0 {
            101 => "Switching Protocols",
            200 => "OK",
            204 => "No Content",
            206 => "Partial Content",
            301 => "Moved Permanently",
            304 => "Not Modified",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            413 => "Content Too Large",
            414 => "URI Too Long",
            416 => "Range Not Satisfiable",
            417 => "Expectation Failed",
            426 => "Upgrade Required",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            505 => "HTTP Version Not Supported",
            _ => "",
        }
    }

    /// Whether a response with this code never has a body (RFC 9112 section 6.3, item 1).
    pub fn is_bodyless(self) -> bool {
        matches!(self.0, 100..=199 | 204 | 304)
    }
}

/// Why a request is refused: the status it gets, and a sentence for the person who sent it.
///
/// The connection ends with it, since after a malformed request nobody knows where the next one
/// would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status of the response.
    pub status: Status,
    /// What was wrong, without a full stop.
    pub reason: &'static str,
}

impl Rejection {
    /// A refusal with `status`.
    pub const fn new(status: Status, reason: &'static str) -> Self {
        Self { status, reason }
    }

    /// A refusal with 400.
    pub const fn bad(reason: &'static str) -> Self {
        Self::new(Status::BAD_REQUEST, reason)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.status.0,
            self.status.reason(),
            self.reason
        )
    }
}

impl std::error::Error for Rejection {}
