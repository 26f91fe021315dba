//! HTTP/1.1 for servers, in the blocking style, over anything that is `Read + Write`.
//!
//! A [`Connection`] reads requests from a stream one after the other; a handler gets the
//! [`Request`] (its head) and the [`Exchange`], which *reads* as the request's body and *writes* as
//! the response's body. Nothing here knows where the bytes come from or who else runs meanwhile:
//! the same code serves a tasklet's socket, a TLS stream, a `may` coroutine and a test's vector.
//!
//! ```text
//!                  read                 parse             handler(&Request, &mut Exchange)
//!   stream ----------------> input --------------> Request ----------> your code
//!      ^                       |                                        |      |
//!      |                       +------ body bytes, unchunked --- read --+      |
//!      +---- one write ---- output <---- head and body, chunked ------ write --+
//! ```
//!
//! Three invariants hold it together:
//!
//! - **Before any read from the stream, the output is flushed.** So responses to pipelined requests
//!   leave in one write, and yet nobody waits for a response that sits in a buffer.
//! - **Where a message ends is decided once, when its head is parsed, or not at all.** A request
//!   whose end could be read in two ways (both framings, two lengths, bare line feeds, a chunk size
//!   that overflows) is refused and its connection closed: request smuggling, RFC 9112 section
//!   11.2.
//! - **What the peer sends costs bounded memory**: see [`Settings`]. A connection whose
//!   wait for a request ran out of time holds a buffer of the size of its requests; the others are
//!   back in a pool of the thread.
//!
//! Time limits belong to the caller, who knows its sockets: a read that fails with `TimedOut` or
//! `WouldBlock` in the middle of a request becomes a 408.

mod chunked;
mod connection;
mod date;
mod exchange;
mod input;
mod parse;
mod request;
mod response;
mod settings;
mod status;
#[cfg(test)]
mod tests;
mod wire;

pub use connection::{Connection, NoRequest};
pub use date::{format_date, parse_date};
pub use exchange::Exchange;
pub use request::{Method, Request, Version};
pub use response::Response;
pub use settings::{Draining, Settings};
pub use status::{Rejection, Status};
pub use wire::is_timeout;
