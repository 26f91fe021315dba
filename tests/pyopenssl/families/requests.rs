//! Requests: made of the same fields by both, read and verified by both.

use greenling_tls::crypto::{Csr, Digest};
use greenling_tls::{Encoding, Error};

use super::{certs, exts, names, signed_part};
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "requests",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    // Whom it is about, its key and extensions, the digest, and who verifies it.
    let key = random.below(6);
    let verifier = match random.one_in(3) {
        true => random.below(6),
        false => key,
    };
    tuple![
        names::draw_plain(random),
        key,
        certs::draw_exts(random),
        certs::draw_digest(random),
        verifier,
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [subject, key, exts, digest, verifier] = input.parts() else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let (number, verifier) = (key.index(keys.len()), verifier.index(keys.len()));
    let key = &keys[number];
    let ours = || {
        let request = Csr::builder()
            .subject(names::build(subject)?)
            .exts(certs::build_exts(exts)?)
            .sign(
                &key.private,
                Digest::by_name(digest.text()).unwrap_or_default(),
            )?;
        request.encode(Encoding::Der)
    };
    let ours = ours();
    let digest = (key.kind != Kind::Ed25519).then(|| digest.text());
    let arguments = tuple![subject.clone(), number, exts.clone(), digest];
    let theirs = trial.ask("make_request", arguments);
    match (key.kind, &ours, &theirs) {
        (Kind::Ec, Ok(ours), Ok(theirs)) => {
            let theirs = Value::from(signed_part(theirs.bytes()));
            trial.expect("what is signed", signed_part(ours).into(), Ok(theirs));
        }
        _ => {
            let ours = ours.as_deref().map(Value::from).map_err(Clone::clone);
            trial.compare("the request", ours, theirs.clone());
        }
    }
    let theirs = theirs.map(|der| der.bytes().to_vec()).ok();
    for der in theirs.into_iter().chain(ours.ok()) {
        read(&der, trial);
        let request = Csr::decode(Encoding::Der, &der).expect("it can be read");
        let ours = request.verify_with(&keys[verifier].public());
        let theirs = trial.ask("verify_request", tuple![der, verifier]);
        trial.compare("the signature", ours.map(|()| true.into()), theirs);
    }
}

/// Has both read a request.
fn read(der: &[u8], trial: &mut Trial<'_>) {
    let ours = Csr::decode(Encoding::Der, der).and_then(|request| describe(&request));
    let theirs = trial.ask("request", tuple![1_i64, der]);
    let fields = [
        "version",
        "subject",
        "public key",
        "extensions",
        "PEM",
        "text",
    ];
    trial.compare_fields(&fields, ours, theirs);
}

/// What both say of a request.
pub(crate) fn describe(request: &Csr) -> Result<Value, Error> {
    Ok(tuple![
        i64::from(request.version()),
        request.subject().to_der(),
        request.public_key()?.encode(Encoding::Der)?,
        exts::list(&request.extensions()?),
        request.encode(Encoding::Pem)?,
        request.to_text()?,
    ])
}
