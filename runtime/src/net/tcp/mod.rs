//! TCP: connections, how they are made, and the sockets that accept them.

mod connect;
mod keepalive;
mod listener;
mod options;
mod stream;

pub use keepalive::TcpKeepalive;
pub use listener::TcpListener;
pub use options::ListenOptions;
pub use stream::TcpStream;
