//! Lists of revoked certificates: what `openssl crl` and python3-openssl see in ours,
//! and what we see in theirs.

use std::time::Duration;

use greenling_tls::ConfigErrorKind;
use greenling_tls::crypto::{
    BasicConstraints, Cert, Crl, CrlBuilder, Curve, Digest, Encoding, Ext, KeyAlg, Name,
    PrivateKey, Revoked, RevokedReason, Serial, Timestamp, TrustStore, VerifyFlags, VerifyOptions,
};
use greenling_tls::{Error, Purpose};

use crate::support::{hex, kind, openssl, openssl_text, python, unhex};

/// 2027-01-15T08:00:00Z
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// An authority whose certificates are valid for a year around [`NOW`].
struct Authority {
    certificate: Cert,
    key: PrivateKey,
}

impl Authority {
    fn new(algorithm: KeyAlg) -> Authority {
        let key = PrivateKey::generate(algorithm).unwrap();
        let certificate = Cert::builder()
            .subject("/O=Lists/CN=root".parse().unwrap())
            .valid_for(NOW - WEEK * 26, WEEK * 52)
            .ext(Ext::basic_constraints(BasicConstraints::AUTHORITY).unwrap())
            .ext(Ext::subject_key_id(&key.public_key()).unwrap())
            .sign(&key, Digest::Sha256)
            .unwrap();
        Authority { certificate, key }
    }

    fn issue(&self) -> Cert {
        let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
        Cert::builder()
            .subject("/CN=leaf".parse().unwrap())
            .public_key(&key.public_key())
            .valid_for(NOW - WEEK * 26, WEEK * 52)
            .issued_by(&self.certificate)
            .sign(&self.key, Digest::Sha256)
            .unwrap()
    }

    fn list(&self) -> CrlBuilder {
        Crl::builder()
            .issued_by(&self.certificate)
            .last_update(NOW)
            .next_update(NOW + WEEK)
    }

    fn sign(&self, list: CrlBuilder) -> Crl {
        list.sign(&self.key, Digest::Sha256).unwrap()
    }
}

fn p256() -> Authority {
    Authority::new(KeyAlg::Ec(Curve::P256))
}

/// A list with every reason, the highest serial number first.
fn every_reason(authority: &Authority) -> Crl {
    let reasons = RevokedReason::all().map(Some).chain([None]);
    let list = (0..)
        .zip(reasons)
        .fold(authority.list(), |list, (at, reason)| {
            list.revoke(Serial::from(1000_u64 - at), NOW - WEEK, reason)
        });
    authority.sign(list.number(Serial::from(0xabcd_u64)))
}

#[test]
fn openssl_sees_what_was_put_into_a_list() {
    let authority = p256();
    let list = every_reason(&authority);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, authority.certificate.encode(Encoding::Pem).unwrap()).unwrap();
    let root = root.to_str().unwrap();
    let arguments = ["crl", "-text", "-noout", "-verify", "-CAfile", root];
    let text = openssl_text(&arguments, &list.encode(Encoding::Pem).unwrap());
    for part in [
        "Version 2 (0x1)",
        "Issuer: O = Lists, CN = root",
        "Last Update: Jan 15 08:00:00 2027 GMT",
        "Next Update: Jan 22 08:00:00 2027 GMT",
        "X509v3 Authority Key Identifier",
        "X509v3 CRL Number: \n                43981",
        "Serial Number: 03E8\n        Revocation Date: Jan  8 08:00:00 2027 GMT",
        "Key Compromise",
        "CA Compromise",
        "Affiliation Changed",
        "Superseded",
        "Cessation Of Operation",
        "Certificate Hold",
        "Remove From CRL",
        "Privilege Withdrawn",
        "AA Compromise",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Names have two forms, and the program prints the other one.
    let other_form = text.replace("O = Lists, CN = root", "O=Lists, CN=root");
    assert_eq!(list.to_text().unwrap().trim_end(), other_form.trim_end());
    let key_id = hex(&authority_key_id(&list));
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    assert!(plain.to_ascii_lowercase().contains(&key_id), "{key_id}");

    let arguments = ["crl", "-inform", "DER", "-noout", "-fingerprint", "-sha256"];
    let told = openssl_text(&arguments, &list.encode(Encoding::Der).unwrap());
    let print: String = told.trim_end().chars().filter(|c| *c != ':').collect();
    let ours = hex(&list.fingerprint(Digest::Sha256).unwrap());
    assert!(print.to_ascii_lowercase().ends_with(&ours), "{told}");
}

