//! Digests by name: of certificates, and under signatures.

use greenling_tls::crypto::{Cert, Digest};
use greenling_tls::{Encoding, Error};

use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "digests",
    draw,
    check,
};

const NAMES: &[&str] = &[
    "md5",
    "MD5",
    "sha1",
    "SHA1",
    "SHA-1",
    "sha224",
    "SHA224",
    "sha256",
    "SHA256",
    "SHA-256",
    "sha384",
    "SHA384",
    "sha512",
    "SHA512",
    "sha3-256",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
    "ripemd160",
    "blake2b512",
    "sha512-256",
    "shake128",
    "sm3",
    "nonsense",
    "",
    "sha256 ",
    "null",
];

fn draw(random: &mut Random) -> Value {
    let name = match random.one_in(4) {
        true => random.of(NAMES),
        false => random.of(&["sha224", "sha256", "sha384", "SHA512", "sha3-256"]),
    };
    let length = random.below(100);
    tuple![
        name,
        random.below(6),
        random.bytes(length),
        random.one_in(4)
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [name, number, data, damage] = input.parts() else {
        unreachable!("{input:?}");
    };
    let number = number.index(trial.keys().modern().len());
    let key = &trial.keys().all()[number];
    let certificate = Cert::decode(Encoding::Der, &key.certificate).expect("a certificate");
    let digest = Digest::by_name(name.text());
    let ours = digest.ok_or("no such digest").map(|digest| {
        let fingerprint = certificate.fingerprint_hex(digest);
        Value::from(fingerprint.expect("OpenSSL has it"))
    });
    let theirs = trial.ask(
        "cert_digest",
        tuple![key.certificate.as_slice(), name.clone()],
    );
    if trial.compare("fingerprint", ours, theirs).is_none() || key.kind == Kind::Ed25519 {
        // pyOpenSSL has no signatures by Ed25519.
        return;
    }
    let digest = Digest::by_name(name.text()).expect("it has made one");
    let theirs = trial.ask("sign", tuple![number, data.clone(), name.clone()]);
    let ours = key.private.sign(digest, data.bytes());
    match (key.kind, &ours, &theirs) {
        // Two of them differ.
        (Kind::Ec, Ok(_), Ok(_)) => {}
        _ => {
            trial.compare(
                "signature",
                ours.as_deref().map(Value::from).map_err(Clone::clone),
                theirs.clone(),
            );
        }
    }
    let data = data.bytes();
    if let Ok(signature) = theirs {
        let mut signature = signature.bytes().to_vec();
        if damage.is_true() {
            *signature.last_mut().expect("a byte") ^= 1;
        }
        let ours = key.public().verify(digest, data, &signature);
        check_signature(
            trial,
            &key.certificate,
            "theirs",
            ours,
            signature,
            data,
            name,
        );
    }
    if let Ok(mut signature) = ours {
        if damage.is_true() {
            *signature.last_mut().expect("a byte") ^= 1;
        }
        let ours = key.public().verify(digest, data, &signature);
        check_signature(trial, &key.certificate, "ours", ours, signature, data, name);
    }
}

fn check_signature(
    trial: &mut Trial<'_>,
    certificate: &[u8],
    what: &'static str,
    ours: Result<(), Error>,
    signature: Vec<u8>,
    data: &[u8],
    name: &Value,
) {
    let arguments = tuple![certificate, signature, data, name.clone()];
    let theirs = trial.ask("verify", arguments);
    trial.compare(what, ours.map(|()| Value::from(true)), theirs);
}
