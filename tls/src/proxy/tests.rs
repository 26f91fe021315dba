//! Headers as proxies send them, in pieces, cut off and damaged.

use std::net::SocketAddr;
use std::path::Path;

use super::*;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What follows a header here: the beginning of a ClientHello.
const TAIL: &[u8] = b"\x16\x03\x01\x02\x00";

/// A header of version 2 with its length filled in.
fn binary(command: u8, family: u8, parts: &[&[u8]]) -> Vec<u8> {
    let rest = parts.concat();
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, &rest].concat()
}

fn unix(path: &[u8]) -> Vec<u8> {
    let mut field = path.to_vec();
    field.resize(108, 0);
    field
}

const IPV4: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 1, 187];

fn ipv6() -> Vec<u8> {
    let source = "2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap();
    let target = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap();
    [
        &source.octets()[..],
        &target.octets(),
        &[0x9c, 0x40, 1, 187],
    ]
    .concat()
}

/// The source and the destination that a header tells.
type Told = Option<(&'static str, &'static str)>;

/// Whole headers, and what they tell.
fn samples() -> Vec<(Vec<u8>, Told)> {
    let v4 = Some(("192.0.2.7:40000", "198.51.100.1:443"));
    let v6 = Some(("[2001:db8::7]:40000", "[2001:db8::1]:443"));
    let longest = format!(
        "PROXY UNKNOWN {0} {0} 65535 65535\r\n",
        ["ffff"; 8].join(":")
    );
    assert_eq!(longest.len(), 107);
    let paths = [unix(b"/run/client"), unix(b"/run/server")].concat();
    vec![
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n".into(),
            v4,
        ),
        (
            b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n".into(),
            v6,
        ),
        (b"PROXY UNKNOWN\r\n".into(), None),
        (longest.into(), None),
        (binary(0x21, 0x11, &[IPV4]), v4),
        (binary(0x21, 0x12, &[IPV4, b"\x04\0\x02\0\0\x05\0\0"]), v4),
        (binary(0x21, 0x21, &[&ipv6()]), v6),
        (binary(0x21, 0x31, &[&paths]), None),
        (binary(0x21, 0x00, &[b"what nobody knows"]), None),
        (binary(0x20, 0x00, &[]), None),
        // The family of LOCAL does not matter, nor what it would need.
        (binary(0x20, 0x11, &[]), None),
        (binary(0x20, 0xff, &[b"\x01"]), None),
    ]
}

fn policy() -> ProxyProtocol {
    ProxyProtocol::from_trusted(["127.0.0.1"]).unwrap()
}

/// Gives out what it holds in pieces: the first is `first` long, the others one byte.
struct Pieces<'a> {
    bytes: &'a [u8],
    first: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = std::mem::replace(&mut self.first, 1).max(1);
        let n = buf.len().min(most).min(self.bytes.len());
        let (piece, rest) = self.bytes.split_at(n);
        buf[..n].copy_from_slice(piece);
        self.bytes = rest;
        Ok(n)
    }
}

/// Reads a header; also what is left.
fn read(bytes: &[u8], first: usize) -> (io::Result<ProxyHeader>, &[u8]) {
    let mut pieces = Pieces { bytes, first };
    let header = policy().read_within(&mut pieces);
    (header, pieces.bytes)
}

fn refusal(bytes: &[u8]) -> String {
    let (result, _) = read(bytes, usize::MAX);
    let error = result.expect_err("no header");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    error.to_string()
}

#[test]
fn headers_are_read_whatever_their_pieces_and_nothing_more() {
    for (header, addresses) in samples() {
        let bytes = [&header, TAIL].concat();
        for first in 1..=bytes.len() {
            let (read, rest) = read(&bytes, first);
            let read = read.unwrap();
            assert_eq!(rest, TAIL, "{first} of {header:?}");
            let told = read.source().zip(read.destination());
            let parsed = |(a, b): (&str, &str)| -> (SocketAddr, SocketAddr) {
                (a.parse().unwrap(), b.parse().unwrap())
            };
            assert_eq!(told, addresses.map(parsed), "{first} of {header:?}");
        }
    }
}

#[test]
fn a_header_that_ends_early_is_none() {
    for (header, _) in samples() {
        for cut in 0..header.len() {
            let error = read(&header[..cut], usize::MAX).0.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
            let quiet = matches!(Error::from(error), Error::ClosedBeforeHello);
            assert_eq!(quiet, cut == 0);
        }
    }
}

#[test]
fn entries_checksums_and_paths_are_told() {
    let entries = b"\x02\0\x0bexample.com\x04\0\0\xe0\0\x01x";
    let header = binary(0x21, 0x11, &[IPV4, entries]);
    let header = read(&header, usize::MAX).0.unwrap();
    assert_eq!((header.version(), header.is_local()), (2, false));
    let told: Vec<_> = header.tlvs().collect();
    assert_eq!(told, [(2, &b"example.com"[..]), (4, b""), (0xe0, b"x")]);
    assert_eq!(header.tlv(2), Some(&b"example.com"[..]));
    assert_eq!(header.tlv(5), None);

    let paths = [unix(b"\0abstract\0name"), unix(&[b'a'; 108])].concat();
    let header = read(&binary(0x21, 0x31, &[&paths]), usize::MAX).0.unwrap();
    let ProxyAddresses::Unix {
        stream,
        source,
        destination,
    } = header.addresses()
    else {
        panic!("{header:?}");
    };
    assert!(stream);
    assert_eq!(**source, *Path::new("\0abstract\0name"));
    assert_eq!(destination.as_os_str().len(), 108);

    assert!(read(&binary(0x20, 0, &[]), 99).0.unwrap().is_local());
}