/// The identifier in the list's authorityKeyIdentifier, which comes last there.
fn authority_key_id(list: &Crl) -> Vec<u8> {
    let all = list.extensions().unwrap();
    let one = all
        .iter()
        .find(|ext| ext.short_name() == "authorityKeyIdentifier");
    one.unwrap().value()[4..].to_vec()
}

#[test]
fn lists_of_other_keys_are_verified_by_openssl() {
    let authority = Authority::new(KeyAlg::Ed25519);
    // Named only, so that the identifier is made from the key.
    let list = Crl::builder()
        .issuer(authority.certificate.subject())
        .last_update(NOW)
        .next_update(NOW + WEEK);
    let list = authority.sign(list);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, authority.certificate.encode(Encoding::Pem).unwrap()).unwrap();
    let arguments = [
        "crl",
        "-noout",
        "-verify",
        "-CAfile",
        root.to_str().unwrap(),
    ];
    openssl(&arguments, &list.encode(Encoding::Pem).unwrap()).unwrap();
    let of_root = hex(authority.certificate.extensions().unwrap()[1].value());
    assert!(of_root.ends_with(&hex(&authority_key_id(&list))));
    // Without a number of its own a list has the seconds of its beginning.
    assert_eq!(list.number().unwrap().to_decimal(), "1800000000");
    assert_eq!(list.version(), 1);
    let own = authority.certificate.public_key().unwrap();
    list.verify_signature(&own).unwrap();
    let other = PrivateKey::generate(KeyAlg::Ed25519).unwrap().public_key();
    let refused = kind(list.verify_signature(&other));
    assert_eq!(refused, ConfigErrorKind::BadSignature);
}

const CONFIG: &str = "[ca]\ndefault_ca = it\n[it]\ndatabase = INDEX\ndefault_md = sha256\n\
                      crl_extensions = ext\n[ext]\nauthorityKeyIdentifier = keyid\n";

/// What `openssl ca` has revoked: by hand, with a reason, and one that is only expired.
const INDEX: &str = "\
R\t271231235959Z\t260102030405Z\t0A\tunknown\t/CN=a\n\
E\t211231235959Z\t\t0B\tunknown\t/CN=b\n\
R\t271231235959Z\t261231235959Z,keyCompromise\t7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\tunknown\t/CN=c\n\
R\t20501231235959Z\t260102030405Z,superseded\t02\tunknown\t/CN=d\n";

#[test]
fn lists_of_openssl_are_read() {
    let authority = p256();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = authority.key.encode(Encoding::Pem, None).unwrap();
    std::fs::write(path("key"), &key[..]).unwrap();
    std::fs::write(
        path("cert"),
        authority.certificate.encode(Encoding::Pem).unwrap(),
    )
    .unwrap();
    std::fs::write(path("index"), INDEX).unwrap();
    std::fs::write(path("config"), CONFIG.replace("INDEX", &path("index"))).unwrap();
    let pem = openssl_text(
        &[
            "ca",
            "-gencrl",
            "-config",
            &path("config"),
            "-keyfile",
            &path("key"),
            "-cert",
            &path("cert"),
            "-crl_lastupdate",
            "20270115080000Z",
            "-crl_nextupdate",
            "20510115080000Z",
        ],
        b"",
    );
    let list = Crl::decode(Encoding::Pem, pem.as_bytes()).unwrap();
    assert_eq!(list.issuer(), authority.certificate.subject());
    assert_eq!(list.last_update().unwrap(), NOW);
    let next = list.next_update().unwrap().unwrap();
    assert_eq!(next.to_string(), "2051-01-15T08:00:00Z");
    assert_eq!(list.number(), None);
    let found: Vec<_> = list.revoked().unwrap().iter().map(in_words).collect();
    let long = "7F".to_owned() + &"FF".repeat(19);
    assert_eq!(
        found,
        [
            "02 2026-01-02T03:04:05Z superseded".to_owned(),
            "0A 2026-01-02T03:04:05Z -".to_owned(),
            format!("{long} 2026-12-31T23:59:59Z keyCompromise"),
        ]
    );
    let key = authority.certificate.public_key().unwrap();
    list.verify_signature(&key).unwrap();
}

