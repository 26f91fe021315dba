//! What the suites share: many conversations at once, a server for them, and
//! the connectors that docs/neighbours.md shows.

mod crowd;
pub mod http;
pub mod redis;
mod server;
mod tls;

pub use crowd::{Midway, crowd};
pub use server::Server;
pub use tls::Certified;

/// The examples of docs/neighbours.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/neighbours.md")]
#[derive(Debug)]
pub struct Document;
