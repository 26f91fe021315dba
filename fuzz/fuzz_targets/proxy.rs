//! Bytes from the network where a proxy's header is expected, in pieces.

#![no_main]

use std::io::{self, Read};
use std::sync::LazyLock;

use greenling_tls::ProxyProtocol;
use libfuzzer_sys::fuzz_target;

/// Gives as many bytes as it says at the front, and never more than are asked for.
struct Pieces<'a> {
    sizes: &'a [u8],
    data: &'a [u8],
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty());
        let size = self.sizes.split_first().map_or(usize::MAX, |(size, rest)| {
            self.sizes = rest;
            1 + usize::from(*size)
        });
        let n = size.min(buf.len()).min(self.data.len());
        let (now, later) = self.data.split_at(n);
        buf[..n].copy_from_slice(now);
        self.data = later;
        Ok(n)
    }
}

fuzz_target!(|data: &[u8]| {
    static PROTOCOL: LazyLock<ProxyProtocol> =
        LazyLock::new(|| ProxyProtocol::from_trusted(["0.0.0.0/0", "::/0"]).expect("networks"));
    let count = data.first().map_or(0, |n| usize::from(*n) % 16);
    let sizes = data.get(1..=count).unwrap_or_default();
    let data = data.get(1 + count..).unwrap_or_default();
    let mut pieces = Pieces { sizes, data };
    let header = match PROTOCOL.read(&mut pieces) {
        Ok(header) => header,
        Err(error) => {
            let kind = error.kind();
            let expected = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
            assert!(expected.contains(&kind), "{error}");
            return;
        }
    };
    // What follows the header is not touched, and whole it says the same.
    let taken = data.len() - pieces.data.len();
    let whole = PROTOCOL.read(&data[..taken]).expect("read before");
    assert_eq!(format!("{header:?}"), format!("{whole:?}"));
    assert!(taken == 0 || PROTOCOL.read(&data[..taken - 1]).is_err());
    let length: usize = header.tlvs().map(|(_, value)| 3 + value.len()).sum();
    assert!(length <= taken);
    assert!(header.is_local() || header.source().is_none() == header.destination().is_none());
});