fn in_words(entry: &Revoked) -> String {
    let reason = entry.reason.map_or("-", RevokedReason::name);
    format!("{} {} {reason}", entry.serial, entry.date)
}

#[test]
fn entries_are_found_and_keep_their_order() {
    let authority = p256();
    let (good, bad) = (authority.issue(), authority.issue());
    let list = every_reason(&authority);
    assert_eq!(list.find(&good).unwrap(), None);
    let entry = list.find_serial(&Serial::from(1000_u64)).unwrap().unwrap();
    assert_eq!(entry.reason, Some(RevokedReason::Unspecified));
    // That one has come back.
    let back = RevokedReason::all().position(|reason| reason == RevokedReason::RemoveFromCrl);
    let back = Serial::from(1000 - back.unwrap() as u64);
    assert_eq!(list.find_serial(&back).unwrap(), None);
    // OpenSSL sorts the entries when it looks one up.
    let serials: Vec<String> = list
        .revoked()
        .unwrap()
        .iter()
        .map(|e| e.serial.to_decimal())
        .collect();
    let expected: Vec<String> = (990..=1000).rev().map(|n: u64| n.to_string()).collect();
    assert_eq!(serials, expected);
    assert_eq!(
        Crl::decode(Encoding::Der, &list.encode(Encoding::Der).unwrap()).unwrap(),
        list
    );

    let list = authority.sign(authority.list().revoke(bad.serial(), NOW, None));
    assert!(list.find(&bad).unwrap().is_some());
    let namesake = Authority::new(KeyAlg::Ed25519);
    let other = Cert::builder()
        .subject("/CN=leaf".parse().unwrap())
        .serial(bad.serial())
        .valid_for(NOW, WEEK)
        .sign(&namesake.key, Digest::Sha256)
        .unwrap();
    assert!(list.find(&other).unwrap().is_none(), "of another issuer");
}

#[test]
fn files_may_hold_several_lists_and_other_things() {
    let authority = p256();
    let (one, two) = (authority.sign(authority.list()), every_reason(&authority));
    let file = [
        b"text\n".to_vec(),
        one.encode(Encoding::Pem).unwrap(),
        authority.certificate.encode(Encoding::Pem).unwrap(),
        two.encode(Encoding::Pem).unwrap(),
    ]
    .concat();
    assert_eq!(Crl::list_from_pem(&file).unwrap(), [one.clone(), two]);
    assert_eq!(Crl::decode(Encoding::Pem, &file).unwrap(), one);
}

#[test]
fn what_is_no_list_is_refused_and_nobody_is_asked() {
    let authority = p256();
    let list = every_reason(&authority);
    let (pem, der) = (
        list.encode(Encoding::Pem).unwrap(),
        list.encode(Encoding::Der).unwrap(),
    );
    let certificate = authority.certificate.encode(Encoding::Pem).unwrap();
    let pem_kind = |text: &[u8]| kind(Crl::decode(Encoding::Pem, text));
    let der_kind = |bytes: &[u8]| kind(Crl::decode(Encoding::Der, bytes));
    assert_eq!(pem_kind(&certificate), ConfigErrorKind::WrongObject);
    assert_eq!(
        kind(Crl::list_from_pem(&certificate)),
        ConfigErrorKind::WrongObject
    );
    let certificate = authority.certificate.encode(Encoding::Der).unwrap();
    assert_eq!(der_kind(&certificate), ConfigErrorKind::WrongObject);
    assert_eq!(
        der_kind(&[&der[..], b"x"].concat()),
        ConfigErrorKind::Malformed
    );
    for length in 0..der.len() {
        der_kind(&der[..length]);
    }
    assert_eq!(pem_kind(&pem[..pem.len() / 2]), ConfigErrorKind::Malformed);
    // OpenSSL by itself would ask for a passphrase here.
    let text = String::from_utf8(pem).unwrap();
    let header = "-----BEGIN X509 CRL-----\nProc-Type: 4,ENCRYPTED\n\
                  DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    let encrypted = text.replace("-----BEGIN X509 CRL-----\n", header);
    assert_eq!(pem_kind(encrypted.as_bytes()), ConfigErrorKind::Malformed);
}

