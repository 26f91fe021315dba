//! The header's two forms: pure functions on bytes that anybody may have sent.
//!
//! Sections 2.1 and 2.2 of the specification, revision 2020/03/05. Crates that
//! parse it were looked at and not taken: one knows no Unix addresses, one looks at
//! the address family of a `LOCAL` header, which must be ignored, and each takes
//! some first lines that the specification does not allow. None checks checksums.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::header::{ProxyAddresses, ProxyHeader, next_tlv, unix_path};

/// The longest first line of version 1, its end included.
const LINE_MAX: usize = 107;

/// How version 2 begins; no client of any other protocol does.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed part of version 2: the signature, and what the rest is.
const FIXED: usize = 16;

/// The kind of the entry that holds a checksum of the header.
const CRC32C: u8 = 3;

/// A Unix address: a path of fixed size.
const UNIX: usize = 108;

type Answer<T> = Result<T, &'static str>;

/// What to do after some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The header has this many bytes at least.
    Needs(usize),
    /// It is whole.
    Whole(ProxyHeader),
}

/// Looks at the first bytes of a connection, of which none belongs to what
/// follows the header if `Needs` was obeyed.
pub(super) fn step(bytes: &[u8], length_max: usize) -> Answer<Step> {
    if bytes.is_empty() {
        // Enough to tell the versions apart, and less than either has.
        Ok(Step::Needs(SIGNATURE.len()))
    } else if begins(bytes, &SIGNATURE) {
        binary(bytes, length_max)
    } else if begins(bytes, b"PROXY ") {
        text(bytes)
    } else {
        Err("no header where one is required")
    }
}

/// Whether `bytes` are the first of `whole`, or go on after it.
fn begins(bytes: &[u8], whole: &[u8]) -> bool {
    let common = bytes.len().min(whole.len());
    bytes[..common] == whole[..common]
}

fn text(bytes: &[u8]) -> Answer<Step> {
    let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
        return match bytes.len() {
            LINE_MAX.. => Err("first line longer than 107 bytes"),
            // Nothing shorter than this is a header, and what follows it is not ours.
            n if n < b"PROXY UNKNOWN\r\n".len() => Ok(Step::Needs(b"PROXY UNKNOWN\r\n".len())),
            n => Ok(Step::Needs(n + 1)),
        };
    };
    let line = bytes[..end].strip_suffix(b"\r");
    let line = line.ok_or("first line does not end with CR LF")?;
    let line = std::str::from_utf8(line).map_err(|_| "first line is not ASCII")?;
    let mut words = line.split(' ').skip(1);
    let addresses = match words.next() {
        // What else the line says of unknown addresses is to be ignored.
        Some("UNKNOWN") => ProxyAddresses::Unknown,
        Some("TCP4") => addresses_in_words::<Ipv4Addr>(words)?,
        Some("TCP6") => addresses_in_words::<Ipv6Addr>(words)?,
        _ => return Err("unknown protocol in the first line"),
    };
    Ok(Step::Whole(ProxyHeader {
        version: 1,
        local: false,
        addresses,
        tlvs: Box::default(),
    }))
}

fn addresses_in_words<'a, A: FromStr + Into<IpAddr>>(
    words: impl Iterator<Item = &'a str>,
) -> Answer<ProxyAddresses> {
    let words: Vec<&str> = words.take(5).collect();
    let [source, destination, source_port, destination_port] = words[..] else {
        return Err("the first line must have two addresses and two ports");
    };
    Ok(ProxyAddresses::Ip {
        stream: true,
        source: SocketAddr::new(address::<A>(source)?, port(source_port)?),
        destination: SocketAddr::new(address::<A>(destination)?, port(destination_port)?),
    })
}

fn address<A: FromStr + Into<IpAddr>>(word: &str) -> Answer<IpAddr> {
    let parsed = word.parse::<A>().map_err(|_| "malformed address")?;
    Ok(parsed.into())
}

