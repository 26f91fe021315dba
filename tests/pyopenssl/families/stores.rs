//! Chains that are judged: the path that is found, or the code and place of the fault.

use greenling_tls::crypto::{
    Cert, Crl, Digest, Ext, ExtContext, Serial, Timestamp, TrustStore, VerifyFlags,
};
use greenling_tls::{Encoding, Error};

use super::certs::asn1_time;
use crate::keys::Kind;
use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "stores",
    draw,
    check,
};

/// The present of these chains.
const NOW: i64 = 1_800_000_000;

const CRL_CHECK: u32 = 0x4;

/// OpenSSL's numbers for what both can ask for.
const FLAGS: &[u32] = &[
    CRL_CHECK,
    CRL_CHECK | 0x8, // CRL_CHECK_ALL, which means nothing by itself
    0x10,            // IGNORE_CRITICAL
    0x20,            // X509_STRICT
    0x80,            // POLICY_CHECK
    0x180,           // EXPLICIT_POLICY
    0x4000,          // CHECK_SS_SIGNATURE
    0x8_0000,        // PARTIAL_CHAIN
];

/// What certificates may have of each: good for an authority first.
const CONSTRAINTS: &[&str] = &["CA:TRUE", "CA:TRUE,pathlen:0", "CA:FALSE", ""];
const USAGES: &[&str] = &["keyCertSign,cRLSign", "keyCertSign", "digitalSignature", ""];
const OTHERS: &[(&str, &str)] = &[
    ("1.2.3.4.5", "DER:0500"),
    ("nameConstraints", "permitted;DNS:a.example"),
    ("nameConstraints", "excluded;DNS:a.example"),
    ("subjectAltName", "DNS:www.a.example"),
    ("certificatePolicies", "DER:3007300506032a0304"),
    ("extendedKeyUsage", "clientAuth"),
    ("policyConstraints", "requireExplicitPolicy:0"),
];

fn draw(random: &mut Random) -> Value {
    let count = 1 + random.below(4);
    // The leaf first, the root last.
    let certs: Vec<Value> = (0..count).map(|_| draw_cert(random)).collect();
    let mut flags = 0;
    for _ in 0..random.below(3) {
        flags |= random.of(FLAGS);
    }
    let lists: Vec<Value> = match flags & CRL_CHECK {
        0 => Vec::new(),
        _ => (0..count).map(|_| draw_list(random)).collect(),
    };
    // Which of them are trusted, and which are handed in; mostly as it should be.
    let trusted = match random.one_in(4) {
        true => random.below(16),
        false => 1 << (count - 1),
    };
    let given = match random.one_in(4) {
        true => random.below(16),
        false => 15,
    };
    tuple![certs, Value::Tuple(lists), trusted, given, flags]
}

fn draw_cert(random: &mut Random) -> Value {
    let mut rarely = |choices: usize| match random.one_in(8) {
        true => random.below(choices),
        false => 0,
    };
    let constraints = rarely(CONSTRAINTS.len());
    let usages = rarely(USAGES.len());
    // When it is valid: now, not any more, not yet.
    let time = rarely(3);
    // By which key it is signed: the issuer's, or the next in the list.
    let signer = rarely(2);
    let others = rarely(3);
    let others = random_others(random, others);
    tuple![constraints, usages, time, signer, others, random.below(6)]
}

fn random_others(random: &mut Random, count: usize) -> Vec<Value> {
    (0..count)
        .map(|_| tuple![random.below(OTHERS.len()), random.one_in(2)])
        .collect()
}

/// Nothing, or a list: who is on it, when it is in force, who has signed.
fn draw_list(random: &mut Random) -> Value {
    match random.one_in(4) {
        true => Value::Nothing,
        false => tuple![
            random.one_in(4),
            random.of(&[0_i64, 0, 0, 0, 1, 2]),
            random.one_in(8),
        ],
    }
}

fn period(which: &Value) -> (i64, i64) {
    match which.number() {
        1 => (NOW - 2000, NOW - 1000),
        2 => (NOW + 1000, NOW + 2000),
        _ => (NOW - 1000, NOW + 1000),
    }
}

