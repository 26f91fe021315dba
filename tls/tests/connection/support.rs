//! An authority that signs whatever it is asked to, contexts, and pairs of engines.

use std::os::unix::net::UnixStream;
use std::sync::LazyLock;
use std::thread;

use greenling_tls::{
    Context, ContextBuilder, Engine, EngineError, Error, Identity, RingSizes, TlsStream, Version,
    Want,
};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

pub(crate) static ROOT: LazyLock<Signer> = LazyLock::new(|| Signer::root("connection tests"));

/// A certificate that signs others.
pub(crate) struct Signer {
    pub(crate) certificate: X509,
    key: PKey<Private>,
}

impl Signer {
    pub(crate) fn root(name: &str) -> Signer {
        let key = PKey::ec_gen("P-256").expect("key");
        let certificate = sign(name, &key, None, true, |_| {});
        Signer { certificate, key }
    }

    pub(crate) fn ed25519_root() -> Signer {
        let key = PKey::generate_ed25519().expect("key");
        let certificate = sign("ed25519", &key, None, true, |_| {});
        Signer { certificate, key }
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> Signer {
        let key = PKey::ec_gen("P-256").expect("key");
        let certificate = sign(name, &key, Some(self), true, |_| {});
        Signer { certificate, key }
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("PEM")
    }

    /// A certificate with the alternative names that `names` adds.
    pub(crate) fn issue(
        &self,
        common_name: &str,
        names: impl FnOnce(&mut SubjectAlternativeName),
    ) -> Identity {
        self.issue_for(&PKey::ec_gen("P-256").expect("key"), common_name, names)
    }

    /// A certificate that comes with this authority's own.
    pub(crate) fn issue_with_chain(&self, common_name: &str) -> Identity {
        let leaf = self.issue(common_name, |_| {});
        let mut chain = leaf.chain_pem().expect("PEM");
        chain.extend(self.pem());
        let key = leaf.export_private_key_pem().expect("PEM");
        Identity::from_pem(&chain, &key).expect("an identity")
    }

    pub(crate) fn issue_for(
        &self,
        key: &PKey<Private>,
        common_name: &str,
        names: impl FnOnce(&mut SubjectAlternativeName),
    ) -> Identity {
        let certificate = sign(common_name, key, Some(self), false, names);
        let chain = certificate.to_pem().expect("PEM");
        let key = key.private_key_to_pem_pkcs8().expect("PEM");
        Identity::from_pem(&chain, &key).expect("an identity")
    }
}

fn sign(
    common_name: &str,
    key: &PKey<Private>,
    signer: Option<&Signer>,
    authority: bool,
    names: impl FnOnce(&mut SubjectAlternativeName),
) -> X509 {
    let mut subject = X509Name::builder().expect("name");
    subject
        .append_entry_by_nid(Nid::COMMONNAME, common_name)
        .expect("entry");
    let subject = subject.build();
    let mut builder = X509::builder().expect("builder");
    builder.set_version(2).expect("version");
    let mut serial = BigNum::new().expect("number");
    serial
        .rand(159, MsbOption::MAYBE_ZERO, false)
        .expect("random");
    let serial = serial.to_asn1_integer().expect("integer");
    builder.set_serial_number(&serial).expect("serial");
    builder.set_subject_name(&subject).expect("subject");
    let issuer = signer.map_or(&*subject, |signer| signer.certificate.subject_name());
    builder.set_issuer_name(issuer).expect("issuer");
    builder.set_pubkey(key).expect("key");
    let day = |n| Asn1Time::days_from_now(n).expect("time");
    builder.set_not_before(&day(0)).expect("time");
    builder.set_not_after(&day(30)).expect("time");
    let mut constraints = BasicConstraints::new();
    constraints.critical();
    if authority {
        constraints.ca();
    }
    let constraints = constraints.build().expect("extension");
    builder.append_extension2(&constraints).expect("extension");
    if !authority {
        let mut alternatives = SubjectAlternativeName::new();
        alternatives.dns(NAME);
        names(&mut alternatives);
        let alternatives = {
            let above = signer.map(|signer| &*signer.certificate);
            alternatives
                .build(&builder.x509v3_context(above, None))
                .expect("extension")
        };
        builder.append_extension2(&alternatives).expect("extension");
    }
    let signing_key = signer.map_or(key, |signer| &signer.key);
    let digest = match signing_key.id() {
        Id::ED25519 => MessageDigest::null(),
        _ => MessageDigest::sha256(),
    };
    builder.sign(signing_key, digest).expect("signature");
    builder.build()
}

pub(crate) fn server_builder(version: Version) -> ContextBuilder {
    ContextBuilder::server()
        .versions(version..=version)
        .identity(ROOT.issue("server", |_| {}))
        .trust_pem(ROOT.pem())
}

pub(crate) fn client_builder(version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(ROOT.pem())
}

pub(crate) fn build(builder: ContextBuilder) -> Context {
    builder.build().expect("context")
}

pub(crate) fn server_engine(context: &Context) -> Engine {
    Engine::new(context, None, RingSizes::default()).expect("engine")
}

pub(crate) fn client_engine(context: &Context) -> Engine {
    Engine::new(context, Some(NAME), RingSizes::default()).expect("engine")
}

/// Two engines that have not begun.
pub(crate) fn engines(version: Version) -> (Engine, Engine) {
    let server = build(server_builder(version));
    let client = build(client_builder(version));
    (server_engine(&server), client_engine(&client))
}

/// Two engines whose handshake is done.
pub(crate) fn connected(version: Version) -> (Engine, Engine) {
    let (mut server, mut client) = engines(version);
    shake_hands(&mut server, &mut client);
    (server, client)
}

/// Moves all ciphertext from one engine to the other; how much there was.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine) -> usize {
    let mut moved = 0;
    loop {
        let n = to.feed(from.out_data());
        if n == 0 {
            return moved;
        }
        from.consume_out(n);
        moved += n;
    }
}

