//! Certificates: made of the same fields by both, and read by both.

use greenling_tls::crypto::{Cert, Digest, Ext, ExtContext, Serial, Timestamp};
use greenling_tls::{Encoding, Error};

use super::{exts, names, serials, signed_part};
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "certs",
    draw,
    check,
};

/// Extensions that both sides make without more context.
const EXTS: &[(&str, &str)] = &[
    ("subjectAltName", "DNS:a.example,IP:::1,email:a@b.example"),
    ("issuerAltName", "URI:http://a.example/"),
    ("basicConstraints", "CA:TRUE,pathlen:3"),
    ("keyUsage", "keyCertSign,cRLSign"),
    ("extendedKeyUsage", "serverAuth,1.2.3.4"),
    ("subjectKeyIdentifier", "01:02:03"),
    ("nameConstraints", "permitted;DNS:a.example"),
    ("crlDistributionPoints", "URI:http://a.example/crl"),
    ("authorityInfoAccess", "OCSP;URI:http://a.example/"),
    ("certificatePolicies", "DER:3007300506032a0304"),
    ("tlsfeature", "status_request"),
    ("1.2.3.4.5", "DER:0500"),
    ("nsComment", "a comment"),
];

/// Extensions of different kinds.
pub(crate) fn draw_exts(random: &mut Random) -> Value {
    let mut left = EXTS.to_vec();
    let exts = random.up_to(5, |random| {
        let (name, text) = left.remove(random.below(left.len()));
        tuple![name, random.one_in(2), text]
    });
    exts.into()
}

/// A second in the times that certificates can have, most of them in ours.
pub(crate) fn draw_time(random: &mut Random) -> i64 {
    let spread = match random.one_in(4) {
        true => 250_000_000_000,
        false => 4_000_000_000,
    };
    random.below(spread) as i64
}

pub(crate) fn draw_digest(random: &mut Random) -> &'static str {
    random.of(&["sha224", "sha256", "sha384", "sha512"])
}

fn draw(random: &mut Random) -> Value {
    let length = 1 + random.below(20);
    let mut serial = random.bytes(length);
    serial[0] = serial[0] & 0x7f | 1;
    let [begin, end] = [draw_time(random), draw_time(random)];
    let exts = draw_exts(random);
    let version = match exts.parts().is_empty() {
        true => random.of(&[0, 1, 2, 2]),
        false => random.of(&[2, 2, 2, 2, 2, 2, 2, 0, 3]),
    };
    tuple![
        version as i64,
        serial,
        names::draw_plain(random),
        names::draw_plain(random),
        begin.min(end),
        begin.max(end),
        random.below(6),
        exts,
        random.below(6),
        draw_digest(random),
    ]
}

/// What both are given of extensions, and what we make of it.
pub(crate) fn build_exts(exts: &Value) -> Result<Vec<Ext>, Error> {
    let built = exts.parts().iter().map(|ext| {
        let [name, critical, text] = ext.parts() else {
            unreachable!("{ext:?}");
        };
        Ext::parse_conf(
            name.text(),
            critical.is_true(),
            text.text(),
            &ExtContext::new(),
        )
    });
    built.collect()
}

/// As RFC 5280 has it, which pyOpenSSL leaves to who calls: UTCTime up to 2049.
pub(crate) fn asn1_time(seconds: i64) -> String {
    let text = Timestamp::from_unix(seconds).to_generalized();
    match &text[..4] {
        year if ("1950".."2050").contains(&year) => text[2..].to_owned(),
        _ => text,
    }
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [
        version,
        serial,
        subject,
        issuer,
        begin,
        end,
        key,
        exts,
        signer,
        digest,
    ] = input.parts()
    else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let (key, signer) = (key.index(keys.len()), signer.index(keys.len()));
    let ours = || {
        let cert = Cert::builder()
            .version(version.number() as i32)
            .serial(Serial::from_bytes(serial.bytes()))
            .subject(names::build(subject)?)
            .issuer(names::build(issuer)?)
            .not_before(Timestamp::from_unix(begin.number()))
            .not_after(Timestamp::from_unix(end.number()))
            .public_key(&keys[key].public())
            .exts(build_exts(exts)?)
            .sign(
                &keys[signer].private,
                Digest::by_name(digest.text()).unwrap_or_default(),
            )?;
        cert.encode(Encoding::Der)
    };
    let ours = ours();
    let is_edwards = keys[signer].kind == Kind::Ed25519;
    let theirs = trial.ask(
        "make_cert",
        tuple![
            version.clone(),
            serial.clone(),
            subject.clone(),
            issuer.clone(),
            asn1_time(begin.number()),
            asn1_time(end.number()),
            key,
            exts.clone(),
            signer,
            (!is_edwards).then(|| digest.text()),
        ],
    );
    match (keys[signer].kind, &ours, &theirs) {
        (Kind::Ec, Ok(ours), Ok(theirs)) => {
            let theirs = Value::from(signed_part(theirs.bytes()));
            trial.expect("what is signed", signed_part(ours).into(), Ok(theirs));
        }
        _ => {
            let ours = ours.as_deref().map(Value::from).map_err(Clone::clone);
            trial.compare("the certificate", ours, theirs.clone());
        }
    }
    if let Ok(theirs) = theirs {
        read("theirs", theirs.bytes(), trial);
    }
    if let Ok(ours) = ours {
        read("ours", &ours, trial);
        let public = keys[signer].public();
        let read = Cert::decode(Encoding::Der, &ours).expect("it can be read");
        let verified = read.verify_signature(&public).map(|()| Value::from(true));
        trial.compare("the signature", verified, Ok(true.into()));
    }
}

const FIELDS: [&str; 13] = [
    "version",
    "serial",
    "subject",
    "issuer",
    "not before",
    "not after",
    "public key",
    "signature algorithm",
    "subject hash",
    "extensions",
    "digests",
    "PEM",
    "text",
];

/// Has both read a certificate.
pub(crate) fn read(whose: &'static str, der: &[u8], trial: &mut Trial<'_>) {
    let cert = Cert::decode(Encoding::Der, der);
    let ours = cert.clone().and_then(|cert| describe(&cert));
    let theirs = trial.ask("cert", tuple![1_i64, der]);
    trial.compare_fields(&FIELDS, ours, theirs);
    if let Ok(cert) = cert {
        let theirs = trial.ask("has_expired", Value::from(der));
        trial.expect(whose, cert.has_expired().into(), theirs);
    }
}

/// What both say of a certificate.
pub(crate) fn describe(cert: &Cert) -> Result<Value, Error> {
    let mut digests = Vec::new();
    for digest in [Digest::Md5, Digest::Sha1, Digest::Sha256, Digest::Sha512] {
        digests.push(Value::from(cert.fingerprint_hex(digest)?));
    }
    Ok(tuple![
        i64::from(cert.version()),
        serials::short(&cert.serial()),
        cert.subject().to_der(),
        cert.issuer().to_der(),
        cert.not_before().as_unix(),
        cert.not_after().as_unix(),
        cert.public_key()?.encode(Encoding::Der)?,
        cert.signature_algorithm(),
        cert.subject_hash(),
        exts::list(&cert.extensions()?),
        digests,
        cert.encode(Encoding::Pem)?,
        cert.to_text()?,
    ])
}
