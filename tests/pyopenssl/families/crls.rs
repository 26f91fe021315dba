//! Revocation lists: made of the same entries by both, and read by both.

use greenling_tls::crypto::{Cert, Crl, Digest, Name, RevokedReason, Serial, Timestamp};
use greenling_tls::{Encoding, Error};

use super::certs::{asn1_time, draw_digest, draw_time};
use super::signed_part;
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, hex, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "crls",
    draw,
    check,
};

const REASONS: &[&str] = &[
    "unspecified",
    "keyCompromise",
    "CACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "Key Compromise",
];

fn draw(random: &mut Random) -> Value {
    let mut revoked = random.up_to(4, |random| {
        let length = 1 + random.below(20);
        let mut serial = random.bytes(length);
        serial[0] = serial[0] & 0x7f | 1;
        let reason = random.one_in(2).then(|| random.of(REASONS));
        tuple![serial, draw_time(random), reason]
    });
    revoked.sort_by_key(|entry| place(&entry.parts()[0]));
    let [last, next] = [draw_time(random), draw_time(random)];
    // Whose it is, since when and until when it is in force, who is on it, the digest.
    tuple![
        random.below(6),
        last.min(next),
        last.max(next) + 1,
        revoked,
        draw_digest(random),
    ]
}

/// The order in which pyOpenSSL has them.
pub(crate) fn place(serial: &Value) -> (usize, Vec<u8>) {
    (serial.bytes().len(), serial.bytes().to_vec())
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [number, last, next, revoked, digest] = input.parts() else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let number = number.index(keys.len());
    let key = &keys[number];
    let issuer = Cert::decode(Encoding::Der, &key.certificate).expect("a certificate");
    let ours = build(input, &issuer.subject(), trial);
    let entries = revoked.parts().iter().map(|entry| {
        let [serial, date, reason] = entry.parts() else {
            unreachable!("{entry:?}");
        };
        tuple![
            hex(serial.bytes()),
            asn1_time(date.number()),
            reason.clone()
        ]
    });
    // pyOpenSSL has no extensions of lists, so it is handed those of ours.
    let exts = ours.iter().flat_map(|list| list.extensions());
    let exts: Vec<Value> = exts
        .flatten()
        .map(|ext| {
            let value = format!("DER:{}", hex(ext.value()));
            tuple![ext.oid().to_string(), ext.is_critical(), value]
        })
        .collect();
    let arguments = tuple![
        key.certificate.as_slice(),
        number,
        asn1_time(last.number()),
        asn1_time(next.number()),
        entries.collect::<Vec<_>>(),
        (key.kind != Kind::Ed25519).then(|| digest.text()),
        exts,
    ];
    let theirs = trial.ask("make_crl", arguments);
    let der = |list: &Crl| list.encode(Encoding::Der).map(Value::from);
    let ours = ours.and_then(|list| der(&list));
    match (key.kind, &ours, &theirs) {
        (Kind::Ec, Ok(ours), Ok(theirs)) => {
            let [ours, theirs] = [ours, theirs].map(|list| signed_part(list.bytes()).into());
            trial.expect("what is signed", ours, Ok(theirs));
        }
        _ => {
            trial.compare("the list", ours.clone(), theirs.clone());
        }
    }
    for list in theirs.ok().into_iter().chain(ours.ok()) {
        let list = list.bytes();
        let described = Crl::decode(Encoding::Der, list).and_then(|list| describe(&list));
        let theirs = trial.ask("crl", tuple![1_i64, list]);
        trial.compare_fields(&["issuer", "revoked", "PEM", "text"], described, theirs);
        let signed = Crl::decode(Encoding::Der, list).and_then(|list| {
            list.verify_signature(&key.public())?;
            Ok(true.into())
        });
        trial.compare("the signature", signed, Ok(true.into()));
    }
}

fn build(input: &Value, issuer: &Name, trial: &Trial<'_>) -> Result<Crl, Error> {
    let [number, last, next, revoked, digest] = input.parts() else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let key = &keys[number.index(keys.len())];
    let mut builder = Crl::builder()
        .issuer(issuer.clone())
        .last_update(Timestamp::from_unix(last.number()))
        .next_update(Timestamp::from_unix(next.number()));
    for entry in revoked.parts() {
        let [serial, date, reason] = entry.parts() else {
            unreachable!("{entry:?}");
        };
        let reason = reason
            .some()
            .map(|reason| reason.text().parse::<RevokedReason>());
        builder = builder.revoke(
            Serial::from_bytes(serial.bytes()),
            Timestamp::from_unix(date.number()),
            reason.transpose()?,
        );
    }
    builder.sign(
        &key.private,
        Digest::by_name(digest.text()).unwrap_or_default(),
    )
}

/// What both say of a list.
fn describe(list: &Crl) -> Result<Value, Error> {
    let revoked = list.revoked()?.into_iter().map(|entry| {
        let reason = entry.reason.map(title);
        tuple![entry.serial.to_string(), entry.date.as_unix(), reason]
    });
    Ok(tuple![
        list.issuer().to_der(),
        revoked.collect::<Vec<_>>(),
        list.encode(Encoding::Pem)?,
        list.to_text()?,
    ])
}

/// What OpenSSL calls a reason.
fn title(reason: RevokedReason) -> &'static str {
    match reason {
        RevokedReason::Unspecified => "Unspecified",
        RevokedReason::KeyCompromise => "Key Compromise",
        RevokedReason::CaCompromise => "CA Compromise",
        RevokedReason::AffiliationChanged => "Affiliation Changed",
        RevokedReason::Superseded => "Superseded",
        RevokedReason::CessationOfOperation => "Cessation Of Operation",
        RevokedReason::CertificateHold => "Certificate Hold",
        _ => "not drawn",
    }
}
