//! The keys that both sides have. Fixed, so that a seed gives the same certificate in
//! every run; `keys.pem` was made by `openssl genpkey` and protects nothing.

use greenling_tls::crypto::{PrivateKey, PublicKey};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Name};

/// What a key is good for here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Rsa,
    /// Signs without a digest of the caller's choice.
    Ed25519,
    /// Two signatures of one thing differ.
    Ec,
    /// As `Ec`; only in old things.
    Dsa,
}

/// A key, as both sides know it by its number.
pub(crate) struct Key {
    pub(crate) kind: Kind,
    /// As PKCS #8.
    pub(crate) der: Vec<u8>,
    pub(crate) private: PrivateKey,
    /// The DER form of a certificate for it.
    pub(crate) certificate: Vec<u8>,
}

impl Key {
    pub(crate) fn public(&self) -> PublicKey {
        self.private.public_key()
    }
}

pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// Reads them by the crate `openssl`, since how we read keys is under test.
    pub(crate) fn load() -> Keys {
        let kinds = [
            Kind::Rsa,
            Kind::Ed25519,
            Kind::Ec,
            Kind::Ec,
            Kind::Ec,
            Kind::Ed25519,
            Kind::Dsa,
        ];
        let pem = include_str!("keys.pem");
        let keys: Vec<PKey<Private>> = pem
            .split_inclusive("-----END PRIVATE KEY-----\n")
            .map(|pem| PKey::private_key_from_pem(pem.as_bytes()).expect("a key"))
            .collect();
        let certificates = kinds.iter().zip(&keys).map(|(kind, key)| match kind {
            Kind::Rsa | Kind::Ed25519 => certificate(key, *kind, (key, *kind)),
            // Its own signature would be another one in every run.
            Kind::Ec | Kind::Dsa => certificate(key, *kind, (&keys[0], Kind::Rsa)),
        });
        let certificates: Vec<Vec<u8>> = certificates.collect();
        let keys: Vec<Key> = keys
            .into_iter()
            .zip(kinds)
            .zip(certificates)
            .map(|((key, kind), certificate)| Key {
                kind,
                der: key.private_key_to_pkcs8().expect("DER"),
                certificate,
                private: key.into(),
            })
            .collect();
        assert_eq!(keys.len(), kinds.len());
        Keys(keys)
    }

    pub(crate) fn all(&self) -> &[Key] {
        &self.0
    }

    /// Those that certificates of today are signed with.
    pub(crate) fn modern(&self) -> &[Key] {
        &self.0[..6]
    }
}

/// A certificate for a key, which another one signs, or the same.
fn certificate(
    key: &PKey<Private>,
    kind: Kind,
    (signer, signer_kind): (&PKey<Private>, Kind),
) -> Vec<u8> {
    let name = |kind: Kind, key: &PKey<Private>| {
        let mut name = X509Name::builder().expect("a name");
        name.append_entry_by_text("CN", &format!("{kind:?} {}", key.bits()))
            .expect("an entry");
        name.build()
    };
    let mut builder = X509::builder().expect("a certificate");
    let digest = match signer_kind {
        Kind::Ed25519 => MessageDigest::null(),
        _ => MessageDigest::sha256(),
    };
    let times = [0, i64::from(i32::MAX)].map(|when| Asn1Time::from_unix(when).expect("a time"));
    builder.set_version(2).expect("version 3");
    builder
        .set_subject_name(&name(kind, key))
        .expect("a subject");
    builder
        .set_issuer_name(&name(signer_kind, signer))
        .expect("an issuer");
    builder.set_not_before(&times[0]).expect("a beginning");
    builder.set_not_after(&times[1]).expect("an end");
    builder.set_pubkey(key).expect("a key");
    builder.sign(signer, digest).expect("a signature");
    builder.build().to_der().expect("DER")
}