#[test]
fn a_checksum_is_checked() {
    // The check value of the polynomial, as RFC 9260's implementations give it.
    assert_eq!(parse::crc32c([b"1234", b"", b"56789"]), 0xe306_9283);
    let before = b"\x04\0\x01p";
    let mut header = binary(
        0x21,
        0x11,
        &[IPV4, before, b"\x03\0\x04\0\0\0\0", b"\x04\0\0"],
    );
    let at = header.len() - 7;
    let sum = parse::crc32c([&header, b"", b""]);
    assert!(refusal(&header).contains("checksum"));
    header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    assert!(read(&header, usize::MAX).0.is_ok());
    for i in [16, 31, header.len() - 3] {
        let mut damaged = header.clone();
        damaged[i] ^= 1;
        assert!(refusal(&damaged).contains("checksum"), "{i}");
    }
    let odd = binary(0x21, 0x11, &[IPV4, b"\x03\0\x03\0\0\0"]);
    assert!(refusal(&odd).contains("checksum of a wrong size"));
    // Each check takes a pass over the header, so there is one.
    let mut twice = binary(0x21, 0x11, &[IPV4, b"\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0"]);
    let sum = parse::crc32c([&twice, b"", b""]);
    twice[31..35].copy_from_slice(&sum.to_be_bytes());
    assert!(refusal(&twice).contains("two checksums"));
}

#[test]
fn what_is_no_header_is_refused_in_words() {
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
    assert_eq!(long.len(), 108);
    for (bytes, why) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "no header"),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
            "no header",
        ),
        (b"PROXYTCP4 1.2.3.4 1.2.3.4 1 1\r\n", "no header"),
        (b"PROXY tcp4 1.2.3.4 1.2.3.4 1 1\r\n", "unknown protocol"),
        (b"PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n", "unknown protocol"),
        (b"PROXY UNKNOWNX 1.2.3.4\r\n", "unknown protocol"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", "CR LF"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "two ports"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n", "two ports"),
        (b"PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n", "two ports"),
        (b"PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "malformed address"),
        (b"PROXY TCP4 ::1 ::1 1 1\r\n", "malformed address"),
        (b"PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "malformed address"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n", "malformed port"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n", "malformed port"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 01\r\n", "malformed port"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 \xff\r\n", "ASCII"),
        (long.as_bytes(), "107"),
        (&binary(0x11, 0x11, &[IPV4]), "version"),
        (&binary(0x22, 0x11, &[IPV4]), "command"),
        (&binary(0x21, 0x41, &[IPV4]), "family"),
        (&binary(0x21, 0x13, &[IPV4]), "transport"),
        (&binary(0x21, 0x11, &[&IPV4[..11]]), "shorter"),
        (&binary(0x21, 0x21, &[&ipv6()[..35]]), "shorter"),
        (&binary(0x21, 0x31, &[&[1; 215]]), "shorter"),
        (&binary(0x21, 0x11, &[IPV4, b"\x04\0\x02x"]), "entry"),
        (&binary(0x21, 0x11, &[IPV4, b"\x04\0"]), "entry"),
        (&binary(0x21, 0x11, &[&[0; 4090]]), "limit"),
    ] {
        let text = refusal(bytes);
        assert!(text.contains(why), "{bytes:?}: {text}");
    }
}

#[test]
fn damaged_headers_do_no_harm() {
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let samples = samples();
    for _ in 0..5_000 {
        let mut bytes = samples[below(samples.len())].0.clone();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = u8::try_from(below(256)).unwrap(),
                1 => bytes[at] ^= 1 << below(8),
                _ => bytes.insert(at, u8::try_from(below(256)).unwrap()),
            }
        }
        let (result, rest) = read(&bytes, usize::MAX);
        if let Ok(header) = result {
            assert!(rest.len() < bytes.len());
            // Nothing that was accepted is too strange to be looked at.
            let told: usize = header.tlvs().map(|(_, value)| value.len() + 3).sum();
            assert_eq!(told, header.tlvs.len());
        }
    }
}

#[test]
fn networks_and_addresses_are_trusted_by_name_only() {
    let trusted = ProxyProtocol::from_trusted(["10.0.0.0/8", "192.0.2.1", "fd00::/8"]).unwrap();
    for (address, expected) in [
        ("10.255.0.1", true),
        ("11.0.0.1", false),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("fdff::1", true),
        ("fe80::1", false),
        // By IPv4 to a socket of IPv6.
        ("::ffff:10.0.0.1", true),
        ("::ffff:11.0.0.1", false),
    ] {
        assert_eq!(
            trusted.trusts(address.parse().unwrap()),
            expected,
            "{address}"
        );
    }
    for bad in ["", "10.0.0.0/33", "localhost", "10.0.0.0/8 "] {
        let error = ProxyProtocol::from_trusted([bad]).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{bad}: {error}");
    }
}
