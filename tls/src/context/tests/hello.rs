//! A ClientHello, taken apart by hand (RFC 8446, section 4.1.2).

use super::*;

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV: no suite, and newer releases send the
/// extension instead (RFC 5746).
const SCSV: u16 = 0x00ff;

pub(super) const SUPPORTED_GROUPS: u16 = 10;
pub(super) const KEY_SHARE: u16 = 51;

/// What tests look at.
pub(super) struct ClientHello {
    pub(super) suites: Vec<u16>,
    pub(super) compression: Vec<u8>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl ClientHello {
    /// The first message of a client for `localhost`.
    pub(super) fn of(context: &Context) -> ClientHello {
        let mut engine = client_engine(context, Some("localhost"));
        assert!(matches!(
            engine.handshake(),
            Err(EngineError::Want(Want::Read))
        ));
        let mut flight = Bytes(engine.out_data());
        assert_eq!(flight.number(1), 22, "a handshake record");
        flight.take(2);
        let mut message = Bytes(flight.vector(2));
        assert_eq!(message.number(1), 1, "a ClientHello");
        let mut hello = Bytes(message.vector(3));
        hello.take(2 + 32); // version and random
        hello.vector(1); // session id
        let mut suites = numbers(hello.vector(2));
        suites.retain(|suite| *suite != SCSV);
        let compression = hello.vector(1).to_vec();
        let mut rest = Bytes(hello.vector(2));
        let mut extensions = Vec::new();
        while !rest.0.is_empty() {
            extensions.push((rest.number(2) as u16, rest.vector(2).to_vec()));
        }
        ClientHello {
            suites,
            compression,
            extensions,
        }
    }

    fn extension(&self, wanted: u16) -> Bytes<'_> {
        let found = self.extensions.iter().find(|(kind, _)| *kind == wanted);
        Bytes(&found.expect("the extension is there").1)
    }

    /// The groups it supports, in order of preference.
    pub(super) fn groups(&self) -> Vec<u16> {
        numbers(self.extension(SUPPORTED_GROUPS).vector(2))
    }

    /// The groups it sends a share for.
    pub(super) fn shares(&self) -> Vec<u16> {
        let mut extension = self.extension(KEY_SHARE);
        let mut list = Bytes(extension.vector(2));
        let mut groups = Vec::new();
        while !list.0.is_empty() {
            groups.push(list.number(2) as u16);
            list.vector(2);
        }
        groups
    }
}

/// Reads from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, width: usize) -> usize {
        self.take(width)
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// Bytes after a length of `width` bytes.
    fn vector(&mut self, width: usize) -> &'a [u8] {
        let length = self.number(width);
        self.take(length)
    }
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}
