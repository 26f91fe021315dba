//! The families of operations, each with what is drawn for it.

mod certs;
pub(crate) mod crls;
mod damage;
mod digests;
mod exts;
mod keys;
mod loading;
mod names;
mod pkcs12;
mod pkcs7;
mod rand;
mod requests;
mod serials;
mod spkac;
mod stores;
mod times;

use greenling_tls::Encoding;

use crate::trial::Family;
use crate::value::Value;

/// All of them, in the order in which seeds try them.
pub(crate) const FAMILIES: &[Family] = &[
    names::FAMILY,
    exts::FAMILY,
    serials::FAMILY,
    times::FAMILY,
    digests::FAMILY,
    keys::FAMILY,
    certs::FAMILY,
    requests::FAMILY,
    spkac::FAMILY,
    crls::FAMILY,
    pkcs12::FAMILY,
    pkcs7::FAMILY,
    stores::FAMILY,
    loading::FAMILY,
    rand::FAMILY,
];

/// The encoding that a number stands for.
fn encoding(value: &Value) -> Encoding {
    [Encoding::Pem, Encoding::Der][value.index(2)]
}

/// The first part of a certificate, a request or a list in DER form: all but the
/// signature, which is another one each time for most kinds of keys.
fn signed_part(der: &[u8]) -> &[u8] {
    let (_, content) = element(der);
    let (length, _) = element(content);
    &content[..length]
}

/// The length of the first element, and its content.
fn element(der: &[u8]) -> (usize, &[u8]) {
    let (header, length) = match der[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let octets = usize::from(long & 0x7f);
            let digits = der[2..2 + octets].iter();
            let length = digits.fold(0, |length, digit| length << 8 | usize::from(*digit));
            (2 + octets, length)
        }
    };
    (header + length, &der[header..header + length])
}
