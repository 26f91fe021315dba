//! Sockets as in [`std::net`], whose calls park their tasklet only.
//!
//! A socket belongs to the OS thread that made it. To move one to another
//! thread, take it out with `into_std` and back in there with `from_std`.
//!
//! Reading and writing tasklets may use one socket at the same time: both
//! halves of `&TcpStream` are independent, without a second descriptor.

mod addresses;
mod listener;
mod tcp;

pub use addresses::{ToSocketAddrs, lookup_host};
pub use listener::TcpListener;
pub use tcp::TcpStream;
