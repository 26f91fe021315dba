//! rustls' buffered connection, as tokio-rustls uses it.

use std::io::{Read, Write};

use benches::policy;
use tokio_rustls::rustls::ServerConnection;

use super::{Failure, Server};

/// Makes servers with the identity in these PEM files.
pub(super) fn server(
    certificate: &str,
    key: &str,
) -> Result<impl FnMut() -> Result<ServerConnection, Failure> + use<>, Failure> {
    let config = policy::rustls(certificate, key)?;
    Ok(move || Ok(ServerConnection::new(config.clone())?))
}

impl Server for ServerConnection {
    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<bool, Failure> {
        receive(self, input)?;
        send(self, output)?;
        Ok(!self.is_handshaking())
    }

    fn read(&mut self, record: &mut Vec<u8>, plain: &mut [u8]) -> Result<usize, Failure> {
        receive(self, record)?;
        let mut filled = 0;
        while filled < plain.len() {
            match self.reader().read(&mut plain[filled..]) {
                Ok(count) if count > 0 => filled += count,
                // Nothing more has come, or an end that nobody sends.
                _ => break,
            }
        }
        Ok(filled)
    }

    fn write(&mut self, plain: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        self.writer().write_all(plain)?;
        send(self, output)
    }
}

/// Takes in what the client sent.
fn receive(connection: &mut ServerConnection, mut input: &[u8]) -> Result<(), Failure> {
    while !input.is_empty() {
        connection.read_tls(&mut input)?;
        connection.process_new_packets()?;
    }
    Ok(())
}

/// Moves what there is for the client.
fn send(connection: &mut ServerConnection, output: &mut Vec<u8>) -> Result<(), Failure> {
    while connection.wants_write() {
        connection.write_tls(output)?;
    }
    Ok(())
}
