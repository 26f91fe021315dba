//! PKCS #12: each opens what the other has packed, and finds the same in it.

use greenling_tls::crypto::{Cert, Passphrase, Pkcs12};
use greenling_tls::{Encoding, Error};

use super::keys::passphrase;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "pkcs12",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    let password: Value = match random.one_in(8) {
        true => Value::Nothing,
        false => passphrase(random).into(),
    };
    let attempt = match random.one_in(3) {
        true => passphrase(random).into(),
        false => password.clone(),
    };
    let has = |random: &mut Random| Value::from(!random.one_in(6));
    let chain = random.up_to(3, |random| Value::from(random.below(6)));
    let name = random.one_in(2).then(|| {
        let length = random.below(20);
        random.text(length)
    });
    // Whose it is, whether the certificate and the key are in it, other certificates,
    // the name for people, the passphrase, rounds of hashing, and the
    // passphrase to open it with.
    tuple![
        random.below(6),
        has(random),
        has(random),
        chain,
        name,
        password,
        1 + random.below(50),
        attempt,
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [
        number,
        has_cert,
        has_key,
        chain,
        name,
        password,
        rounds,
        attempt,
    ] = input.parts()
    else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let number = number.index(keys.len());
    let key = &keys[number];
    let rounds = rounds.number().max(1);
    let ders = chain
        .parts()
        .iter()
        .map(|one| &keys[one.index(keys.len())].certificate);
    let ders: Vec<Value> = ders.map(|der| der.as_slice().into()).collect();
    let cert = Cert::decode(Encoding::Der, &key.certificate).expect("a certificate");
    let theirs = trial.ask(
        "make_pkcs12",
        tuple![
            has_cert.is_true().then_some(key.certificate.as_slice()),
            has_key.is_true().then_some(number),
            ders.clone(),
            name.clone(),
            password.clone(),
            rounds,
        ],
    );
    let ours = || {
        let mut builder = Pkcs12::builder().iterations(rounds as u32);
        if has_cert.is_true() {
            builder = builder.cert(&cert);
        }
        if has_key.is_true() {
            builder = builder.key(&key.private);
        }
        if let Some(name) = name.some() {
            builder = builder.friendly_name(name.text());
        }
        let ders = ders
            .iter()
            .map(|der| Cert::decode(Encoding::Der, der.bytes()));
        builder
            .ca(ders.collect::<Result<Vec<_>, _>>()?)
            .build(passphrase_of(password))
    };
    let ours = ours();
    let done = Value::from(true);
    trial.compare(
        "packing",
        ours.as_ref().map(|_| done.clone()).map_err(Clone::clone),
        theirs.as_ref().map(|_| done).map_err(Clone::clone),
    );
    if let Ok(theirs) = theirs {
        open(theirs.bytes(), password, ["theirs", "theirs opened"], trial);
        open(
            theirs.bytes(),
            attempt,
            ["theirs otherwise", "theirs opened otherwise"],
            trial,
        );
    }
    if let Ok(ours) = ours {
        open(&ours, password, ["ours", "ours opened"], trial);
        open(
            &ours,
            attempt,
            ["ours otherwise", "ours opened otherwise"],
            trial,
        );
    }
}

fn passphrase_of(value: &Value) -> Passphrase<'_> {
    Passphrase::from(value.some().map(Value::bytes))
}

fn open(der: &[u8], password: &Value, [what, _]: [&'static str; 2], trial: &mut Trial<'_>) {
    let ours = Pkcs12::open(der, passphrase_of(password)).and_then(describe);
    let theirs = trial.ask("pkcs12", tuple![der, password.clone()]);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let fields = ["certificate", "key", "others", "name"];
            trial.compare_fields(&fields, Ok(ours), Ok(theirs));
        }
        (ours, theirs) => {
            trial.compare(what, ours, theirs);
        }
    }
}

fn describe(archive: Pkcs12) -> Result<Value, Error> {
    let der = |cert: &Cert| cert.encode(Encoding::Der);
    let others = archive.ca.iter().map(der).collect::<Result<Vec<_>, _>>()?;
    let others: Vec<Value> = others.into_iter().map(Value::from).collect();
    let key = archive
        .key
        .map(|key| key.public_key().encode(Encoding::Der));
    Ok(tuple![
        archive.cert.as_ref().map(der).transpose()?,
        key.transpose()?,
        others,
        archive.friendly_name,
    ])
}
