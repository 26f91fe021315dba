//! Contexts, random numbers, ways between two sides in memory.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Instant;

use greenling_tls::crypto::LocalCa;
use greenling_tls::{Context, ContextBuilder, Engine, Error, Identity};
use greenling_tls::{Interest, Ready, Transport, Version};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};

pub(crate) const NAME: &str = "localhost";
pub(crate) const VERSIONS: [Version; 2] = [Version::Tls12, Version::Tls13];

static CA: LazyLock<LocalCa> = LazyLock::new(|| LocalCa::new("hard tests").expect("test CA"));

/// The authority that both sides trust.
pub(crate) fn ca() -> &'static LocalCa {
    &CA
}

pub(crate) fn server_builder(version: Version) -> ContextBuilder {
    let identity = CA.issue(&[NAME]).expect("test certificate");
    ContextBuilder::server()
        .versions(version..=version)
        .identity(identity)
}

pub(crate) fn client_builder(version: Version) -> ContextBuilder {
    ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(CA.root_pem().expect("PEM"))
}

/// A server's and a client's context that trust each other.
pub(crate) fn contexts(version: Version) -> (Context, Context) {
    let server = server_builder(version).build().expect("server context");
    let client = client_builder(version).build().expect("client context");
    (server, client)
}

/// A self-signed certificate with the key that takes OpenSSL the most stack.
pub(crate) fn rsa() -> &'static Identity {
    static RSA: LazyLock<Identity> = LazyLock::new(|| self_signed_rsa().expect("a certificate"));
    &RSA
}

fn self_signed_rsa() -> Result<Identity, Error> {
    let key = PKey::from_rsa(Rsa::generate(2048)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", NAME)?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    let names = SubjectAlternativeName::new()
        .dns(NAME)
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(&key, MessageDigest::sha256())?;
    Identity::new(vec![builder.build()], key)
}

/// Deterministic random numbers (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % limit
    }
}

/// Moves up to `limit` bytes of ciphertext; how many there were and fitted.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine, limit: usize) -> usize {
    let mut moved = 0;
    while moved < limit {
        let data = from.out_data();
        let piece = data.len().min(limit - moved);
        let n = to.feed(&data[..piece]);
        if n == 0 {
            break;
        }
        from.consume_out(n);
        moved += n;
    }
    moved
}

/// One end of a connection in memory. It never waits: a wait that has nothing to
/// find ends as by a deadline.
#[derive(Debug)]
pub(crate) struct End {
    ways: Rc<[RefCell<Way>; 2]>,
    side: usize,
    /// Sending fails with this from now on.
    pub(crate) send_fails: Cell<Option<ErrorKind>>,
}

#[derive(Debug, Default)]
pub(crate) struct Way {
    pub(crate) data: VecDeque<u8>,
    pub(crate) ended: bool,
}

/// Both ends of a connection in memory.
pub(crate) fn link() -> (End, End) {
    let ways: Rc<[RefCell<Way>; 2]> = Rc::default();
    let end = |side| End {
        ways: ways.clone(),
        side,
        send_fails: Cell::new(None),
    };
    (end(0), end(1))
}

impl End {
    /// What is on its way to this end.
    pub(crate) fn incoming(&self) -> RefMut<'_, Way> {
        self.ways[1 - self.side].borrow_mut()
    }

    fn outgoing(&self) -> RefMut<'_, Way> {
        self.ways[self.side].borrow_mut()
    }

    /// The other end will find the end behind what is on its way.
    pub(crate) fn shutdown_own_side(&self) {
        self.outgoing().ended = true;
    }
}

impl Transport for End {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut way = self.incoming();
        let n = way.data.len().min(buf.len());
        if n == 0 && !way.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (slot, byte) in buf.iter_mut().zip(way.data.drain(..n)) {
            *slot = byte;
        }
        Ok(n)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.send_fails.get() {
            return Err(kind.into());
        }
        let mut way = self.outgoing();
        if way.ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        way.data.extend(data);
        Ok(data.len())
    }

    fn wait(&self, interest: Interest, _: Option<Instant>) -> io::Result<Ready> {
        let way = self.incoming();
        let mut ready = Ready::default();
        ready.readable = interest.is_read() && (way.ended || !way.data.is_empty());
        ready.writable = interest.is_write();
        if ready.any() {
            Ok(ready)
        } else {
            Err(ErrorKind::TimedOut.into())
        }
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Read {
            self.outgoing().ended = true;
        }
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.outgoing().ended = true;
    }
}
