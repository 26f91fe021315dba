//! Reads bytes as each kind of object, and asks what was read for everything that it
//! can tell. `fuzz/` uses this file as well.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use greenling_tls::Error;
use greenling_tls::crypto::legacy::Spkac;
use greenling_tls::crypto::{
    Attr, Cert, Crl, Csr, Curve, Digest, Encoding, Ext, ExtContext, GeneralName, Name, Oid, Pkcs7,
    Pkcs7Flags, Pkcs12, PrivateKey, Protect, PublicKey, Serial, Timestamp, TrustStore,
};
use openssl::error::ErrorStack;

/// The passphrase of all files that have one.
pub(crate) const PASSPHRASE: &str = "secret";

/// The extensions that are read as one of these are: the first byte says which.
pub(crate) const EXTENSIONS: [&str; 20] = [
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.18",
    "2.5.29.19",
    "2.5.29.20",
    "2.5.29.21",
    "2.5.29.23",
    "2.5.29.30",
    "2.5.29.31",
    "2.5.29.32",
    "2.5.29.35",
    "2.5.29.36",
    "2.5.29.37",
    "2.5.29.54",
    "1.3.6.1.5.5.7.1.1",
    "1.3.6.1.5.5.7.1.24",
    "1.3.6.1.4.1.11129.2.4.2",
    "2.16.840.1.113730.1.13",
    "1.2.3.4.5",
];

/// What bytes are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Certificate,
    Chain,
    Request,
    List,
    Name,
    Extension,
    Time,
    PrivateKey,
    PublicKey,
    Pkcs12,
    Pkcs7,
    Mail,
    Spkac,
    /// Names, times, numbers and extensions as people write them.
    Text,
}

/// All of them.
pub(crate) const KINDS: [Kind; 14] = [
    Kind::Certificate,
    Kind::Chain,
    Kind::Request,
    Kind::List,
    Kind::Name,
    Kind::Extension,
    Kind::Time,
    Kind::PrivateKey,
    Kind::PublicKey,
    Kind::Pkcs12,
    Kind::Pkcs7,
    Kind::Mail,
    Kind::Spkac,
    Kind::Text,
];

/// Reads `bytes` as this kind, and looks at all of what was read if that is `deep`;
/// whether it was of this kind.
///
/// # Panics
///
/// If an error is left in OpenSSL's queue, or what was read contradicts itself.
pub(crate) fn look(kind: Kind, encoding: Encoding, bytes: &[u8], deep: bool) -> bool {
    let text = || std::str::from_utf8(bytes).ok();
    match kind {
        Kind::Certificate => visit(Cert::decode(encoding, bytes), deep, certificate),
        Kind::Chain => visit(Cert::chain_from_pem(bytes), deep, |chain| {
            chain.iter().for_each(certificate);
        }),
        Kind::Request => visit(Csr::decode(encoding, bytes), deep, request),
        Kind::List => visit(Crl::decode(encoding, bytes), deep, list),
        Kind::Name => visit(Name::from_der(bytes), deep, name),
        Kind::Extension => bytes.split_first().is_some_and(|(which, value)| {
            let oid = EXTENSIONS[usize::from(*which) % EXTENSIONS.len()];
            let oid: Oid = oid.parse().expect("an identifier");
            visit(Ext::raw(oid, false, value), deep, extension)
        }),
        Kind::Time => text()
            .is_some_and(|text| visit(Timestamp::parse_generalized(text), true, |it| time(*it))),
        Kind::PrivateKey => {
            let read = PrivateKey::decode(encoding, bytes, PASSPHRASE);
            visit(read, deep, private_key)
        }
        Kind::PublicKey => visit(PublicKey::decode(encoding, bytes), deep, public_key),
        Kind::Pkcs12 => visit(Pkcs12::open(bytes, PASSPHRASE), deep, archive),
        Kind::Pkcs7 => visit(Pkcs7::decode(encoding, bytes), deep, |it| {
            structure(it, None)
        }),
        Kind::Mail => visit(Pkcs7::from_smime(bytes), deep, |(it, content)| {
            structure(it, content.as_deref());
        }),
        // Nobody writes that much, and each of a dozen parsers would look at it.
        Kind::Text if bytes.len() > 1 << 20 => false,
        Kind::Text => text().is_some_and(texts),
        Kind::Spkac => text().is_some_and(|text| visit(Spkac::from_base64(text), deep, spkac)),
    }
}

