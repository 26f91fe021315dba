//! Servers: accepting within limits, on any number of threads, to a graceful end.
//!
//! ```text
//!              Balance::ReusePort                      Balance::Acceptor
//!
//!   kernel:   a queue per worker                     one queue
//!                |          |                            |
//!             permit     permit                       permit
//!             accept     accept                       accept (a thread of its own)
//!                |          |                      |            | the least loaded
//!             worker 0   worker 1               worker 0     worker 1
//!                |          |                      |            |
//!            a tasklet per connection: handler(stream, address, &connection)
//! ```
//!
//! A permit is taken *before* a connection is accepted, so those in excess of
//! [`max_connections`](Server::max_connections) wait in the kernel, where they
//! cost neither a descriptor nor a stack. When descriptors run out all the same,
//! accepting pauses and tries again, with growing pauses; it never spins.
//!
//! # The end
//!
//! ```text
//!   serving --shutdown--> draining -------------> killing ------------> over
//!             |            |  all connections     |   all have ended,
//!             |            |  have ended, or the  |   or the kill limit
//!             |            |  drain limit passes  |   passes
//!             |            +-- idle ones end now  +-- in the order in which they began
//!             +-- what the kernel has queued is still accepted, then it refuses
//! ```
//!
//! A connection is *idle* while its handler waits inside [`Connection::idle`]: for
//! the next request, say. It learns of the shutdown there, at once. Others learn
//! of it when they ask ([`Connection::is_draining`]) or next become idle, and
//! finish what they are doing. Connections that were accepted and not served yet
//! are served: a request that has arrived is read, whatever comes later is not.
//!
//! [`Server`] has it all; [`serve`] is its part that belongs to one thread, for
//! those who have threads and listeners of their own, such as TLS listeners.
//!
//! Servers with many connections that are kept open for nothing have them wait without
//! a tasklet: [`Connection::rest`]. [`Resting`] is the same without a server.

mod accept;
mod balance;
mod bind;
mod builder;
mod connection;
mod handle;
mod limits;
mod listener;
mod report;
mod rest;
mod resting;
mod serve;
mod site;

pub use balance::Balance;
pub use builder::Server;
pub use connection::Connection;
pub use handle::ServerHandle;
pub use limits::Limits;
pub use listener::Listener;
pub use report::{ServerReport, WorkerReport};
pub use resting::{Resting, Roused};
pub use serve::serve;
