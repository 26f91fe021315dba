//! What a row of the table says.

use greenling_tls::Purpose;
use greenling_tls::crypto::VerifyFlags;
use openssl::x509::{X509, X509Crl};

use super::codes::Code;
use super::made::Made;

/// One case.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The section that says so: of RFC 5280, unless it names another source.
    pub(crate) section: &'static str,
    /// How the chain is made.
    pub(crate) chain: fn() -> Chain,
    /// When it is judged, in days from [`NOW`](super::made::NOW).
    pub(crate) at: i64,
    pub(crate) purpose: Purpose,
    pub(crate) peer: Peer,
    pub(crate) flags: VerifyFlags,
    pub(crate) depth: u32,
    pub(crate) level: u32,
    pub(crate) expected: Verdict,
    /// What `openssl verify` says.
    pub(crate) command: Elsewhere,
    /// What a handshake says.
    pub(crate) handshake: Elsewhere,
}

/// What there is to judge.
pub(crate) struct Chain {
    pub(crate) leaf: Made,
    /// What the peer sends along.
    pub(crate) given: Vec<X509>,
    pub(crate) trusted: Vec<X509>,
    pub(crate) lists: Vec<X509Crl>,
}

/// Whom the certificate must be for.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    Anybody,
    Host(&'static str),
    Email(&'static str),
}

/// The depth of a fault counts from the leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid,
    Fault(Code, u32),
}

/// What is said in another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    Same,
    /// Something else, for a reason that the row tells.
    Other(Verdict),
    /// The place has no such option.
    NotThere,
}

pub(crate) fn row(name: &'static str, section: &'static str, chain: fn() -> Chain) -> Row {
    Row {
        name,
        section,
        chain,
        at: 0,
        purpose: Purpose::Server,
        peer: Peer::Anybody,
        flags: VerifyFlags::default(),
        depth: 10,
        level: 2,
        expected: Verdict::Valid,
        command: Elsewhere::Same,
        handshake: Elsewhere::Same,
    }
}

impl Row {
    pub(crate) fn at(mut self, day: i64) -> Row {
        self.at = day;
        self
    }

    pub(crate) fn purpose(mut self, purpose: Purpose) -> Row {
        self.purpose = purpose;
        self
    }

    pub(crate) fn host(mut self, name: &'static str) -> Row {
        self.peer = Peer::Host(name);
        self
    }

    pub(crate) fn email(mut self, address: &'static str) -> Row {
        self.peer = Peer::Email(address);
        self
    }

    pub(crate) fn flags(mut self, flags: VerifyFlags) -> Row {
        self.flags |= flags;
        self
    }

    pub(crate) fn depth(mut self, depth: u32) -> Row {
        self.depth = depth;
        self
    }

    pub(crate) fn level(mut self, level: u32) -> Row {
        self.level = level;
        self
    }

    pub(crate) fn fails(mut self, code: Code, depth: u32) -> Row {
        self.expected = Verdict::Fault(code, depth);
        self
    }

    pub(crate) fn command(mut self, command: Elsewhere) -> Row {
        self.command = command;
        self
    }

    pub(crate) fn handshake(mut self, handshake: Elsewhere) -> Row {
        self.handshake = handshake;
        self
    }
}

impl Elsewhere {
    /// What is to be seen there, if anything.
    pub(crate) fn expected(self, here: Verdict) -> Option<Verdict> {
        match self {
            Elsewhere::Same => Some(here),
            Elsewhere::Other(verdict) => Some(verdict),
            Elsewhere::NotThere => None,
        }
    }
}

/// What leads from a leaf over authorities to a root, the last of `above`, which is
/// trusted; the others are given.
pub(crate) fn chain(leaf: &Made, above: &[&Made]) -> Chain {
    let (root, given) = above.split_last().expect("a root");
    Chain {
        leaf: leaf.clone(),
        given: given.iter().map(|made| made.certificate.clone()).collect(),
        trusted: vec![root.certificate.clone()],
        lists: Vec::new(),
    }
}

impl Chain {
    pub(crate) fn given(mut self, given: &[&Made]) -> Chain {
        self.given = given.iter().map(|made| made.certificate.clone()).collect();
        self
    }

    pub(crate) fn trusted(mut self, trusted: &[&Made]) -> Chain {
        self.trusted = trusted
            .iter()
            .map(|made| made.certificate.clone())
            .collect();
        self
    }

    pub(crate) fn lists(mut self, lists: impl IntoIterator<Item = X509Crl>) -> Chain {
        self.lists = lists.into_iter().collect();
        self
    }
}
