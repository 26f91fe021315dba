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
