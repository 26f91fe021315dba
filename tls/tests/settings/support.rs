//! Two engines in memory, what they sent each other, and identities for them.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, Context, ContextBuilder, Engine, EngineError, Error, Identity, RingSizes, Session, Want,
};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};

pub(crate) const NAME: &str = "localhost";

static CA: LazyLock<TestCa> = LazyLock::new(|| TestCa::new("settings").expect("an authority"));

/// An RSA key of 2048 bits takes a moment, so there is one for all tests.
static RSA: LazyLock<Identity> = LazyLock::new(|| {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "rsa").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    let (from, until) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(30));
    builder.set_not_before(&from.unwrap()).unwrap();
    builder.set_not_after(&until.unwrap()).unwrap();
    let names = SubjectAlternativeName::new()
        .dns(NAME)
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension2(&names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Identity::new(vec![builder.build()], key).unwrap()
});

/// The authority of the ECDSA identities.
pub(crate) fn ca() -> &'static TestCa {
    &CA
}

/// A self-signed identity with an RSA key.
pub(crate) fn rsa() -> Identity {
    RSA.clone()
}

/// A server with an ECDSA identity and all defaults.
pub(crate) fn server() -> ContextBuilder {
    ContextBuilder::server().identity(CA.issue(&[NAME]).unwrap())
}

/// A server with an RSA identity and all defaults.
pub(crate) fn rsa_server() -> ContextBuilder {
    ContextBuilder::server().identity(rsa())
}

/// A client that trusts both and has all other defaults.
pub(crate) fn client() -> ContextBuilder {
    ContextBuilder::client()
        .trust_pem(CA.root_pem().unwrap())
        .trust_pem(rsa().chain_pem().unwrap())
}

/// Two connected engines and the ciphertext that each has sent.
pub(crate) struct Pair {
    pub(crate) client: Engine,
    pub(crate) server: Engine,
    pub(crate) client_sent: Vec<u8>,
    pub(crate) server_sent: Vec<u8>,
}

/// What the sides learnt from a handshake.
pub(crate) type Results = (Result<(), Error>, Result<(), Error>);

impl Pair {
    pub(crate) fn new(client: &Context, server: &Context) -> Pair {
        Pair::named(client, NAME, server)
    }

    pub(crate) fn named(client: &Context, name: &str, server: &Context) -> Pair {
        Pair {
            client: Engine::new(client, Some(name), RingSizes::default()).unwrap(),
            server: Engine::new(server, None, RingSizes::default()).unwrap(),
            client_sent: Vec::new(),
            server_sent: Vec::new(),
        }
    }

    /// Two contexts, built and connected.
    pub(crate) fn connected(client: ContextBuilder, server: ContextBuilder) -> Pair {
        Pair::new(&client.build().unwrap(), &server.build().unwrap()).connect()
    }

    /// Two contexts, built, and what becomes of their handshake.
    pub(crate) fn results(client: ContextBuilder, server: ContextBuilder) -> Results {
        Pair::new(&client.build().unwrap(), &server.build().unwrap()).handshake()
    }

    /// Moves bytes both ways until neither side has any for the other.
    pub(crate) fn shuttle(&mut self) {
        loop {
            let moved = self.feed_server() + self.feed_client();
            if moved == 0 {
                return;
            }
        }
    }

    pub(crate) fn feed_server(&mut self) -> usize {
        transfer(&mut self.client, &mut self.server, &mut self.client_sent)
    }

    pub(crate) fn feed_client(&mut self) -> usize {
        transfer(&mut self.server, &mut self.client, &mut self.server_sent)
    }

    /// Drives both sides to the end of their handshakes, and the client past the
    /// server's last messages.
    pub(crate) fn handshake(&mut self) -> Results {
        // A handshake takes three flights; a failure one more for the alert.
        for _ in 0..8 {
            let client = self.client.handshake();
            self.feed_server();
            let server = self.server.handshake();
            self.feed_client();
            let pending = |r: &Result<(), EngineError>| matches!(r, Err(EngineError::Want(_)));
            if !pending(&server) && !pending(&client) {
                // A client of TLS 1.3 reads tickets, or the server's verdict on
                // its certificate, after its own handshake.
                let client = client.and_then(|()| match self.client.read(&mut [0; 16]) {
                    Err(EngineError::Want(Want::Read)) => Ok(()),
                    Err(error) => Err(error),
                    Ok(count) => panic!("{count} bytes from nowhere"),
                });
                return (client.map_err(failure), server.map_err(failure));
            }
        }
        panic!("the handshake does not end");
    }