/// Decimal digits without a sign or zeros in front.
fn port(word: &str) -> Answer<u16> {
    let plain = word.bytes().all(|b| b.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    let parsed = word.parse().ok().filter(|_| plain);
    parsed.ok_or("malformed port")
}

fn binary(bytes: &[u8], length_max: usize) -> Answer<Step> {
    let Some((fixed, _)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(Step::Needs(FIXED));
    };
    let [.., command, family, high, low] = *fixed;
    let local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err("unknown version or command"),
    };
    let whole = FIXED + usize::from(u16::from_be_bytes([high, low]));
    if whole > length_max {
        return Err("header longer than the limit");
    }
    let Some(rest) = bytes.get(FIXED..whole) else {
        return Ok(Step::Needs(whole));
    };
    let (addresses, tlvs) = if local {
        // The family is to be ignored, and so is where its addresses would end.
        (ProxyAddresses::Unknown, &[][..])
    } else {
        addresses_in_bytes(family, rest)?
    };
    check_tlvs(&bytes[..whole], tlvs)?;
    Ok(Step::Whole(ProxyHeader {
        version: 2,
        local,
        addresses,
        tlvs: tlvs.into(),
    }))
}

/// The addresses and what follows them.
fn addresses_in_bytes(family: u8, rest: &[u8]) -> Answer<(ProxyAddresses, &[u8])> {
    const SHORT: &str = "shorter than its addresses";
    let stream = match family & 0xf {
        // Nothing is known of such an address, not even its size.
        0 => return Ok((ProxyAddresses::Unknown, &[])),
        1 => true,
        2 => false,
        _ => return Err("unknown transport protocol"),
    };
    match family >> 4 {
        0 => Ok((ProxyAddresses::Unknown, &[])),
        1 => {
            let (a, tlvs) = rest.split_first_chunk::<12>().ok_or(SHORT)?;
            let ip = |i: usize| Ipv4Addr::new(a[i], a[i + 1], a[i + 2], a[i + 3]).into();
            Ok((
                ip_addresses(stream, ip(0), ip(4), [a[8], a[9], a[10], a[11]]),
                tlvs,
            ))
        }
        2 => {
            let (a, rest) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
            let (b, rest) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
            let (ports, tlvs) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
            let (source, destination) = (Ipv6Addr::from(*a).into(), Ipv6Addr::from(*b).into());
            Ok((ip_addresses(stream, source, destination, *ports), tlvs))
        }
        3 => {
            let (source, rest) = rest.split_first_chunk::<UNIX>().ok_or(SHORT)?;
            let (destination, tlvs) = rest.split_first_chunk::<UNIX>().ok_or(SHORT)?;
            let addresses = ProxyAddresses::Unix {
                stream,
                source: unix_path(source),
                destination: unix_path(destination),
            };
            Ok((addresses, tlvs))
        }
        _ => Err("unknown address family"),
    }
}

fn ip_addresses(
    stream: bool,
    source: IpAddr,
    destination: IpAddr,
    [s0, s1, d0, d1]: [u8; 4],
) -> ProxyAddresses {
    ProxyAddresses::Ip {
        stream,
        source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
    }
}

/// Checks that there are whole entries only, and the checksum if there is one.
fn check_tlvs(header: &[u8], tlvs: &[u8]) -> Answer<()> {
    let mut rest = tlvs;
    let mut checked = false;
    while let Some((kind, value)) = next_tlv(&mut rest) {
        if kind != CRC32C {
            continue;
        }
        // Each takes a pass over all of the header.
        if std::mem::replace(&mut checked, true) {
            return Err("two checksums");
        }
        let sum = <[u8; 4]>::try_from(value).map_err(|_| "checksum of a wrong size")?;
        let after = header.len() - rest.len();
        let (before, after) = (&header[..after - sum.len()], &header[after..]);
        if crc32c([before, &[0; 4], after]) != u32::from_be_bytes(sum) {
            return Err("wrong checksum");
        }
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err("an entry longer than the header")
    }
}

/// CRC32c of the pieces one after the other (RFC 9260, appendix A).
pub(super) fn crc32c(pieces: [&[u8]; 3]) -> u32 {
    let mut crc = u32::MAX;
    for byte in pieces.into_iter().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = (crc >> 1) ^ (0x82f6_3b78 * carry);
        }
    }
    !crc
}
