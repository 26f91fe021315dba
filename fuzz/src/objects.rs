//! Certificates, keys and containers: inputs that say what they are to be read as, and
//! changes to what DER is made of, which get further than changes to bytes.
//!
//! Reading, damage and the good files are those of `tls/tests/broken`.

#[allow(dead_code, reason = "the fuzzer has its own ways to change bytes")]
#[path = "../../tls/tests/broken/damage.rs"]
mod damage;
#[path = "../../tls/tests/broken/files.rs"]
mod files;
#[path = "../../tls/tests/common/random.rs"]
mod random;
#[allow(dead_code, reason = "a target has some of the kinds")]
#[path = "../../tls/tests/broken/walk.rs"]
mod walk;

use greenling_tls::crypto::{
    Cert, Crl, Digest, Encoding, PrivateKey, Purpose, Timestamp, TrustStore, VerifyFlags,
    VerifyOptions,
};
use libfuzzer_sys::fuzzer_mutate;

use files::{File, Form, files};
use random::Random;
use walk::{Kind, PASSPHRASE, look};

/// What a target reads.
#[derive(Debug)]
pub struct Family(&'static [Kind]);

pub const CERTIFICATES: Family = Family(&[
    Kind::Certificate,
    Kind::Chain,
    Kind::Request,
    Kind::List,
    Kind::Name,
    Kind::Extension,
    Kind::Time,
    Kind::Text,
]);
pub const KEYS: Family = Family(&[Kind::PrivateKey, Kind::PublicKey]);
pub const CONTAINERS: Family = Family(&[Kind::Pkcs12, Kind::Pkcs7, Kind::Mail, Kind::Spkac]);
/// Certificates in DER form, one behind the other.
pub const PATHS: Family = Family(&[]);

/// Bytes before those that are read: what they are, and in which form.
const HEAD: usize = 2;

/// Largest number in four octets or less of which derivations are done in a fuzzer.
const ITERATIONS_MAX: u32 = 5000;

/// Reads the input as its first byte says, in the form that the second one says: as
/// it is, or as PEM made of it.
pub fn read(family: &Family, data: &[u8]) {
    let Some((&[which, form], bytes)) = data.split_first_chunk() else {
        return;
    };
    let kind = family.0[usize::from(which) % family.0.len()];
    let is_deep = form & SHALLOW == 0;
    let form = form & !SHALLOW;
    let dressed;
    let (encoding, bytes) = match form {
        PEM => match files()
            .iter()
            .find(|file| (file.kind, is_pem(file)) == (kind, true))
        {
            Some(file) => {
                dressed = file.dress(bytes);
                (Encoding::Pem, &*dressed)
            }
            None => (Encoding::Pem, bytes),
        },
        TEXT => (Encoding::Pem, bytes),
        _ => (Encoding::Der, bytes),
    };
    if matches!(kind, Kind::Pkcs12 | Kind::PrivateKey) && is_slow(bytes) {
        return;
    }
    look(kind, encoding, bytes, is_deep);
}

/// The DER that it is made into PEM of.
const PEM: u8 = 1;
/// Text, to be read as it is.
const TEXT: u8 = 2;
/// Not to be looked at when it can be read, which takes longer than reading.
const SHALLOW: u8 = 0xc0;

fn is_pem(file: &File) -> bool {
    matches!(file.form, Form::Pem(..) | Form::Base64)
}

/// Whether a number in it may be one of iterations, which take their time lawfully.
fn is_slow(bytes: &[u8]) -> bool {
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, d| sum << 8 | u32::from(*d));
    let large = |part: &[u8]| match part {
        [0x02, length @ 2..=4, digits @ ..] => digits
            .get(..usize::from(*length))
            .is_some_and(|digits| number(digits) > ITERATIONS_MAX),
        _ => false,
    };
    (0..bytes.len()).any(|at| large(&bytes[at..]))
}

/// The good files of a family, as inputs.
pub fn seeds(family: &Family) -> Vec<(String, Vec<u8>)> {
    let seed = |file: &File| {
        let which = family.0.iter().position(|kind| *kind == file.kind)?;
        let (form, bytes) = match file.form {
            Form::Der | Form::Behind(_) => (0, &file.bytes),
            Form::Pem(..) | Form::Base64 => (PEM, &file.der),
            Form::Text => (TEXT, &file.bytes),
        };
        let input = [&[which as u8, form], &bytes[..]].concat();
        let name = file.name.replace(['/', ' ', '+'], "-");
        Some((format!("{name}-{form}"), input))
    };
    if !family.0.is_empty() {
        return files().iter().filter_map(seed).collect();
    }
    let chain: Vec<u8> = certificates(&["leaf.crt", "ca.crt"]).concat();
    let forms = [0, 1, 2, 4, 8, 16, 32].map(|which| {
        let input = [&[which, which], &chain[..]].concat();
        (format!("chain-{which}"), input)
    });
    forms.into()
}

fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let is_der = |file: &&File| file.form == Form::Der;
    let find = |name: &&str| {
        files()
            .iter()
            .filter(is_der)
            .find(|file| file.name == *name)
    };
    names
        .iter()
        .map(|name| find(name).expect("a file").der.clone())
        .collect()
}

/// An input made of another, in place; its new size.
pub fn mutate(family: &Family, data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    let mut random = Random::new(seed.into());
    let is_text = size < HEAD || data[1] & !SHALLOW == TEXT && !family.0.is_empty();
    if is_text && random.below(8) != 0 || random.below(4) == 0 {
        return fuzzer_mutate(data, size, max);
    }
    let other = &files()[random.below(files().len())];
    let mut new = if is_text || random.below(100) == 0 {
        let seeds = seeds(family);
        seeds[random.below(seeds.len())].1.clone()
    } else {
        let (head, der) = data[..size].split_at(HEAD);
        [head, &damage::change_element(der, &other.der, &mut random)].concat()
    };
    if !family.0.is_empty() {
        new[1] = new[1] & !SHALLOW | (random.below(4) as u8) << 6;
    }
    let size = new.len().min(max);
    data[..size].copy_from_slice(&new[..size]);
    size
}

/// Reads the input as certificates and a revocation list, and has a store verify the
/// first with the others. The first byte says what is trusted and whether the first
/// certificate is signed once more, so that damage is not found by its signature; the
/// second one, by which rules.
pub fn verify(data: &[u8]) {
    let Some((&[trust, rules], mut bytes)) = data.split_first_chunk() else {
        return;
    };
    let mut chain = Vec::new();
    let mut list = None;
    while let Some(end) = damage::header(bytes).map(|content| content.end) {
        let (item, rest) = bytes.split_at(end);
        match Cert::decode(Encoding::Der, item) {
            Ok(cert) => chain.push(cert),
            Err(_) => list = Crl::decode(Encoding::Der, item).ok(),
        }
        bytes = rest;
    }
    if chain.is_empty() || chain.len() > 20 {
        return;
    }
    if trust & 1 != 0 {
        chain[0] = signed_again(&chain[0]).unwrap_or_else(|| chain[0].clone());
    }
    let mut store = TrustStore::builder().security_level(0);
    let mut flags = VerifyFlags::from_bits(0);
    for (bit, flag) in [
        (2, VerifyFlags::PARTIAL_CHAIN),
        (4, VerifyFlags::POLICY_CHECK),
        (8, VerifyFlags::X509_STRICT),
        (16, VerifyFlags::CHECK_SS_SIGNATURE),
        (32, VerifyFlags::CRL_CHECK_ALL),
        (64, VerifyFlags::EXTENDED_CRL_SUPPORT),
    ] {
        if rules & bit != 0 {
            flags |= flag;
        }
    }
    let trusted = if trust & 2 != 0 {
        chain.last().cloned()
    } else {
        None
    };
    store = store
        .add_cert(trusted.unwrap_or_else(authority))
        .flags(flags);
    if let Some(list) = list {
        store = store.add_crl(list);
    }
    let Ok(store) = store.build() else {
        return;
    };
    let purpose = [
        Purpose::Server,
        Purpose::Client,
        Purpose::EmailSigning,
        Purpose::Any,
    ];
    let mut options = VerifyOptions::new()
        .at(Timestamp::parse_generalized(NOW).expect("a time"))
        .purpose(purpose[usize::from(trust >> 2 & 3)]);
    options = match trust >> 4 & 3 {
        0 => options.host("localhost"),
        1 => options.ip([127, 0, 0, 1].into()),
        2 => options.email("me@leaf.test"),
        _ => options,
    };
    if let Ok(path) = store.verify_for(&chain[0], &chain[1..], &options) {
        assert_eq!(path[0], chain[0]);
        assert!(path.len() <= chain.len() + 1);
    }
    crate::check_error_queue("verify_for");
}

/// When the good files are valid.
const NOW: &str = "20400101000000Z";

fn authority() -> Cert {
    Cert::decode(Encoding::Der, &certificates(&["ca.crt"])[0]).expect("a certificate")
}

/// The same certificate with a signature of the authority that the good files have.
fn signed_again(cert: &Cert) -> Option<Cert> {
    static KEY: std::sync::LazyLock<PrivateKey> = std::sync::LazyLock::new(|| {
        let file = files().iter().find(|file| file.name == "ca.key");
        let key = &file.expect("a key").bytes;
        PrivateKey::decode(Encoding::Pem, key, PASSPHRASE).expect("a key")
    });
    let signed = cert.edit().ok()?.issuer(authority().subject());
    signed.sign(&KEY, Digest::Sha256).ok()
}
