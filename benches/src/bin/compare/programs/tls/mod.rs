//! What TLS costs a server without sockets: `tls-engine-*`.
//!
//! ```text
//!   client --- ciphertext ---> server      CPU time is counted only
//!          <-- in vectors ----             while the server works
//! ```
//!
//! The client is the same for all contenders and prepares a batch of records
//! before time is taken; afterwards it decrypts and checks what the server
//! wrote. Every server copies ciphertext from the vector that it is given to where
//! it would have the kernel put it, and to a vector from where it would have the
//! kernel fetch it.

mod client;
mod greenling;
mod openssl_crate;
#[allow(unsafe_code, reason = "calls OpenSSL without a wrapper")]
mod raw;
#[cfg(feature = "rivals")]
mod rustls;

use std::error::Error;
use std::time::Duration;

use benches::machine;
use benches::server::Ground;
use benches::who::Who;

use super::child::{self, Figures};
use super::program::Program;
use client::Client;

/// Why a program could not run to its end.
type Failure = Box<dyn Error + Send + Sync>;

/// What a request and an answer of `tls-engine-small` hold, in bytes.
const REQUEST: usize = 100;
const ANSWER: usize = 150;

/// What the records of the bulk programs hold: as much as TLS allows.
const RECORD: usize = 16 * 1024;

/// Records between two looks at the clock, 1 MiB of the long ones.
const BATCH: usize = 64;

/// The server's end of one connection.
trait Server {
    /// Takes `input` from the client and makes progress with the handshake; says
    /// whether it is done. What the client shall get is added to `output`.
    fn handshake(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<bool, Failure>;

    /// Takes a whole record and decrypts it to `plain`; says how long that is. The
    /// record is not needed afterwards.
    fn read(&mut self, record: &mut Vec<u8>, plain: &mut [u8]) -> Result<usize, Failure>;

    /// Encrypts `plain`, at most one record, and adds it to `output`.
    fn write(&mut self, plain: &[u8], output: &mut Vec<u8>) -> Result<(), Failure>;
}

/// Runs `program` for the contender called `who`.
pub(super) fn run(who: &str, program: Program, count: u64) -> Result<Figures, Failure> {
    let ground = Ground::new()?;
    let files = (ground.certificate(), ground.key());
    let (certificate, key) = (
        files.0.to_str().ok_or("odd temporary folder")?,
        files.1.to_str().ok_or("odd temporary folder")?,
    );
    let who = |other: Who| who == other.name();
    if who(Who::Greenling) {
        let new = greenling::server(certificate, key)?;
        // In a tasklet, as connections are served.
        let measured =
            ::greenling::enter(|| ::greenling::spawn(move || measure(new, program, count)).join());
        measured.map_err(|error| error.to_string())?
    } else if who(Who::RawOpenssl) {
        measure(raw::server(certificate, key)?, program, count)
    } else if who(Who::OpensslCrate) {
        measure(openssl_crate::server(certificate, key)?, program, count)
    } else {
        #[cfg(feature = "rivals")]
        return measure(rustls::server(certificate, key)?, program, count);
        #[cfg(not(feature = "rivals"))]
        return Err("built without the feature rivals".into());
    }
}

/// Runs `program` with servers made by `new`.
fn measure<S: Server>(
    mut new: impl FnMut() -> Result<S, Failure>,
    program: Program,
    count: u64,
) -> Result<Figures, Failure> {
    let suite = program.suite().ok_or("this program is not about TLS")?;
    let client = Client::factory(suite)?;
    if program == Program::TlsHandshake {
        let mut spent = Duration::ZERO;
        for round in 0..count + count / 10 {
            let (_, server, took) = connect(&client, &mut new)?;
            let begin = machine::thread_time();
            drop(server);
            if round >= count / 10 {
                spent += took + (machine::thread_time() - begin);
            }
        }
        return Ok(child::each(spent, count));
    }
    let (mut client, mut server, _) = connect(&client, &mut new)?;
    let batch = match program {
        Program::TlsSmall128 | Program::TlsSmall256 => small,
        Program::TlsWrite128 | Program::TlsWrite256 => write,
        _ => read,
    };
    let batches = count.div_ceil(BATCH as u64);
    let mut output = Vec::new();
    for _ in 0..batches.div_ceil(10) {
        batch(&mut client, &mut server, &mut output)?;
    }
    let mut spent = Duration::ZERO;
    for _ in 0..batches {
        spent += batch(&mut client, &mut server, &mut output)?;
    }
    Ok(child::each(spent, batches * BATCH as u64))
}

/// A full handshake, and the time that the server's side took, from the making
/// of its connection to the last ticket.
fn connect<S: Server>(
    client: &client::Factory,
    new: &mut impl FnMut() -> Result<S, Failure>,
) -> Result<(Client, S, Duration), Failure> {
    let mut client = client.connection()?;
    let mut flight = Vec::new();
    client.handshake(&[], &mut flight)?;
    let mut answer = Vec::with_capacity(4 * RECORD);
    let begin = machine::thread_time();
    let mut server = new()?;
    let mut spent = machine::thread_time() - begin;
    // Hello and finished, and what a server might ask for between them.
    for _ in 0..4 {
        let begin = machine::thread_time();
        let done = server.handshake(&flight, &mut answer)?;
        spent += machine::thread_time() - begin;
        flight.clear();
        let agreed = client.handshake(&answer, &mut flight)?;
        answer.clear();
        if done && agreed {
            return Ok((client, server, spent));
        }
    }
    Err("the handshake does not end".into())
}

/// The server reads a batch of requests and answers each.
fn small<S: Server>(
    client: &mut Client,
    server: &mut S,
    output: &mut Vec<u8>,
) -> Result<Duration, Failure> {
    let mut records = client.records(&[b'q'; REQUEST], BATCH)?;
    let mut plain = [0; RECORD];
    output.clear();
    let begin = machine::thread_time();
    for record in &mut records {
        if server.read(record, &mut plain)? != REQUEST {
            return Err("a request was cut".into());
        }
        server.write(&[b'a'; ANSWER], output)?;
    }
    let spent = machine::thread_time() - begin;
    client.check(output, b'a', ANSWER * BATCH)?;
    Ok(spent)
}

/// The server writes a batch of long records.
fn write<S: Server>(
    client: &mut Client,
    server: &mut S,
    output: &mut Vec<u8>,
) -> Result<Duration, Failure> {
    let plain = [b'w'; RECORD];
    output.clear();
    let begin = machine::thread_time();
    for _ in 0..BATCH {
        server.write(&plain, output)?;
    }
    let spent = machine::thread_time() - begin;
    client.check(output, b'w', RECORD * BATCH)?;
    Ok(spent)
}

/// The server reads a batch of long records.
fn read<S: Server>(
    client: &mut Client,
    server: &mut S,
    _: &mut Vec<u8>,
) -> Result<Duration, Failure> {
    let mut records = client.records(&[b'r'; RECORD], BATCH)?;
    let mut plain = [0; RECORD];
    let begin = machine::thread_time();
    for record in &mut records {
        if server.read(record, &mut plain)? != RECORD {
            return Err("a record was cut".into());
        }
    }
    let spent = machine::thread_time() - begin;
    if plain != [b'r'; RECORD] {
        return Err("a record was damaged".into());
    }
    Ok(spent)
}
