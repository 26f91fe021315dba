//! Records of TLS 1.3 with AES-128-GCM between two engines in memory.

use greenling_tls::crypto::TestCa;
use greenling_tls::{ContextBuilder, Engine, EngineError, RingSizes, Version, Want};

use crate::meter::{Failure, LONG, Meter};

const NAME: &str = "localhost";
const CIPHER: &str = "TLS_AES_128_GCM_SHA256";

/// What the longest record holds.
const RECORD: usize = 16 * 1024;

/// Bytes of a record of the greatest length, with all that TLS adds.
const RECORD_MAX: usize = 17 * 1024;

/// Counts all operations of this file.
pub(crate) fn count(meter: &Meter) -> Result<(), Failure> {
    let (mut client, mut server) = connected()?;
    for (from_client, names, length) in [
        (true, ["tls-client-write-100", "tls-server-read-100"], 100),
        (
            true,
            ["tls-client-write-16k", "tls-server-read-16k"],
            RECORD,
        ),
        (false, ["tls-server-write-100", "tls-client-read-100"], 100),
        (
            false,
            ["tls-server-write-16k", "tls-client-read-16k"],
            RECORD,
        ),
    ] {
        let (from, to) = if from_client {
            (&mut client, &mut server)
        } else {
            (&mut server, &mut client)
        };
        let mut ends = Ends {
            from,
            to,
            plaintext: vec![7; length],
            wire: vec![0; LONG as usize * RECORD_MAX],
        };
        let mut result = Ok(());
        meter.count_in_steps(names, |step, records| {
            let done = match step {
                0 => ends.write(records),
                _ => ends.read(records),
            };
            if let Err(error) = done {
                result = Err(error);
            }
        });
        result?;
    }
    Ok(())
}

struct Ends<'e> {
    from: &'e mut Engine,
    to: &'e mut Engine,
    plaintext: Vec<u8>,
    /// What is on its way, and how much.
    wire: Vec<u8>,
}

impl Ends<'_> {
    /// One end writes, and its ciphertext leaves.
    fn write(&mut self, records: u32) -> Result<(), EngineError> {
        let mut at = 0;
        for _ in 0..records {
            let written = self.from.write(&self.plaintext)?;
            assert_eq!(written, self.plaintext.len());
            at += self.from.drain(&mut self.wire[at..]);
        }
        // Both sides know how many there are, all of one length.
        self.wire.truncate(at);
        Ok(())
    }

    /// The ciphertext arrives, and the other end reads.
    fn read(&mut self, records: u32) -> Result<(), EngineError> {
        let length = self.wire.len() / records as usize;
        for record in self.wire.chunks(length) {
            assert_eq!(self.to.feed(record), record.len());
            let read = self.to.read(&mut self.plaintext)?;
            assert_eq!(read, self.plaintext.len());
        }
        self.wire.resize(LONG as usize * RECORD_MAX, 0);
        Ok(())
    }
}

/// Two engines after their handshake.
fn connected() -> Result<(Engine, Engine), Failure> {
    let ca = TestCa::new("instructions")?;
    let server = ContextBuilder::server()
        .versions(Version::Tls13..=Version::Tls13)
        .ciphers13(CIPHER)
        .identity(ca.issue(&[NAME])?)
        .build()?;
    let client = ContextBuilder::client()
        .versions(Version::Tls13..=Version::Tls13)
        .ciphers13(CIPHER)
        .trust_pem(ca.root_pem()?)
        .build()?;
    let mut client = Engine::new(&client, Some(NAME), RingSizes::RECORD)?;
    let mut server = Engine::new(&server, None, RingSizes::RECORD)?;
    loop {
        let done = shake(&mut client)? & shake(&mut server)?;
        let moved = carry(&mut client, &mut server) + carry(&mut server, &mut client);
        if done && moved == 0 {
            break;
        }
    }
    // The client looks at the tickets that came after the handshake.
    match client.read(&mut [0]) {
        Err(EngineError::Want(Want::Read)) => Ok((client, server)),
        other => Err(format!("nobody has written, and a read gives {other:?}").into()),
    }
}

fn shake(engine: &mut Engine) -> Result<bool, EngineError> {
    match engine.handshake() {
        Ok(()) => Ok(true),
        Err(EngineError::Want(Want::Read)) => Ok(false),
        Err(other) => Err(other),
    }
}

fn carry(from: &mut Engine, to: &mut Engine) -> usize {
    let moved = to.feed(from.out_data());
    from.consume_out(moved);
    moved
}
