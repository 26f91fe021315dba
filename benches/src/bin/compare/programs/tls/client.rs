//! The client, the same for all servers: the `openssl` crate over vectors.

use std::io::{self, Read, Write};

use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslMethod, SslSessionCacheMode, SslStream, SslVerifyMode,
    SslVersion,
};

use super::Failure;

/// Makes connections that agree on one cipher suite.
pub(super) struct Factory(SslContext);

/// One connection.
pub(super) struct Client(SslStream<Pipe>);

/// Ciphertext on its way in and out.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    input: Vec<u8>,
    /// How much of the input has been read.
    taken: usize,
    pub(super) output: Vec<u8>,
}

impl Client {
    /// Connections of TLS 1.3 with `suite`. They trust any server: what a client
    /// checks is not measured.
    pub(super) fn factory(suite: &str) -> Result<Factory, Failure> {
        let mut builder = SslContext::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
        builder.set_ciphersuites(suite)?;
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        Ok(Factory(builder.build()))
    }

    /// As [`Server::handshake`](super::Server::handshake), from this side.
    pub(super) fn handshake(
        &mut self,
        input: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        step(&mut self.0, input, output)
    }

    /// `count` records of `plain` each.
    pub(super) fn records(&mut self, plain: &[u8], count: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            self.0.write_all(plain)?;
            records.push(std::mem::take(&mut self.0.get_mut().output));
        }
        Ok(records)
    }

    /// Decrypts `input` and holds it against `count` times `byte`.
    pub(super) fn check(&mut self, input: &[u8], byte: u8, count: usize) -> Result<(), Failure> {
        self.0.get_mut().feed(input);
        let mut plain = vec![0; count];
        self.0.read_exact(&mut plain)?;
        if plain.iter().all(|&other| other == byte) {
            Ok(())
        } else {
            Err("an answer was damaged".into())
        }
    }
}

impl Factory {
    /// A new connection, which has no session to resume.
    pub(super) fn connection(&self) -> Result<Client, Failure> {
        let mut ssl = Ssl::new(&self.0)?;
        ssl.set_connect_state();
        Ok(Client(SslStream::new(ssl, Pipe::default())?))
    }
}

/// Makes progress with a handshake, of either side.
pub(super) fn step(
    stream: &mut SslStream<Pipe>,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<bool, Failure> {
    stream.get_mut().feed(input);
    std::mem::swap(output, &mut stream.get_mut().output);
    let done = match stream.do_handshake() {
        Ok(()) => Ok(true),
        Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
        Err(error) => Err(error.into()),
    };
    std::mem::swap(output, &mut stream.get_mut().output);
    done
}

impl Pipe {
    /// Adds to the input.
    pub(super) fn feed(&mut self, input: &[u8]) {
        if self.taken == self.input.len() {
            self.input.clear();
            self.taken = 0;
        }
        self.input.extend_from_slice(input);
    }

    /// Exchanges the input, of which all has been read, for `input`.
    pub(super) fn feed_vector(&mut self, input: &mut Vec<u8>) {
        std::mem::swap(&mut self.input, input);
        self.taken = 0;
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.input[self.taken..];
        if left.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