/// Reads a text as everything that has a text form; whether it was something.
fn texts(text: &str) -> bool {
    let named =
        |attr: Attr| quiet((attr.short_name(), attr.oid().to_string())) == Default::default();
    let mut is_some = [
        visit(text.parse(), true, name),
        visit(Serial::from_hex(text), true, serial),
        visit(Timestamp::parse_generalized(text), true, |it| time(*it)),
        visit(GeneralName::parse(text), true, |it| {
            let made = taken(Ext::subject_alt_name([it.clone()]));
            made.iter().for_each(extension);
        }),
        visit(text.parse(), true, |it: &Oid| {
            assert_eq!(quiet(it.to_string()), text);
            quiet((it.short_name(), it.long_name()));
        }),
        quiet(text.parse::<Attr>()).is_ok_and(|attr| !named(attr)),
        quiet(Digest::by_name(text).is_some() || Curve::by_name(text).is_some()),
    ]
    .contains(&true);
    // A value may name a file; which one that is, damage must not decide.
    let parts = text
        .split_once('=')
        .filter(|(_, value)| !value.contains("file"));
    if let Some((name, value)) = parts {
        let made = Ext::parse_conf(name, false, value, &ExtContext::new());
        is_some |= visit(made, true, extension);
    }
    is_some
}

fn visit<T>(read: Result<T, Error>, deep: bool, all: impl FnOnce(&T)) -> bool {
    match taken(read) {
        Some(it) if deep => all(&it),
        Some(_) => {}
        None => return false,
    }
    true
}

/// What came of a call, after which OpenSSL's queue has to be empty. Errors are shown,
/// and a message is not longer than people can read.
fn taken<T>(result: Result<T, Error>) -> Option<T> {
    clean();
    result
        .inspect_err(|error| {
            let text = format!("{error}{error:?}");
            assert!(text.len() < 20_000, "{} octets of message", text.len());
        })
        .ok()
}

/// The same for calls that cannot fail.
fn quiet<T>(value: T) -> T {
    clean();
    value
}

fn clean() {
    let queue = ErrorStack::get();
    assert!(queue.errors().is_empty(), "left in the queue: {queue}");
}