#[test]
fn lists_that_make_no_sense_are_not_signed() {
    let authority = p256();
    let fault = |list: CrlBuilder| kind(list.sign(&authority.key, Digest::Sha256));
    let half = Crl::builder().last_update(NOW);
    assert_eq!(
        fault(half.clone().next_update(NOW + WEEK)),
        ConfigErrorKind::Missing
    );
    let half = half.issued_by(&authority.certificate);
    assert_eq!(fault(half.clone()), ConfigErrorKind::Missing);
    assert_eq!(fault(half.next_update(NOW)), ConfigErrorKind::BadValue);
    let nobody = authority.list().issuer(Name::builder().build().unwrap());
    assert_eq!(fault(nobody), ConfigErrorKind::BadValue);
    let long = Serial::from_bytes(&[0xff; 20]);
    assert_eq!(
        fault(authority.list().number(long)),
        ConfigErrorKind::BadValue
    );
    let below = Serial::from_hex("-01").unwrap();
    assert_eq!(
        fault(authority.list().number(below)),
        ConfigErrorKind::BadValue
    );
    let one = Serial::from(1_u64);
    let twice = authority.list().revoke(one.clone(), NOW, None);
    assert_eq!(
        fault(twice.revoke(one, NOW, None)),
        ConfigErrorKind::BadValue
    );
    let other = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let mismatch = authority.list().sign(&other, Digest::Sha256);
    assert_eq!(kind(mismatch), ConfigErrorKind::KeyMismatch);
}

#[test]
fn reasons_have_the_names_of_rfc_5280_and_of_pyopenssl() {
    for name in ["keyCompromise", "Key Compromise", "KEYCOMPROMISE"] {
        assert_eq!(
            name.parse::<RevokedReason>().unwrap(),
            RevokedReason::KeyCompromise
        );
    }
    let kind = kind("no reason".parse::<RevokedReason>());
    assert_eq!(kind, ConfigErrorKind::BadValue);
    assert_eq!(RevokedReason::CaCompromise.to_string(), "cACompromise");
}

/// Reads our key, root, leaf and list. Prints what it sees in the list, whether it
/// verifies the leaf, and a list of its own.
const SCRIPT: &str = r#"
import sys, warnings, datetime
warnings.simplefilter("ignore")
from OpenSSL import crypto
key, root, leaf, crl = [bytes.fromhex(line) for line in sys.stdin.read().split()]
key = crypto.load_privatekey(crypto.FILETYPE_ASN1, key)
root = crypto.load_certificate(crypto.FILETYPE_ASN1, root)
leaf = crypto.load_certificate(crypto.FILETYPE_ASN1, leaf)
crl = crypto.load_crl(crypto.FILETYPE_ASN1, crl)
print(crl.get_issuer().CN)
for entry in crl.get_revoked():
    print(entry.get_serial().decode(), entry.get_rev_date().decode(), (entry.get_reason() or b"-").decode())
print("reasons")
for reason in crypto.Revoked().all_reasons():
    print(reason.decode())
print("verify")
for flags, time, lists in [
    (0, 1800000000, []), (0, 1900000000, []),
    (crypto.X509StoreFlags.CRL_CHECK, 1800000000, []),
    (crypto.X509StoreFlags.CRL_CHECK, 1800000000, [crl]),
]:
    store = crypto.X509Store()
    store.add_cert(root)
    store.set_flags(flags)
    store.set_time(datetime.datetime.fromtimestamp(time))
    for one in lists:
        store.add_crl(one)
    try:
        context = crypto.X509StoreContext(store, leaf)
        print(len(context.get_verified_chain()))
    except crypto.X509StoreContextError as why:
        print(why.errors[0], why.errors[1], why.certificate.get_subject().CN)
own = crypto.CRL()
for serial, reason in [(b"0a", b"Key Compromise"), (b"02", None)]:
    entry = crypto.Revoked()
    entry.set_serial(serial)
    entry.set_rev_date(b"20260102030405Z")
    entry.set_reason(reason)
    own.add_revoked(entry)
