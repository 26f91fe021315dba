//! PKCS #7: of all kinds, made by either side or by hand; what pyOpenSSL tells of it,
//! the certificates in it, and its signatures.

use greenling_tls::crypto::{Cert, Pkcs7, Pkcs7Flags};
use greenling_tls::{Encoding, Error};

use super::{damage, encoding};
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, from_hex, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "pkcs7",
    draw,
    check,
};

/// The least of each kind (RFC 2315), and of one that there is not, in DER form.
const LEAST: &[&str] = &[
    // data: the text "a"
    "300e06092a864886f70d010701a0030401 61",
    // signedData: without signers and certificates
    "302306092a864886f70d010702a0163014020101310 0300b06092a864886f70d0107013100",
    // envelopedData: without recipients
    "303c06092a864886f70d010703a02f302d0201003100302606092a864886f70d010701301906096086480165030401020a0a",
    // a kind of somebody's own
    "300b06042a030405a003040161",
    // data that is elsewhere
    "300b06092a864886f70d010701",
    // an empty sequence
    "3000",
];

fn draw(random: &mut Random) -> Value {
    let length = random.below(40);
    let content = match random.one_in(2) {
        true => random.bytes(length),
        false => random.text(length).into_bytes(),
    };
    let certs: Vec<Value> = (0..random.below(3)).map(Value::from).collect();
    // How it is made, whose it is, other certificates, the content, whether that is
    // elsewhere, PEM or DER form, and what is damaged.
    tuple![
        random.below(6),
        random.below(5),
        certs,
        content,
        random.one_in(2),
        random.below(2),
        damage::draw(random),
    ]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [way, number, certs, content, is_detached, form, damage] = input.parts() else {
        unreachable!("{input:?}");
    };
    let keys = trial.keys().modern();
    let number = number.index(keys.len());
    let key = &keys[number];
    let encoding = encoding(form);
    let form = i64::from(encoding == Encoding::Der);
    let cert = Cert::decode(Encoding::Der, &key.certificate).expect("a certificate");
    let mut ders: Vec<Value> = Vec::new();
    for one in certs.parts() {
        let der = Value::from(keys[one.index(keys.len())].certificate.as_slice());
        if !ders.contains(&der) {
            ders.push(der);
        }
    }
    let chain = ders
        .iter()
        .map(|der| Cert::decode(Encoding::Der, der.bytes()));
    let chain: Vec<Cert> = chain.collect::<Result<_, _>>().expect("certificates");
    let content = content.bytes();
    match way.index(6) {
        0 if key.kind != Kind::Ed25519 => {
            let mut flags = Pkcs7Flags::default();
            if is_detached.is_true() {
                flags |= Pkcs7Flags::DETACHED;
            }
            let signed = Pkcs7::sign(&cert, &key.private, &chain, content, flags);
            let bytes = signed.expect("a signature").encode(encoding);
            let elsewhere = is_detached.is_true().then_some(content);
            read(&bytes, form, trial);
            verify(&bytes, form, elsewhere, trial);
            verify(
                &bytes,
                form,
                is_detached.is_true().then_some(b"other"),
                trial,
            );
        }
        1 if key.kind != Kind::Ed25519 => {
            let arguments = tuple![
                key.certificate.as_slice(),
                number,
                content,
                is_detached.clone(),
                form,
            ];
            let bytes = trial.ask("make_pkcs7", arguments).expect("a signature");
            read(bytes.bytes(), form, trial);
            let elsewhere = is_detached.is_true().then_some(content);
            verify(bytes.bytes(), form, elsewhere, trial);
        }
        2 => {
            let bundle = Pkcs7::certs_only(&chain, &[]).expect("a bundle");
            let bytes = damage::bytes(&bundle.encode(encoding), damage);
            read(&bytes, form, trial);
        }
        3 if !ders.is_empty() => {
            let bytes = trial
                .ask("pkcs7_certs", tuple![ders, form])
                .expect("a bundle");
            read(&damage::bytes(bytes.bytes(), damage), form, trial);
        }
        4 => {
            let rsa = &keys[0].certificate;
            let rsa = Cert::decode(Encoding::Der, rsa).expect("a certificate");
            let sealed = Pkcs7::encrypt(&[rsa], content).expect("it is encrypted");
            read(&sealed.encode(encoding), form, trial);
        }
        _ => {
            let least = LEAST[number % LEAST.len()].replace(' ', "");
            read(&damage::bytes(&from_hex(&least), damage), 1, trial);
        }
    }
}

/// Has both say what it is and which certificates are in it.
fn read(bytes: &[u8], form: i64, trial: &mut Trial<'_>) {
    let encoding = [Encoding::Pem, Encoding::Der][form as usize];
    let read = Pkcs7::decode(encoding, bytes);
    let ours = read.clone().map(|found| {
        tuple![
            found.type_name(),
            found.is_signed(),
            found.is_enveloped(),
            found.is_signed_and_enveloped(),
            found.is_data(),
        ]
    });
    let theirs = trial.ask("load_pkcs7", tuple![form, bytes]);
    let fields = [
        "type",
        "signed",
        "enveloped",
        "signed and enveloped",
        "data",
    ];
    trial.compare_fields(&fields, ours, theirs);
    let Ok(read) = read else {
        return;
    };
    let ours = read.certificates();
    let ours = ours
        .iter()
        .map(|cert| cert.encode(Encoding::Der).map(Value::from));
    let ours: Result<Vec<Value>, Error> = ours.collect();
    if let Ok(theirs) = trial.ask("pkcs7_read_certs", tuple![form, bytes]) {
        trial.compare("certificates", ours.map(Value::from), Ok(theirs));
    }
}

fn verify(bytes: &[u8], form: i64, content: Option<&[u8]>, trial: &mut Trial<'_>) {
    let encoding = [Encoding::Pem, Encoding::Der][form as usize];
    let ours = Pkcs7::decode(encoding, bytes)
        .and_then(|signed| signed.dangerous_verify_signatures(&[], content, Pkcs7Flags::default()));
    let theirs = trial.ask("verify_pkcs7", tuple![form, bytes, content]);
    trial.compare("the signature", ours.map(Value::from), theirs);
}