fn certificate(it: &Cert) {
    for encoding in [Encoding::Pem, Encoding::Der] {
        taken(it.encode(encoding));
    }
    taken(it.to_text());
    name(&quiet(it.subject()));
    name(&quiet(it.issuer()));
    serial(&quiet(it.serial()));
    time(quiet(it.not_before()));
    time(quiet(it.not_after()));
    quiet((it.version(), it.alias(), it.signature_algorithm()));
    quiet((it.has_expired(), it.is_valid_at(Timestamp::now())));
    quiet((it.subject_hash(), it.subject_hash_old()));
    quiet((it.issuer_hash(), it.issuer_hash_old()));
    quiet((it.is_self_signed(), it.issued(it)));
    quiet(it.matches_host("www.leaf.test"));
    quiet(it.matches_ip(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    quiet(it.matches_email("me@leaf.test"));
    taken(it.fingerprint(Digest::Sha256));
    taken(it.fingerprint_hex(Digest::Sha1));
    if let Some(key) = taken(it.public_key()) {
        public_key(&key);
        taken(it.verify_signature(&key));
    }
    quiet(format!("{it:?}"));
    assert_eq!(quiet(it.clone()), *it);
    for extension in taken(it.extensions()).unwrap_or_default() {
        self::extension(&extension);
        taken(it.extension(extension.oid()));
    }
    taken(it.edit());
}

fn name(it: &Name) {
    quiet(format!("{it}{it:?}"));
    for (attr, _) in quiet(it.components()) {
        if let Ok(attr) = quiet(attr.parse::<Attr>()) {
            quiet((it.get(attr.clone()), it.get_all(attr.clone())));
            quiet((attr.short_name(), attr.long_name(), attr.oid()));
        }
    }
    quiet((it.common_name(), it.country(), it.email_address()));
    quiet((it.hash(), it.hash_md5(), it.is_empty()));
    let der = quiet(it.to_der());
    if let Some(again) = taken(Name::from_der(&der)) {
        assert_eq!(quiet(again.cmp(it)), std::cmp::Ordering::Equal);
    }
    taken(it.edit().add(Attr::CommonName, "another").build());
}

fn serial(it: &Serial) {
    quiet(format!("{it}{it:?}{}", it.to_decimal()));
    let again = quiet(Serial::from_hex(&it.to_string()));
    assert_eq!(again.expect("its own form"), *it);
}

fn time(it: Timestamp) {
    quiet(format!("{it}{it:?}"));
    let again = quiet(Timestamp::parse_generalized(&it.to_generalized()));
    assert!(again.is_ok_and(|again| again == it), "{it:?}");
}

fn extension(it: &Ext) {
    quiet(format!("{it:?}{:?}", it.kind()));
    quiet((it.short_name(), it.oid().long_name(), it.is_critical()));
    taken(it.to_text());
    if let Some(theirs) = taken(it.to_openssl()) {
        let again = taken(Ext::from_openssl(&theirs));
        assert!(again.is_none_or(|again| again == *it));
    }
}

fn request(it: &Csr) {
    for encoding in [Encoding::Pem, Encoding::Der] {
        taken(it.encode(encoding));
    }
    taken(it.to_text());
    name(&quiet(it.subject()));
    quiet((it.version(), format!("{it:?}")));
    taken(it.verify());
    if let Some(key) = taken(it.public_key()) {
        public_key(&key);
        taken(it.verify_with(&key));
    }
    taken(it.challenge_password());
    for attribute in taken(it.attributes()).unwrap_or_default() {
        quiet(format!("{attribute:?}"));
    }
    for extension in taken(it.extensions()).unwrap_or_default() {
        self::extension(&extension);
    }
}

fn list(it: &Crl) {
    for encoding in [Encoding::Pem, Encoding::Der] {
        taken(it.encode(encoding));
    }
    quiet(format!("{it:?}"));
}

fn private_key(it: &PrivateKey) {
    quiet(format!("{it:?}"));
    quiet((it.algorithm(), it.bits(), it.security_bits()));
    taken(it.check());
    for encoding in [Encoding::Pem, Encoding::Der] {
        taken(it.encode(encoding, None));
        taken(it.encode_traditional(encoding, None));
    }
    let protect = Protect::new(PASSPHRASE).iterations(1);
    taken(it.encode(Encoding::Der, Some(&protect)));
    let public = quiet(it.public_key());
    public_key(&public);
    if let Some(signature) = taken(it.sign(Digest::Sha256, b"data")) {
        // A damaged key may sign what its other half does not verify.
        taken(public.verify(Digest::Sha256, b"data", &signature));
    }
}

fn public_key(it: &PublicKey) {
    quiet(format!("{it:?}"));
    quiet((it.algorithm(), it.bits(), it.security_bits()));
    for encoding in [Encoding::Pem, Encoding::Der] {
        taken(it.encode(encoding));
    }
    taken(it.verify(Digest::Sha256, b"data", b"no signature"));
}

fn archive(it: &Pkcs12) {
    quiet(format!("{it:?}"));
    it.cert.iter().chain(&it.ca).for_each(certificate);
    if let Some(key) = &it.key {
        private_key(key);
        let _ = it.cert.as_ref().is_none_or(|cert| quiet(key.matches(cert)));
    }
}

fn structure(it: &Pkcs7, content: Option<&[u8]>) {
    quiet(format!("{it:?}{}{:?}", it.type_name(), it.kind()));
    quiet((
        it.is_signed(),
        it.is_enveloped(),
        it.is_data(),
        it.is_detached(),
    ));
    quiet((it.data(), it.signer_count(), it.encode(Encoding::Pem)));
    quiet(it.certificates()).iter().for_each(certificate);
    taken(it.crls()).iter().flatten().for_each(list);
    let flags = Pkcs7Flags::default();
    taken(it.signers(&[], flags));
    taken(it.dangerous_verify_signatures(&[], content, flags));
    taken(it.to_smime(content));
    let (cert, key, store) = recipient();
    taken(it.verify(store, std::slice::from_ref(cert), content, flags));
    taken(it.decrypt(cert, key));
}

/// Whom what is enveloped is for, and a store that trusts that one.
fn recipient() -> &'static (Cert, PrivateKey, TrustStore) {
    static RECIPIENT: LazyLock<(Cert, PrivateKey, TrustStore)> = LazyLock::new(|| {
        let cert = include_bytes!("files/rsa.crt");
        let cert = Cert::decode(Encoding::Pem, cert).expect("a certificate");
        let key = include_bytes!("files/rsa.key");
        let key = PrivateKey::decode(Encoding::Pem, key, PASSPHRASE).expect("a key");
        let store = TrustStore::builder().add_cert(cert.clone()).build();
        (cert, key, store.expect("a store"))
    });
    &RECIPIENT
}

fn spkac(it: &Spkac) {
    quiet(format!("{it:?}{}", it.challenge()));
    public_key(it.public_key());
    taken(it.verify(it.public_key()));
    let again = taken(Spkac::from_base64(&it.to_base64()));
    assert!(again.is_none_or(|again| again.to_der() == it.to_der()));
}
