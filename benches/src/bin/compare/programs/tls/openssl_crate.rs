//! The `openssl` crate's blocking stream over vectors, as over a socket.

use std::io::{Read, Write};

use benches::policy;
use openssl::ssl::{Ssl, SslStream};

use super::client::{self, Pipe};
use super::{Failure, Server};

/// Makes servers with the identity in these PEM files.
pub(super) fn server(
    certificate: &str,
    key: &str,
) -> Result<impl FnMut() -> Result<Stream, Failure> + use<>, Failure> {
    let context = policy::acceptor(certificate, key)?.into_context();
    Ok(move || {
        let mut ssl = Ssl::new(&context)?;
        ssl.set_accept_state();
        Ok(Stream(SslStream::new(ssl, Pipe::default())?))
    })
}

/// One connection.
pub(super) struct Stream(SslStream<Pipe>);

impl Server for Stream {
    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<bool, Failure> {
        client::step(&mut self.0, input, output)
    }

    fn read(&mut self, record: &mut Vec<u8>, plain: &mut [u8]) -> Result<usize, Failure> {
        self.0.get_mut().feed_vector(record);
        Ok(self.0.read(plain)?)
    }

    fn write(&mut self, plain: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        std::mem::swap(output, &mut self.0.get_mut().output);
        let written = self.0.write_all(plain);
        std::mem::swap(output, &mut self.0.get_mut().output);
        Ok(written?)
    }
}
