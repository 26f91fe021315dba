//! A request's head, kept in buffers that the next request reuses.

/// A method of RFC 9110 section 9.3, or another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `OPTIONS`
    Options,
    /// Any other; its name is the first word of the request line.
    Other,
}

/// The protocol version of a request; others are refused with 505.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

/// How the end of a request's body is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    None,
    Length(u64),
    Chunked,
}

/// A piece of [`Request::bytes`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The head of a request: method, target, header fields.
#[derive(Debug, Default)]
pub struct Request {
    /// The head as it was received; every span points into it.
    pub(super) bytes: Vec<u8>,
    pub(super) fields: Vec<(Span, Span)>,
    pub(super) method: Method,
    pub(super) version: Version,
    /// Path and query, with nothing between them.
    pub(super) target: String,
    /// How much of `target` is the path.
    pub(super) path_len: usize,
    pub(super) has_query: bool,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
}

impl Request {
    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether the method is `GET` or `HEAD`, which differ only in what the server sends.
    pub fn is_get(&self) -> bool {
        matches!(self.method, Method::Get | Method::Head)
    }

    /// The protocol version.
    pub fn version(&self) -> Version {
        self.version
    }

    pub(super) fn set_target(&mut self, path: &str, query: Option<&str>) {
        self.target.clear();
        // An absolute-form target without a path, RFC 9112 section 3.2.1.
        self.target
            .push_str(if path.is_empty() { "/" } else { path });
        self.path_len = self.target.len();
        self.target.push_str(query.unwrap_or_default());
        self.has_query = query.is_some();
    }

    /// The path of the target, percent-encoded as it came; `*` for `OPTIONS *`.
    pub fn path(&self) -> &str {
        &self.target[..self.path_len]
    }

    /// What follows the question mark of the target.
    pub fn query(&self) -> Option<&str> {
        self.has_query.then(|| &self.target[self.path_len..])
    }

    /// The value of the first field called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The value of [`header`](Self::header) where it is UTF-8.
    pub fn header_str(&self, name: &str) -> Option<&str> {
        self.header(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All header fields, in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|&(name, value)| (self.text(name), self.slice(value)))
    }

    /// The length that the peer announced for the body; `None` for a chunked one.
    pub fn content_length(&self) -> Option<u64> {
        match self.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        }
    }

    fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }

    /// Field names were checked to be visible ASCII when they were parsed.
    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.slice(span)).unwrap_or_default()
    }
}
