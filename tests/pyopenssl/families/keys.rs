//! Keys: written by one side, with a passphrase or without, and read by the other.

use greenling_tls::crypto::{KeyCipher, Passphrase, PrivateKey, Protect, PublicKey};
use greenling_tls::{Encoding, Error};

use super::encoding;
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, NO_PASSPHRASE, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "keys",
    draw,
    check,
};

const CIPHERS: [(&str, KeyCipher); 4] = [
    ("aes-128-cbc", KeyCipher::Aes128Cbc),
    ("aes-192-cbc", KeyCipher::Aes192Cbc),
    ("aes-256-cbc", KeyCipher::Aes256Cbc),
    ("des-ede3-cbc", KeyCipher::DesEde3Cbc),
];

fn draw(random: &mut Random) -> Value {
    let cipher = random.below(CIPHERS.len());
    let passphrase = passphrase(random);
    let attempt = match random.below(4) {
        0 => Value::Nothing,
        1 => random.up_to(8, |random| random.below(256) as u8).into(),
        _ => Value::from(passphrase.as_slice()),
    };
    // A key, in the clear or encrypted, in the traditional form, in PEM or DER form.
    tuple![
        random.below(7),
        random.one_in(3),
        random.below(2),
        random.below(2),
        cipher,
        passphrase,
        attempt,
    ]
}

/// Most are what people choose.
pub(crate) fn passphrase(random: &mut Random) -> Vec<u8> {
    let length = match random.below(16) {
        0 => 0,
        1 => 1020 + random.below(8),
        _ => 1 + random.below(20),
    };
    match random.one_in(4) {
        true => random.bytes(length),
        false => random.text(length).into_bytes(),
    }
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [key, plain, traditional, form, cipher, passphrase, attempt] = input.parts() else {
        unreachable!("{input:?}");
    };
    let number = key.index(trial.keys().all().len());
    match plain.is_true() {
        true => plain_forms(number, trial),
        false => {
            let cipher = &CIPHERS[cipher.index(CIPHERS.len())];
            theirs_to_ours(number, cipher, passphrase, attempt, trial);
            let forms = (traditional.is_true(), encoding(form));
            ours_to_theirs(number, forms, cipher, passphrase, attempt, trial);
        }
    }
}

/// Without a passphrase there is one form of each, byte by byte.
fn plain_forms(number: usize, trial: &mut Trial<'_>) {
    let key = &trial.keys().all()[number];
    let public = key.public();
    let ours = || {
        let pem = key.private.encode(Encoding::Pem, None)?;
        // What has no traditional form has that of PKCS #8 in its place.
        let der = match key.kind {
            Kind::Ed25519 => key.private.encode(Encoding::Der, None)?,
            _ => key.private.encode_traditional(Encoding::Der, None)?,
        };
        Ok(tuple![
            pem.to_vec(),
            der.to_vec(),
            public.encode(Encoding::Pem)?,
            public.encode(Encoding::Der)?,
            key.private.bits(),
        ])
    };
    let fields = ["PEM", "DER", "public PEM", "public DER", "bits"];
    let theirs = trial.ask("key_forms", Value::from(number));
    trial.compare_fields(&fields, ours(), theirs);
    if let Ok(pem) = public.encode(Encoding::Pem) {
        let theirs = trial.ask("public_key", tuple![0_i64, pem.as_slice()]);
        let ours = PublicKey::decode(Encoding::Pem, &pem).and_then(|public| {
            let der = public.encode(Encoding::Der)?;
            Ok(tuple![der, public.bits()])
        });
        trial.compare("the public key read again", ours, theirs);
    }
}

/// What both read of a private key.
fn public_half(key: &PrivateKey) -> Result<Value, Error> {
    key.public_key().encode(Encoding::Der).map(Value::from)
}

fn theirs_to_ours(
    number: usize,
    cipher: &(&str, KeyCipher),
    passphrase: &Value,
    attempt: &Value,
    trial: &mut Trial<'_>,
) {
    let key = &trial.keys().all()[number];
    let written = trial.ask("make_key_pem", tuple![number, cipher.0, passphrase.clone()]);
    let protect = Protect::new(passphrase.bytes())
        .cipher(cipher.1)
        .iterations(1);
    let ours = key.private.encode(Encoding::Pem, Some(&protect));
    // Salt makes them differ, so it is only compared that there is one.
    let done = Value::from(true);
    let theirs = written.clone().map(|_| done.clone());
    trial.compare("writing", ours.map(|_| done), theirs);
    let Ok(written) = written else {
        return;
    };
    let ours = |attempt: &Value| {
        let passphrase = Passphrase::from(attempt.some().map(Value::bytes));
        let key = PrivateKey::decode(Encoding::Pem, written.bytes(), passphrase)?;
        public_half(&key)
    };
    let right = ours(passphrase);
    if let Ok(expected) = public_half(&key.private) {
        trial.compare("theirs with its passphrase", right, Ok(expected));
    }
    let theirs = match attempt.some() {
        None => Err(NO_PASSPHRASE.to_owned()),
        Some(attempt) => trial
            .ask("key", tuple![0_i64, written.clone(), attempt.clone()])
            .map(|fields| fields.parts()[0].clone()),
    };
    trial.compare("theirs with another passphrase", ours(attempt), theirs);
}

fn ours_to_theirs(
    number: usize,
    (traditional, encoding): (bool, Encoding),
    cipher: &(&str, KeyCipher),
    passphrase: &Value,
    attempt: &Value,
    trial: &mut Trial<'_>,
) {
    let key = &trial.keys().all()[number];
    let protect = Protect::new(passphrase.bytes())
        .cipher(cipher.1)
        .iterations(1 + number as u32);
    let written = match traditional && key.kind != Kind::Ed25519 {
        true => key
            .private
            .encode_traditional(Encoding::Pem, Some(&protect)),
        false => key.private.encode(Encoding::Pem, Some(&protect)),
    };
    let Ok(written) = written else {
        return;
    };
    let expected = public_half(&key.private);
    let theirs = trial.ask(
        "key_by_callback",
        tuple![written.to_vec(), passphrase.clone()],
    );
    trial.compare("ours with its passphrase", expected, theirs);
    let ours = PrivateKey::decode(Encoding::Pem, &written, attempt.bytes());
    let ours = ours.and_then(|key| public_half(&key));
    let theirs = trial.ask("key_by_callback", tuple![written.to_vec(), attempt.bytes()]);
    trial.compare("ours with another passphrase", ours, theirs);
    // pyOpenSSL reads nothing that is encrypted in DER form; the program does.
    let plain = key
        .private
        .encode(encoding, None)
        .expect("a key is written");
    let form = i64::from(encoding == Encoding::Der);
    let theirs = trial.ask("key", tuple![form, plain.to_vec(), Value::Nothing]);
    let theirs = theirs.map(|fields| fields.parts()[0].clone());
    trial.compare("ours in the clear", public_half(&key.private), theirs);
}
