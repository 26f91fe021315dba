//! Greenling's engine, as its streams use it.

use std::fs;

use greenling_tls::{ContextBuilder, Engine, EngineError, Identity, RingSizes, Want};

use super::{Failure, Server};

/// Makes servers with the identity in these PEM files.
pub(super) fn server(
    certificate: &str,
    key: &str,
) -> Result<impl FnMut() -> Result<Engine, Failure> + use<>, Failure> {
    let identity = Identity::from_pem(&fs::read(certificate)?, &fs::read(key)?)?;
    let context = ContextBuilder::server().identity(identity).build()?;
    Ok(move || Ok(Engine::new(&context, None, RingSizes::RECORD)?))
}

impl Server for Engine {
    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<bool, Failure> {
        self.feed(input);
        let done = match Engine::handshake(self) {
            Ok(()) => true,
            Err(EngineError::Want(Want::Read)) => false,
            Err(error) => return Err(error.into()),
        };
        send(self, output);
        Ok(done)
    }

    fn read(&mut self, record: &mut Vec<u8>, plain: &mut [u8]) -> Result<usize, Failure> {
        self.feed(record);
        Ok(Engine::read(self, plain)?)
    }

    fn write(&mut self, plain: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let mut written = 0;
        while written < plain.len() {
            written += Engine::write(self, &plain[written..])?;
            send(self, output);
        }
        Ok(())
    }
}

/// Moves what the engine has for the client.
fn send(engine: &mut Engine, output: &mut Vec<u8>) {
    loop {
        let data = engine.out_data();
        let count = data.len();
        if count == 0 {
            break;
        }
        output.extend_from_slice(data);
        engine.consume_out(count);
    }
}
