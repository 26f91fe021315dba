//! Extensions by their text form: value, printed form, whether they are critical.

use greenling_tls::Encoding;
use greenling_tls::crypto::{Cert, Ext, ExtContext};

use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "exts",
    draw,
    check,
};

/// What stands in a certificate of its own accord: parts to put together.
const NAMES: &[&str] = &[
    "DNS:a.example",
    "DNS:*.b.example",
    "DNS:",
    "DNS:xn--bcher-kva.example",
    "DNS:a b",
    "IP:127.0.0.1",
    "IP:::1",
    "IP:1.2.3",
    "IP:2001:db8::5",
    "email:a@b.example",
    "email:copy",
    "email:move",
    "URI:http://a.example/?b",
    "RID:1.2.3.4",
    "RID:1.2.999999999999",
    "otherName:1.2.3;UTF8:text",
    "otherName:1.2.3;nonsense",
    "dirName:section",
    "X:y",
    "DNS",
    "issuer:copy",
    "DNS:ä.example",
    "DNS:a.example;b",
    " DNS : spaced ",
    "URI:a=b",
];
const USAGES: &[&str] = &[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
    "Digital Signature",
    "digitalsignature",
    "nonsense",
    "",
];
const PURPOSES: &[&str] = &[
    "serverAuth",
    "clientAuth",
    "codeSigning",
    "emailProtection",
    "timeStamping",
    "OCSPSigning",
    "1.2.3.4",
    "anyExtendedKeyUsage",
    "msCodeInd",
    "nonsense",
    "TLS Web Server Authentication",
];
const CONSTRAINTS: &[&str] = &[
    "CA:TRUE",
    "CA:FALSE",
    "CA:true",
    "CA:yes",
    "CA:maybe",
    "pathlen:0",
    "pathlen:7",
    "pathlen:-1",
    "pathlen:300",
    "pathlen:x",
    "pathlen:99999999999",
    "CA",
    "other:1",
];
const SUBJECT_KEY: &[&str] = &["hash", "01:02:03", "0102", "none", "xyz", "", "01:0"];
const AUTHORITY_KEY: &[&str] = &[
    "keyid",
    "keyid:always",
    "issuer",
    "issuer:always",
    "keyid:never",
    "none",
    "nonsense",
];
const SUBTREES: &[&str] = &[
    "permitted;DNS:.a.example",
    "excluded;IP:10.0.0.0/255.0.0.0",
    "permitted;email:a.example",
    "excluded;DNS:",
    "permitted;IP:10.0.0.0",
    "other;DNS:a",
    "permitted;URI:.b.example",
];
const POINTS: &[&str] = &[
    "URI:http://a.example/crl",
    "URI:ldap://b.example",
    "DNS:c.example",
    "fullname:section",
    "nonsense",
];
const ACCESS: &[&str] = &[
    "OCSP;URI:http://ocsp.example/",
    "caIssuers;URI:http://ca.example/",
    "1.2.3;DNS:a.example",
    "OCSP;nonsense",
    "nonsense;URI:a",
    "OCSP",
];
const POLICIES: &[&str] = &[
    "1.2.3.4",
    "2.5.29.32.0",
    "anyPolicy",
    "nonsense",
    "@section",
    "1.3.6.1.4.1.1",
];
const FEATURES: &[&str] = &[
    "status_request",
    "status_request_v2",
    "5",
    "17",
    "65536",
    "nonsense",
];
const NUMBERS: &[&str] = &["0", "1", "-1", "0x10", "18446744073709551616", "", "x"];
const RAW: &[&str] = &[
    "DER:0500",
    "DER:05:00",
    "DER:050",
    "DER:",
    "ASN1:UTF8String:text",
    "ASN1:NULL",
    "ASN1:INTEGER:5",
    "ASN1:nonsense",
    "ASN1:SEQUENCE:none",
    "nonsense",
    "DER:3003020105",
];