fn issue(
    certs: &[Value],
    at: usize,
    trial: &Trial<'_>,
    issuer: Option<&Cert>,
) -> Result<Cert, Error> {
    let [constraints, usages, time, signer, others, key] = certs[at].parts() else {
        unreachable!("{:?}", certs[at]);
    };
    let keys = trial.keys().modern();
    let issuer_key = certs.get(at + 1).map_or(key, |above| &above.parts()[5]);
    let signer = issuer_key.index(keys.len()) + signer.index(2);
    let (begin, end) = period(time);
    let name = |at: usize| format!("/CN=certificate {at}").parse();
    let own = keys[key.index(keys.len())].public();
    let mut exts = vec![Ext::subject_key_id(&own)?];
    let conf = |name: &str, critical: bool, text: &str| {
        Ext::parse_conf(name, critical, text, &ExtContext::new())
    };
    if let Some(issuer) = issuer {
        exts.push(Ext::authority_key_id(issuer)?);
    }
    let constraints = CONSTRAINTS[constraints.index(CONSTRAINTS.len())];
    if at > 0 && !constraints.is_empty() {
        exts.push(conf("basicConstraints", true, constraints)?);
        let usages = USAGES[usages.index(USAGES.len())];
        if !usages.is_empty() {
            exts.push(conf("keyUsage", true, usages)?);
        }
    }
    for other in others.parts() {
        let [which, critical] = other.parts() else {
            unreachable!("{other:?}");
        };
        let (name, text) = OTHERS[which.index(OTHERS.len())];
        exts.push(conf(name, critical.is_true(), text)?);
    }
    Cert::builder()
        .subject(name(at)?)
        .issuer(name((at + 1).min(certs.len() - 1))?)
        .serial(Serial::from(1 + at as u64))
        .public_key(&own)
        .not_before(Timestamp::from_unix(begin))
        .not_after(Timestamp::from_unix(end))
        .exts(exts)
        .sign(&keys[signer % keys.len()].private, Digest::Sha256)
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [specs, lists, trusted, given, flags] = input.parts() else {
        unreachable!("{input:?}");
    };
    let specs = specs.parts();
    let mut certs: Vec<Cert> = Vec::new();
    for at in (0..specs.len()).rev() {
        let cert = issue(specs, at, trial, certs.first()).expect("a certificate");
        certs.insert(0, cert);
    }
    let Some(leaf) = certs.first() else {
        return;
    };
    let crls = revocation_lists(specs, lists, &certs, trial);
    let is_in = |set: &Value, at: usize| set.number() >> at & 1 == 1;
    let pick = |set: &Value| {
        let found = certs.iter().enumerate().filter(|(at, _)| is_in(set, *at));
        found.map(|(_, cert)| cert.clone()).collect::<Vec<Cert>>()
    };
    let (trusted, given) = (pick(trusted), pick(given));
    let flags = flags.number() as u32;
    let ours = || {
        let mut builder = TrustStore::builder()
            .add_certs(trusted.clone())
            .flags(VerifyFlags::from_bits(flags));
        for crl in &crls {
            builder = builder.add_crl(Crl::decode(Encoding::Der, crl.bytes())?);
        }
        let path = builder
            .build()?
            .verify(leaf, &given, Timestamp::from_unix(NOW));
        match path {
            Ok(path) => Ok(tuple![0_i64, ders(&path)]),
            Err(Error::Certificate(why)) => {
                let depth = why.depth().map(i64::from);
                Ok(tuple![i64::from(why.code()), depth])
            }
            Err(error) => Err(error),
        }
    };
    let ours = ours();
    let arguments = tuple![
        ders(&trusted),
        crls,
        flags,
        NOW,
        leaf.encode(Encoding::Der).expect("DER"),
        ders(&given),
    ];
    let theirs = trial.ask("verify_chain", arguments);
    trial.compare_fields(&["code", "path or place"], ours, theirs);
}

/// Made by Python, since there pyOpenSSL has no say.
fn revocation_lists(
    specs: &[Value],
    lists: &Value,
    certs: &[Cert],
    trial: &mut Trial<'_>,
) -> Vec<Value> {
    let keys = trial.keys().modern();
    let mut made = Vec::new();
    for (at, cert) in certs.iter().enumerate().skip(1) {
        let Some([listed, time, wrong]) = lists.parts().get(at).map(Value::parts) else {
            continue;
        };
        let key = specs[at].parts()[5].index(keys.len()) + usize::from(wrong.is_true());
        let key = key % keys.len();
        let (begin, end) = period(time);
        let revoked = match listed.is_true() {
            true => vec![tuple![
                format!("{at:02x}"),
                asn1_time(NOW - 5000),
                Value::Nothing
            ]],
            false => Vec::new(),
        };
        let digest = (keys[key].kind != Kind::Ed25519).then_some("sha256");
        let issuer = cert.encode(Encoding::Der).expect("DER");
        let arguments = tuple![
            issuer,
            key,
            asn1_time(begin),
            asn1_time(end),
            revoked,
            digest,
        ];
        made.push(trial.ask("make_crl", arguments).expect("a list"));
    }
    made
}

fn ders(certs: &[Cert]) -> Vec<Value> {
    let der = |cert: &Cert| cert.encode(Encoding::Der).expect("DER").into();
    certs.iter().map(der).collect()
}
