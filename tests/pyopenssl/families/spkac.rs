//! Signed public keys: made, read and verified by both.

use greenling_tls::crypto::Digest;
use greenling_tls::crypto::legacy::Spkac;
use greenling_tls::{Encoding, Error};

use super::{certs, damage};
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "spkac",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    // The key, the digest, a challenge, which Python cannot set, who verifies it, and
    // what is damaged.
    let length = random.below(20);
    let challenge: String = (0..length).map(|_| random.of(b"aZ09 =/") as char).collect();
    tuple![
        random.below(6),
        certs::draw_digest(random),
        challenge,
        random.below(6),
        damage::draw(random),
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [key, digest, challenge, verifier, damage] = input.parts() else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let (number, verifier) = (key.index(keys.len()), verifier.index(keys.len()));
    let key = &keys[number];
    let damage = match key.kind {
        // The text is another one each time, and so would be what is damaged.
        Kind::Ec => &Value::Nothing,
        _ => damage,
    };
    let made = Digest::by_name(digest.text()).unwrap_or_default();
    let plain = Spkac::builder().sign(&key.private, made);
    let digest = (key.kind != Kind::Ed25519).then(|| digest.text());
    let theirs = trial.ask("make_spkac", tuple![number, digest]);
    match (key.kind, &plain, &theirs) {
        (Kind::Ec, Ok(_), Ok(_)) => {}
        _ => {
            let ours = plain.map(|spkac| spkac.to_base64().into());
            trial.compare("the text", ours, theirs.clone());
        }
    }
    let with_challenge = Spkac::builder()
        .challenge(challenge.text())
        .sign(&key.private, made)
        .map(|spkac| spkac.to_base64());
    let theirs = theirs.map(|text| text.text().to_owned()).ok();
    for text in theirs.into_iter().chain(with_challenge.ok()) {
        let text = damage::text(&text, damage);
        let spkac = Spkac::from_base64(&text);
        let described = spkac.as_ref().map_err(Error::clone).and_then(|spkac| {
            let public = spkac.public_key().encode(Encoding::Der)?;
            Ok(tuple![public, spkac.to_base64()])
        });
        let theirs = trial.ask("spkac", Value::from(text.as_str()));
        // What OpenSSL writes otherwise than it was had another form than DER.
        let is_plain = |fields: &Value| fields.parts()[1].bytes() == text.as_bytes();
        if theirs.as_ref().is_ok_and(|fields| !is_plain(fields)) {
            trial.compare("another form", described, theirs);
        } else {
            trial.compare_fields(&["public key", "base64"], described, theirs);
        }
        if let Ok(spkac) = spkac {
            let ours = spkac.verify(&keys[verifier].public());
            let theirs = trial.ask("verify_spkac", tuple![text, verifier]);
            trial.compare("the signature", ours.map(|()| true.into()), theirs);
        }
    }
}