const KINDS: &[(&str, &[&str])] = &[
    ("subjectAltName", NAMES),
    ("subjectAltName", NAMES),
    ("issuerAltName", NAMES),
    ("keyUsage", USAGES),
    ("extendedKeyUsage", PURPOSES),
    ("basicConstraints", CONSTRAINTS),
    ("subjectKeyIdentifier", SUBJECT_KEY),
    ("authorityKeyIdentifier", AUTHORITY_KEY),
    ("nameConstraints", SUBTREES),
    ("crlDistributionPoints", POINTS),
    ("authorityInfoAccess", ACCESS),
    ("certificatePolicies", POLICIES),
    ("tlsfeature", FEATURES),
    ("inhibitAnyPolicy", NUMBERS),
    ("nsComment", &["a comment", "ä", "a, b", ""]),
    ("nsCertType", &["client", "server", "sslCA", "nonsense"]),
    ("noCheck", &["", "ignored"]),
    ("1.2.3.4.5", RAW),
    ("2.5.29.17", RAW),
    ("subjectAltName", RAW),
    ("keyUsage", RAW),
    ("X509v3 Key Usage", USAGES),
    ("nonsense", RAW),
    ("", USAGES),
];

/// An extension: its name, whether it is critical, and its text form.
pub(crate) fn draw_ext(random: &mut Random) -> Value {
    let (name, parts) = random.of(KINDS);
    let count = match random.one_in(8) {
        true => 0,
        false => 1 + random.below(3),
    };
    let parts: Vec<&str> = (0..count).map(|_| random.of(parts)).collect();
    let mut text = parts.join(random.of(&[",", ", ", ","]));
    if random.one_in(16) {
        let length = random.below(10);
        text.push_str(&random.text(length));
    }
    tuple![name, random.one_in(2), text]
}

fn draw(random: &mut Random) -> Value {
    let other = |random: &mut Random| match random.one_in(2) {
        true => Value::Nothing,
        false => random.below(6).into(),
    };
    let (subject, issuer) = (other(random), other(random));
    tuple![draw_ext(random), subject, issuer]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [ext, subject, issuer] = input.parts() else {
        unreachable!("{input:?}");
    };
    let [name, critical, text] = ext.parts() else {
        unreachable!("{ext:?}");
    };
    let certificate = |number: &Value| {
        let keys = trial.keys().modern();
        let key = &keys[number.some()?.index(keys.len())];
        Some(Cert::decode(Encoding::Der, &key.certificate).expect("a certificate"))
    };
    let (subject, issuer) = (certificate(subject), certificate(issuer));
    let mut context = ExtContext::new();
    if let Some(subject) = &subject {
        context = context.subject(subject);
    }
    if let Some(issuer) = &issuer {
        context = context.issuer(issuer);
    }
    let ours =
        Ext::parse_conf(name.text(), critical.is_true(), text.text(), &context).and_then(|ext| {
            let mut fields = describe(&ext);
            fields.push(ext.to_text()?.into());
            Ok(fields.into())
        });
    let der =
        |certificate: Option<Cert>| certificate.map(|one| one.encode(Encoding::Der).expect("DER"));
    let arguments = tuple![
        name.clone(),
        critical.clone(),
        text.clone(),
        der(subject),
        der(issuer),
    ];
    let theirs = trial.ask("ext", arguments);
    trial.compare_fields(&["name", "critical", "value", "text"], ours, theirs);
}

/// What both say of an extension, but for its text.
fn describe(ext: &Ext) -> Vec<Value> {
    vec![
        ext.short_name().into(),
        ext.is_critical().into(),
        ext.value().into(),
    ]
}

/// What pyOpenSSL calls all that OpenSSL has no name for.
const UNKNOWN: &str = "UNDEF";

/// What both say of extensions.
pub(crate) fn list(exts: &[Ext]) -> Vec<Value> {
    let described = exts.iter().map(|ext| {
        let mut fields = describe(ext);
        if ext.oid().short_name().is_none() {
            fields[0] = UNKNOWN.into();
        }
        fields.into()
    });
    described.collect()
}
