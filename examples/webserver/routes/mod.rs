//! What is served: from a request's path to the handler that answers it.
//!
//! Handlers are generic over the stream. They block where they read, write or wait, and do not know
//! whether TLS is below them or whose scheduler runs them: `examples/may_https.rs` serves the same
//! routes from another runtime.

mod bytes;
mod echo;
mod files;
mod insight;

use std::io::{self, Read, Write};

use examples::http::{Exchange, Method, Request, Status};

pub(crate) use files::Root;
pub(crate) use insight::Insight;

/// What all connections share; one for the whole process.
#[derive(Debug, Default)]
pub(crate) struct Site {
    /// What `/files/` serves, if anything.
    pub(crate) root: Option<Root>,
    /// What `/tasklets` and `/metrics` show.
    pub(crate) insight: Insight,
}

/// Answers one request.
pub(crate) fn route<S: Read + Write>(
    site: &Site,
    request: &Request,
    exchange: &mut Exchange<'_, S>,
) -> io::Result<()> {
    let path = request.path();
    match (path, request.method()) {
        ("/hello", Method::Get | Method::Head) => hello(exchange),
        ("/tasklets", Method::Get | Method::Head) => site.insight.tasklets(exchange),
        ("/metrics", Method::Get | Method::Head) => site.insight.metrics(exchange),
        ("/echo", Method::Post) => echo::echo(request, exchange),
        ("/hello" | "/tasklets" | "/metrics", _) => wrong_method(exchange, "GET, HEAD"),
        ("/echo", _) => wrong_method(exchange, "POST"),
        ("*", Method::Options) => exchange
            .respond(Status::NO_CONTENT)
            .header("allow", "GET, HEAD, POST, OPTIONS")
            .body(b""),
        _ => {
            if let Some(count) = path.strip_prefix("/bytes/") {
                match request.is_get() {
                    true => bytes::bytes(request, exchange, count),
                    false => wrong_method(exchange, "GET, HEAD"),
                }
            } else if let (Some(file), Some(root)) = (path.strip_prefix("/files/"), &site.root) {
                match request.is_get() {
                    true => files::serve(root, file, request, exchange),
                    false => wrong_method(exchange, "GET, HEAD"),
                }
            } else {
                exchange.respond_plainly(Status::NOT_FOUND)
            }
        }
    }
}

fn hello<S: Read + Write>(exchange: &mut Exchange<'_, S>) -> io::Result<()> {
    exchange
        .respond(Status::OK)
        .header("content-type", "text/plain")
        .body(b"Hello, world!")
}

fn wrong_method<S: Read + Write>(exchange: &mut Exchange<'_, S>, allowed: &str) -> io::Result<()> {
    exchange
        .respond(Status::METHOD_NOT_ALLOWED)
        .header("allow", allowed)
        .header("content-type", "text/plain; charset=utf-8")
        .body(format!("405 Method Not Allowed: use {allowed}\n").as_bytes())
}