    /// As [`Pair::handshake`], which must succeed.
    pub(crate) fn connect(mut self) -> Pair {
        match self.handshake() {
            (Ok(()), Ok(())) => self,
            results => panic!("handshake failed: {results:?}"),
        }
    }

    /// Sends `data` to the client, which must get it.
    pub(crate) fn serve(&mut self, data: &[u8]) {
        let mut rest = data;
        let mut received = vec![0; data.len()];
        let mut filled = 0;
        while filled < data.len() {
            if !rest.is_empty() {
                let taken = self.server.write(rest).unwrap();
                rest = &rest[taken..];
            }
            self.feed_client();
            filled += self.client.read(&mut received[filled..]).unwrap();
        }
        assert!(received == data, "the data has changed on its way");
    }
}

/// Connects, offering `session`; answers whether it was resumed and the session
/// for the next time.
pub(crate) fn visit(client: &Context, server: &Context, session: Option<&Session>) -> Visit {
    let mut pair = Pair::new(client, server);
    if let Some(session) = session {
        pair.client.set_session(session).unwrap();
    }
    let mut pair = pair.connect();
    let reused = pair.server.is_session_reused();
    assert_eq!(pair.client.is_session_reused(), reused, "both sides agree");
    let session = pair.client.session().unwrap();
    // OpenSSL never resumes a session of TLS 1.2 whose connection just vanished.
    pair.client.shutdown().unwrap();
    pair.server.shutdown().unwrap();
    pair.shuttle();
    Visit { reused, session }
}

pub(crate) struct Visit {
    pub(crate) reused: bool,
    pub(crate) session: Session,
}

fn failure(error: EngineError) -> Error {
    match error {
        EngineError::Failed(error) => error,
        other => panic!("not a failure: {other:?}"),
    }
}

fn transfer(from: &mut Engine, to: &mut Engine, log: &mut Vec<u8>) -> usize {
    let mut moved = 0;
    loop {
        let taken = to.feed(from.out_data());
        if taken == 0 {
            return moved;
        }
        log.extend_from_slice(&from.out_data()[..taken]);
        from.consume_out(taken);
        moved += taken;
    }
}

/// The alert by which the peer ended the handshake.
pub(crate) fn alert(result: Result<(), Error>) -> Alert {
    match result {
        Err(Error::Peer(alert)) => alert,
        other => panic!("not an alert: {other:?}"),
    }
}

pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

/// The records of a stream, by type and content (RFC 8446, section 5.1).
pub(crate) fn records(mut stream: &[u8]) -> Vec<(u8, &[u8])> {
    let mut records = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let (content, rest) = rest.split_at(length);
        records.push((header[0], content));
        stream = rest;
    }
    records
}

/// The first handshake message of a type among those sent in the clear.
pub(crate) fn message(stream: &[u8], kind: u8) -> Vec<u8> {
    let clear: Vec<u8> = records(stream)
        .into_iter()
        .take_while(|(kind, _)| *kind == HANDSHAKE)
        .flat_map(|(_, content)| content.to_vec())
        .collect();
    let mut rest = clear.as_slice();
    while let Some((header, after)) = rest.split_first_chunk::<4>() {
        let length =
            usize::from(header[1]) << 16 | usize::from(header[2]) << 8 | usize::from(header[3]);
        let (body, after) = after.split_at(length);
        if header[0] == kind {
            return body.to_vec();
        }
        rest = after;
    }
    panic!("no handshake message of type {kind}");
}

/// Runs a test that is otherwise ignored in a process of its own, which must
/// succeed, with these variables in its environment.
pub(crate) fn run_alone(test: &str, variables: &[(&str, &Path)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{test}: {text}");
}