own.set_version(1)
own.set_lastUpdate(b"20270115080000Z")
own.set_nextUpdate(b"20270122080000Z")
own.sign(root, key, b"sha256")
print("list")
print(crypto.dump_crl(crypto.FILETYPE_ASN1, own).hex())
"#;

#[test]
fn python3_openssl_reads_ours_verifies_alike_and_we_read_its() {
    let authority = p256();
    let leaf = authority.issue();
    let list = authority
        .list()
        .revoke(leaf.serial(), NOW - WEEK, Some(RevokedReason::CaCompromise))
        .revoke(Serial::from(1_u64), NOW - WEEK, None);
    let list = authority.sign(list);
    let der = |of: Result<Vec<u8>, Error>| hex(&of.unwrap());
    let lines = [
        hex(&authority.key.encode(Encoding::Der, None).unwrap()),
        der(authority.certificate.encode(Encoding::Der)),
        der(leaf.encode(Encoding::Der)),
        der(list.encode(Encoding::Der)),
    ];
    let Some(told) = python("OpenSSL", SCRIPT, lines.join("\n").as_bytes()) else {
        return;
    };
    let parts: Vec<Vec<&str>> = told
        .split("reasons\n")
        .flat_map(|part| part.split("verify\n"))
        .flat_map(|part| part.split("list\n"))
        .map(|part| part.lines().collect())
        .collect();
    let [seen, reasons, verified, own] = &parts[..] else {
        panic!("{told}");
    };
    assert_eq!(
        seen[..],
        [
            "root".to_owned(),
            format!("{} 20270108080000Z CA Compromise", leaf.serial()),
            "01 20270108080000Z -".to_owned(),
        ]
    );
    for name in reasons {
        name.parse::<RevokedReason>().unwrap();
    }

    let store = || TrustStore::builder().add_cert(authority.certificate.clone());
    let checked = store().flags(VerifyFlags::CRL_CHECK);
    let ours = [
        (store(), NOW),
        (store(), Timestamp::from_unix(1_900_000_000)),
        (checked.clone(), NOW),
        (checked.add_crl(list), NOW),
    ]
    .map(
        |(store, at)| match store.build().unwrap().verify(&leaf, &[], at) {
            Ok(path) => path.len().to_string(),
            Err(Error::Certificate(why)) => {
                let (_, subject) = why.subject().unwrap().rsplit_once("CN=").unwrap();
                format!("{} {} {subject}", why.code(), why.depth().unwrap())
            }
            Err(other) => panic!("{other}"),
        },
    );
    assert_eq!(verified[..], ours);

    let own = Crl::decode(Encoding::Der, &unhex(own[0])).unwrap();
    assert_eq!(own.issuer(), authority.certificate.subject());
    assert_eq!(own.last_update().unwrap(), NOW);
    assert_eq!(own.next_update().unwrap(), Some(NOW + WEEK));
    let found: Vec<String> = own.revoked().unwrap().iter().map(in_words).collect();
    let date = "2026-01-02T03:04:05Z";
    assert_eq!(
        found,
        [format!("02 {date} -"), format!("0A {date} keyCompromise")]
    );
    let key = authority.certificate.public_key().unwrap();
    own.verify_signature(&key).unwrap();
}

#[test]
fn a_purpose_is_asked_for_beside_the_lists() {
    let authority = p256();
    let leaf = authority.issue();
    let store = TrustStore::builder()
        .add_cert(authority.certificate.clone())
        .add_crl_pem(
            authority
                .sign(authority.list())
                .encode(Encoding::Pem)
                .unwrap(),
        )
        .build()
        .unwrap();
    assert!(store.flags().contains(VerifyFlags::CRL_CHECK));
    let options = VerifyOptions::new().at(NOW);
    store.verify_for(&leaf, &[], &options).unwrap();
    let timestamps = options.purpose(Purpose::TimeStamping);
    match store.verify_for(&leaf, &[], &timestamps) {
        Err(Error::Certificate(why)) => assert_eq!(why.code(), 26, "invalid purpose"),
        other => panic!("{other:?}"),
    }
}
