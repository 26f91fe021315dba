//! A connection of a client that asks for `/hello`, plain or over TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use benches::server::{Client, Server, connect_plain};
use openssl::ssl::SslConnector;

use super::{REQUEST, expect_hello};

/// A connection of the client.
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Client),
}

impl Connection {
    /// A connection that has had an answer.
    pub(crate) fn open(server: &Server, tls: Option<&SslConnector>) -> io::Result<Connection> {
        let mut connection = match tls {
            Some(tls) => Client::connect(tls, server.address()).map(Connection::Tls),
            None => connect_plain(server.address()).map(Connection::Plain),
        }?;
        connection.hello()?;
        Ok(connection)
    }

    pub(crate) fn send(&mut self) -> io::Result<()> {
        match self {
            Connection::Plain(socket) => socket.write_all(REQUEST),
            Connection::Tls(client) => client.send(REQUEST),
        }
    }

    pub(crate) fn expect_hello(&mut self) -> io::Result<()> {
        match self {
            Connection::Plain(socket) => expect_hello(socket),
            Connection::Tls(client) => client.answer()?.expect_hello(),
        }
    }

    /// A request and its answer.
    pub(crate) fn hello(&mut self) -> io::Result<()> {
        self.send()?;
        self.expect_hello()
    }

    /// From now on reading does not wait.
    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Connection::Plain(socket) => socket.set_nonblocking(true),
            Connection::Tls(client) => client.socket().set_nonblocking(true),
        }
    }

    /// What there is to read.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Plain(socket) => socket.read(buffer),
            Connection::Tls(client) => client.read(buffer),
        }
    }
}
