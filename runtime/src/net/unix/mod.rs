//! Sockets of one machine, by path, by Linux' abstract names, or in pairs.

mod address;
mod connect;
mod datagram;
mod full_queue;
mod listener;
mod stream;

pub use datagram::UnixDatagram;
pub use listener::UnixListener;
pub use stream::UnixStream;
