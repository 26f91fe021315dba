//! Contexts, random numbers, ways between two sides in memory.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Instant;

use greenling_tls::{Error, Identity, Interest, Ready, Transport};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};

#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/contexts.rs"]
mod contexts;
#[allow(dead_code, reason = "each suite needs a part of it")]
#[path = "../common/engines.rs"]
mod engines;
#[path = "../common/random.rs"]
mod random;

pub(crate) use contexts::*;
pub(crate) use engines::*;
pub(crate) use random::Random;

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