/// How a handshake ended for the server, and for the client.
pub(crate) type Verdicts = (Result<(), Error>, Result<(), Error>);

/// Drives both handshakes until neither has anything left to do; why they failed.
pub(crate) fn try_handshake(server: &mut Engine, client: &mut Engine) -> Verdicts {
    loop {
        let ours = client.handshake();
        let moved = carry(client, server);
        let theirs = server.handshake();
        let moved = moved + carry(server, client);
        if moved > 0 {
            continue;
        }
        // A client of TLS 1.3 reads tickets, or the server's verdict, afterwards.
        let ours = ours.and_then(|()| match client.read(&mut [0; 1]) {
            Ok(_) => panic!("data from nowhere"),
            Err(EngineError::Want(_)) => Ok(()),
            Err(other) => Err(other),
        });
        return (verdict(theirs), verdict(ours));
    }
}

fn verdict(result: Result<(), EngineError>) -> Result<(), Error> {
    match result {
        Ok(()) => Ok(()),
        Err(EngineError::Failed(error)) => Err(error),
        Err(other) => panic!("the handshake does not end: {other}"),
    }
}

pub(crate) fn shake_hands(server: &mut Engine, client: &mut Engine) {
    match try_handshake(server, client) {
        (Ok(()), Ok(())) => {}
        failed => panic!("handshake: {failed:?}"),
    }
}

/// Lets both sides read until nothing moves any more; what each has got.
pub(crate) fn exchange(server: &mut Engine, client: &mut Engine) -> (Vec<u8>, Vec<u8>) {
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    loop {
        let moved = carry(client, server) + carry(server, client);
        read_into(server, &mut at_server);
        read_into(client, &mut at_client);
        if moved == 0 && server.out_pending() == 0 && client.out_pending() == 0 {
            return (at_server, at_client);
        }
    }
}

fn read_into(engine: &mut Engine, got: &mut Vec<u8>) {
    let mut buf = [0; 1000];
    loop {
        match engine.read(&mut buf) {
            Ok(n) => got.extend_from_slice(&buf[..n]),
            Err(EngineError::Want(Want::Read) | EngineError::Closed) => return,
            Err(other) => panic!("read: {other}"),
        }
    }
}

/// Serves one connection on a thread, and is a client of it here.
pub(crate) fn over_sockets<S: Send + 'static, C>(
    server: &Context,
    serve: impl FnOnce(TlsStream<UnixStream>) -> S + Send + 'static,
    client: impl FnOnce(UnixStream) -> C,
) -> (S, C) {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let server = server.clone();
    let thread = thread::spawn(move || serve(TlsStream::start_accept(&server, theirs)));
    let answer = client(ours);
    (thread.join().expect("no panic"), answer)
}
