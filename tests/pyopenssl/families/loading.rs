//! Damaged objects: both read them, to the same, or both refuse.

use greenling_tls::crypto::{Cert, Csr, Passphrase, PrivateKey, PublicKey};
use greenling_tls::{Encoding, Error};

use super::{certs, damage, encoding, requests};
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "loading",
    draw,
    check,
};

/// Those of which a request has the same signature each time.
const KEYS: [usize; 3] = [0, 1, 5];

fn draw(random: &mut Random) -> Value {
    // What it is, of which key, in PEM or DER form, and what is damaged.
    tuple![
        random.below(4),
        random.below(KEYS.len()),
        random.below(2),
        damage::draw(random),
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [kind, key, form, damage] = input.parts() else {
        unreachable!("{input:?}");
    };
    let key = &trial.keys().all()[KEYS[key.index(KEYS.len())]];
    let encoding = encoding(form);
    let whole = |kind: usize| match kind {
        0 => Cert::decode(Encoding::Der, &key.certificate)?.encode(encoding),
        1 => Csr::builder()
            .sign(&key.private, Default::default())?
            .encode(encoding),
        2 => Ok(key.private.encode(encoding, None)?.to_vec()),
        _ => key.public().encode(encoding),
    };
    let kind = kind.index(4);
    let bytes = damage::bytes(&whole(kind).expect("it is written"), damage);
    let (operation, ours) = match kind {
        0 => ("cert", read_cert(encoding, &bytes)),
        1 => ("request", read_request(encoding, &bytes)),
        2 => ("key", read_key(encoding, &bytes)),
        _ => ("public_key", read_public(encoding, &bytes)),
    };
    let mut arguments = vec![Value::from(encoding == Encoding::Der), bytes.into()];
    if kind == 2 {
        // Python has one, so that nothing asks on the terminal.
        arguments.push(match encoding {
            Encoding::Pem => "".into(),
            Encoding::Der => Value::Nothing,
        });
    }
    let theirs = trial.ask(operation, Value::Tuple(arguments));
    let theirs = match kind {
        2 => theirs.map(|fields| Value::List(fields.parts()[..2].to_vec())),
        _ => theirs,
    };
    trial.compare(operation, ours, theirs);
}

fn read_cert(encoding: Encoding, bytes: &[u8]) -> Result<Value, Error> {
    certs::describe(&Cert::decode(encoding, bytes)?)
}

fn read_request(encoding: Encoding, bytes: &[u8]) -> Result<Value, Error> {
    requests::describe(&Csr::decode(encoding, bytes)?)
}

fn read_key(encoding: Encoding, bytes: &[u8]) -> Result<Value, Error> {
    let key = PrivateKey::decode(encoding, bytes, Passphrase::None)?;
    Ok(tuple![key.public_key().encode(Encoding::Der)?, key.bits()])
}

fn read_public(encoding: Encoding, bytes: &[u8]) -> Result<Value, Error> {
    let key = PublicKey::decode(encoding, bytes)?;
    Ok(tuple![key.encode(Encoding::Der)?, key.bits()])
}
