//! PKCS #12 archives, written and read by the program `openssl` and python3-openssl.

use std::cell::Cell;
use std::process::Command;

use greenling_tls::crypto::{self, Cert, Digest, Encoding, Passphrase, Pkcs12, PrivateKey, TestCa};
use greenling_tls::{ConfigErrorKind, Identity};
use openssl::base64::encode_block;
use openssl::x509::X509;
use zeroize::Zeroizing;

use crate::boxes::{der, fault, issue, key_pem, kind, pem, run};

const SECRET: &str = "correct horse";

/// Few, so that no test waits for them. It is also how the files are told apart that
/// are changed below.
const FEW: u32 = 3000;

/// A leaf, its key, and the root that issued it.
struct Chain {
    leaf: Cert,
    key: PrivateKey,
    root: Cert,
}

impl Chain {
    fn new() -> Chain {
        let ca = TestCa::new("root of the archive").unwrap();
        let (leaf, key) = issue(&ca, "archive.test");
        let root = X509::from_pem(&ca.root_pem().unwrap()).unwrap().into();
        Chain { leaf, key, root }
    }

    fn pem(&self) -> Vec<u8> {
        [key_pem(&self.key), pem(&self.leaf), pem(&self.root)].concat()
    }

    fn is_in(&self, archive: &Pkcs12) {
        let found = archive.key.as_ref().expect("a key");
        assert!(found.as_pkey().public_eq(self.key.as_pkey()));
        assert_eq!(der(archive.cert.as_ref().unwrap()), der(&self.leaf));
        assert_eq!(ders(&archive.ca), [der(&self.root)]);
    }
}

fn ders(certs: &[Cert]) -> Vec<Vec<u8>> {
    certs.iter().map(der).collect()
}

/// An archive by `openssl pkcs12 -export`, made from PEM.
fn export(input: &[u8], passphrase: &str, more: &[&str]) -> Vec<u8> {
    let passphrase = format!("pass:{passphrase}");
    let arguments = [&["pkcs12", "-export", "-passout", &passphrase], more].concat();
    let output = run("openssl", &arguments, input);
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {messages}");
    output.stdout
}

/// What `openssl pkcs12 -info` prints of an archive: names and PEM, then the algorithms.
fn info(archive: &[u8], passphrase: &str) -> (String, String) {
    let passphrase = format!("pass:{passphrase}");
    let arguments = ["pkcs12", "-info", "-nodes", "-passin", &passphrase];
    let output = run("openssl", &arguments, archive);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    (String::from_utf8(output.stdout).unwrap(), messages)
}

#[test]
fn openssl_reads_what_is_written_and_finds_it_well_protected() {
    let chain = Chain::new();
    let builder = Pkcs12::builder()
        .identity(&chain.leaf, &chain.key)
        .ca([chain.root.clone()])
        .friendly_name("our name")
        .iterations(FEW);
    let (content, algorithms) = info(&builder.build(SECRET).unwrap(), SECRET);
    // Once for the certificate, once for its key.
    assert_eq!(content.matches("friendlyName: our name").count(), 2);
    assert_eq!(content.matches("localKeyID").count(), 2);
    let at = |part: &[u8]| {
        let part = String::from_utf8(part.to_vec()).unwrap();
        content.find(&part).unwrap_or_else(|| panic!("{content}"))
    };
    assert!(at(&pem(&chain.leaf)) < at(&pem(&chain.root)));
    assert!(at(&pem(&chain.root)) < at(&key_pem(&chain.key)));
    let encryption = "PBES2, PBKDF2, AES-256-CBC, Iteration 3000, PRF hmacWithSHA256";
    assert_eq!(algorithms.matches(encryption).count(), 2, "{algorithms}");
    assert!(
        algorithms.contains("MAC: sha256, Iteration 3000"),
        "{algorithms}"
    );

    let builder = builder.mac_digest(Digest::Sha512).iterations(1);
    let (_, algorithms) = info(&builder.build(SECRET).unwrap(), SECRET);
    assert!(
        algorithms.contains("MAC: sha512, Iteration 1\n"),
        "{algorithms}"
    );
    assert!(
        algorithms.contains("AES-256-CBC, Iteration 1,"),
        "{algorithms}"
    );
}

#[test]
fn what_openssl_writes_is_read() {
    let chain = Chain::new();
    let name = ["-name", "größer 名", "-caname", "above"];
    let archive = Pkcs12::open(&export(&chain.pem(), SECRET, &name), SECRET).unwrap();
    chain.is_in(&archive);
    assert_eq!(archive.friendly_name.as_deref(), Some("größer 名"));
    let above = X509::from(archive.ca[0].clone());
    assert_eq!(above.alias(), Some(&b"above"[..]));
    for more in [
        &["-macalg", "sha1"][..],
        &["-macalg", "md5"],
        &["-macalg", "sha512", "-iter", "1"],
        &["-nomac"],
        &["-noiter", "-nomaciter", "-descert"],
        &["-keypbe", "aes-128-cbc", "-certpbe", "NONE"],
    ] {
        chain.is_in(&Pkcs12::open(&export(&chain.pem(), SECRET, more), SECRET).unwrap());
    }
}

/// Each encrypts with what OpenSSL 3 has in its legacy provider only. The default
/// library context must refuse it before and after.
#[test]
fn old_algorithms_are_read_without_allowing_them_to_others() {
    let chain = Chain::new();
    let files: Vec<Vec<u8>> = [
        &["-legacy"][..],
        &[
            "-legacy",
            "-keypbe",
            "PBE-SHA1-RC4-128",
            "-certpbe",
            "PBE-SHA1-RC2-128",
        ],
        &[
            "-legacy",
            "-keypbe",
            "PBE-SHA1-DES",
            "-certpbe",
            "PBE-SHA1-RC4-40",
        ],
        &["-legacy", "-keypbe", "PBE-SHA1-RC2-40"],
    ]
    .iter()
    .map(|more| export(&chain.pem(), SECRET, more))
    .collect();
    for file in &files {
        let by_default = || {
            openssl::pkcs12::Pkcs12::from_der(file)
                .unwrap()
                .parse2(SECRET)
        };
        let is_refused = || {
            let stack = by_default().err().expect("no legacy provider");
            assert!(stack.to_string().contains("unsupported"), "{stack}");
        };
        is_refused();
        let archive = Pkcs12::open(file, SECRET).unwrap();
        chain.is_in(&archive);
        is_refused();
        // Keys that belonged to the other library context could not do this.
        let key = archive.key.as_ref().unwrap();
        let signature = key.sign(Digest::Sha256, b"a message").unwrap();
        let public = openssl::pkey::PKey::from(chain.key.public_key());
        let digest = openssl::hash::MessageDigest::sha256();
        let mut verifier = openssl::sign::Verifier::new(digest, &public).unwrap();
        assert!(verifier.verify_oneshot(&signature, b"a message").unwrap());
        assert_eq!(
            kind(Pkcs12::open(file, "wrong")),
            ConfigErrorKind::WrongPassphrase
        );
    }
}

#[test]
fn keys_in_old_encryptions_are_read_in_the_same_way() {
    let (_, key) = crypto::self_signed(&["key.test"]).unwrap();
    let plain = key_pem(&key);
    for scheme in ["PBE-SHA1-RC2-40", "PBE-MD5-DES", "PBE-SHA1-RC4-128"] {
        let old = ["pkcs8", "-topk8", "-v1", scheme, "-passout", "pass:sesame"];
        let providers = ["-provider", "legacy", "-provider", "default"];
        let pem = run("openssl", &[&old[..], &providers].concat(), &plain).stdout;
        let der = [&old[..], &providers, &["-outform", "DER"]].concat();
        let der = run("openssl", &der, &plain).stdout;
        for (encoding, bytes) in [(Encoding::Pem, pem), (Encoding::Der, der)] {
            let read = PrivateKey::decode(encoding, &bytes, "sesame").unwrap();
            assert_eq!(read, key);
            assert!(read.sign(Digest::Sha256, b"a message").is_ok());
            let wrong = PrivateKey::decode(encoding, &bytes, "other");
            assert_eq!(kind(wrong), ConfigErrorKind::WrongPassphrase);
        }
    }
}

/// In a process of its own, in which OpenSSL looks for its modules where none is.
#[test]
fn without_the_legacy_provider_the_error_says_so() {
    const VARIABLE: &str = "OPENSSL_MODULES";
    const ARCHIVE: &str = "GREENLING_TEST_ARCHIVE";
    let empty = tempfile::tempdir().unwrap();
    if let Some(path) = std::env::var_os(ARCHIVE) {
        let file = std::fs::read(path).unwrap();
        for _ in 0..2 {
            let (kind, text) = fault(Pkcs12::open(&file, SECRET));
            assert_eq!(kind, ConfigErrorKind::UnsupportedLegacyAlgorithm);
            assert!(text.contains("legacy provider"), "{text}");
            assert!(text.contains("RC2-40-CBC"), "{text}");
        }
        return;
    }
    let path = empty.path().join("legacy.p12");
    std::fs::write(&path, export(&Chain::new().pem(), SECRET, &["-legacy"])).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "pkcs12::without_the_legacy_provider_the_error_says_so",
        ])
        .env(ARCHIVE, &path)
        .env(VARIABLE, empty.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn an_empty_passphrase_and_none_are_written_apart_and_open_both() {
    let chain = Chain::new();
    let build = |passphrase: Option<&str>| {
        Pkcs12::builder()
            .identity(&chain.leaf, &chain.key)
            .ca([chain.root.clone()])
            .iterations(FEW)
            .build(passphrase)
            .unwrap()
    };
    let files = [build(None), build(Some(""))];
    for file in &files {
        chain.is_in(&Pkcs12::open(file, Passphrase::None).unwrap());
        chain.is_in(&Pkcs12::open(file, "").unwrap());
        info(file, "");
        assert_eq!(
            kind(Pkcs12::open(file, "x")),
            ConfigErrorKind::WrongPassphrase
        );
    }
    // RFC 7292, appendix B.1: an empty one is hashed as two zero bytes.
    for (file, hashed) in files.iter().zip([&b""[..], &[0, 0]]) {
        assert!(mac_is_of(file, hashed));
    }
    assert_eq!(
        kind(Pkcs12::open(
            &export(&chain.pem(), SECRET, &[]),
            Passphrase::None
        )),
        ConfigErrorKind::EncryptedKey
    );
    assert_eq!(
        kind(Pkcs12::open(&export(&chain.pem(), SECRET, &[]), "")),
        ConfigErrorKind::WrongPassphrase
    );
}

/// Whether the MAC of an archive, which is at its end, is that of a passphrase in the
/// form in which it is hashed. By the words of RFC 7292, appendix B.2, with SHA-256.
fn mac_is_of(file: &[u8], passphrase: &[u8]) -> bool {
    let (mac, salt, content) = last_parts(file);
    let fill = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(64) * 64;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let mut key = [vec![3; 64], fill(&salt), fill(passphrase)].concat();
    for _ in 0..FEW {
        key = openssl::sha::sha256(&key).to_vec();
    }
    let key = openssl::pkey::PKey::hmac(&key).unwrap();
    let digest = openssl::hash::MessageDigest::sha256();
    let mut signer = openssl::sign::Signer::new(digest, &key).unwrap();
    signer.sign_oneshot_to_vec(&content).unwrap() == mac
}

/// The MAC, its salt, and what it covers, out of the layout that OpenSSL writes:
/// `SEQUENCE { version, SEQUENCE { OID, [0] { OCTET STRING content } },
/// SEQUENCE { SEQUENCE { algorithm, OCTET STRING mac }, OCTET STRING salt, iterations } }`.
fn last_parts(file: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let outer = children(content(file));
    let safes = children(content(outer[1]));
    let covered = content(content(safes[1])).to_vec();
    let mac = children(content(outer[2]));
    let digest = children(content(mac[0]));
    (
        content(digest[1]).to_vec(),
        content(mac[1]).to_vec(),
        covered,
    )
}

/// The length of the header and of the content of a DER value.
fn header(value: &[u8]) -> (usize, usize) {
    match value[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = &value[2..2 + count];
            let length = digits.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
            (2 + count, length)
        }
    }
}

fn content(value: &[u8]) -> &[u8] {
    let (start, length) = header(value);
    &value[start..start + length]
}

fn children(mut content: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (start, length) = header(content);
        let (child, rest) = content.split_at(start + length);
        found.push(child);
        content = rest;
    }
    found
}

/// The value with a number of iterations in place of [`FEW`], at every depth.
fn with_iterations(value: &[u8], number: &[u8]) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ ..0x80] => [&[tag, short], content].concat(),
        [0, long] => [&[tag, 0x81, long], content].concat(),
        longer => [&[tag, 0x82], &longer[..], content].concat(),
    };
    let inner = content(value);
    // Random bytes may begin like a sequence, and do not end like one.
    let is_sequence = inner.len() > 64 && inner[0] == 0x30 && {
        let (start, length) = header(inner);
        start + length == inner.len()
    };
    let holds_der = value[0] & 0x20 != 0 || (value[0] == 4 && is_sequence);
    if value[0] == 2 && inner == &FEW.to_be_bytes()[2..] {
        tlv(2, number)
    } else if holds_der {
        let changed = children(inner);
        let changed: Vec<_> = changed.iter().map(|c| with_iterations(c, number)).collect();
        tlv(value[0], &changed.concat())
    } else {
        tlv(value[0], inner)
    }
}

#[test]
fn work_without_end_is_refused_before_it_is_begun() {
    let chain = Chain::new();
    let few = FEW.to_string();
    let iter = ["-iter", &few];
    let mac = export(
        &chain.pem(),
        SECRET,
        &[&iter[..], &["-certpbe", "NONE"]].concat(),
    );
    let key = [&iter[..], &["-certpbe", "NONE", "-nomac"]].concat();
    let key = export(&chain.pem(), SECRET, &key);
    // In these the certificates come first.
    let certs = [&iter[..], &["-nomac"]].concat();
    let certs = export(&chain.pem(), SECRET, &certs);
    let old = [&iter[..], &["-descert", "-nomac"]].concat();
    let old = export(&chain.pem(), SECRET, &old);
    for file in [&key, &certs, &old] {
        let unchanged = with_iterations(file, &FEW.to_be_bytes()[2..]);
        chain.is_in(&Pkcs12::open(&unchanged, SECRET).unwrap());
    }
    for file in [mac, key, certs, old] {
        for number in [&[0x7f, 0xff, 0xff, 0xff][..], &[0x7f; 9]] {
            let (kind, text) = fault(Pkcs12::open(&with_iterations(&file, number), SECRET));
            assert_eq!(kind, ConfigErrorKind::Rejected, "{text}");
            assert!(text.contains("10,000,000 rounds"), "{text}");
        }
        let negative = with_iterations(&file, &[0x80; 8]);
        let (kind, text) = fault(Pkcs12::open(&negative, SECRET));
        let kinds = [ConfigErrorKind::Malformed, ConfigErrorKind::Rejected];
        assert!(kinds.contains(&kind), "{text}");
    }
}

#[test]
fn archives_without_a_key_or_certificate_have_what_they_have() {
    let chain = Chain::new();
    let certs = [pem(&chain.root), pem(&chain.leaf)].concat();
    let archive = Pkcs12::open(&export(&certs, SECRET, &["-nokeys"]), SECRET).unwrap();
    assert!(archive.cert.is_none() && archive.key.is_none());
    assert_eq!(ders(&archive.ca), [der(&chain.root), der(&chain.leaf)]);
    let made = Pkcs12::builder().ca(archive.ca).iterations(FEW);
    let (content, _) = info(&made.build(SECRET).unwrap(), SECRET);
    assert_eq!(content.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!content.contains("PRIVATE KEY"));

    let key = export(
        &key_pem(&chain.key),
        SECRET,
        &["-nocerts", "-name", "alone"],
    );
    let archive = Pkcs12::open(&key, SECRET).unwrap();
    assert!(archive.cert.is_none() && archive.ca.is_empty());
    assert!(
        archive
            .key
            .unwrap()
            .as_pkey()
            .public_eq(chain.key.as_pkey())
    );
    assert_eq!(archive.friendly_name.as_deref(), Some("alone"));
    let made = Pkcs12::builder().key(&chain.key).iterations(FEW);
    let (content, _) = info(&made.build(SECRET).unwrap(), SECRET);
    assert!(content.contains("PRIVATE KEY") && !content.contains("CERTIFICATE"));
}

#[test]
fn the_certificates_of_a_chain_are_put_in_order() {
    let mut above = openssl_chain();
    let (key, leaf) = above.pop().unwrap();
    let (stranger, _) = crypto::self_signed(&["stranger"]).unwrap();
    let mut others: Vec<Cert> = above.into_iter().map(|(_, cert)| cert).collect();
    others.insert(1, stranger.clone());
    let file = Pkcs12::builder()
        .identity(&leaf, &key)
        .ca(others.clone())
        .iterations(FEW)
        .build(SECRET)
        .unwrap();
    // The file has the order that was given: root, stranger, upper, lower.
    let (text, _) = info(&file, SECRET);
    let at = |cert: &Cert| text.find(std::str::from_utf8(&pem(cert)).unwrap()).unwrap();
    assert!(others.windows(2).all(|two| at(&two[0]) < at(&two[1])));
    let opened = Pkcs12::open(&file, SECRET).unwrap();
    let expected = [&others[3], &others[2], &others[0], &others[1]].map(der);
    assert_eq!(ders(&opened.ca), expected);
    Identity::from_pkcs12(&file, SECRET).unwrap();
}

/// A root, two authorities below it, and a leaf, each with its key.
fn openssl_chain() -> Vec<(PrivateKey, Cert)> {
    use openssl::asn1::Asn1Time;
    use openssl::pkey::PKey;
    use openssl::x509::X509Name;
    let mut chain: Vec<(PrivateKey, Cert)> = Vec::new();
    for name in ["root", "upper", "lower", "leaf"] {
        let key = PKey::ec_gen("P-256").unwrap();
        let mut subject = X509Name::builder().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        builder.set_subject_name(&subject).unwrap();
        builder.set_pubkey(&key).unwrap();
        let (from, until) = (
            Asn1Time::days_from_now(0).unwrap(),
            Asn1Time::days_from_now(9).unwrap(),
        );
        builder.set_not_before(&from).unwrap();
        builder.set_not_after(&until).unwrap();
        let sha256 = openssl::hash::MessageDigest::sha256();
        match chain.last() {
            Some((above, cert)) => {
                builder
                    .set_issuer_name(cert.as_x509().subject_name())
                    .unwrap();
                builder.sign(above.as_pkey(), sha256).unwrap();
            }
            None => {
                builder.set_issuer_name(&subject).unwrap();
                builder.sign(&key, sha256).unwrap();
            }
        }
        chain.push((key.into(), builder.build().into()));
    }
    chain
}

#[test]
fn passphrases_that_cannot_be_are_refused() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let builder = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    let long = "x".repeat(1025);
    for bad in ["a\0b", "\0", &long] {
        assert_eq!(
            kind(Pkcs12::open(&file, bad)),
            ConfigErrorKind::BadPassphrase
        );
        assert_eq!(kind(builder.build(bad)), ConfigErrorKind::BadPassphrase);
    }
    let without_mac = export(&chain.pem(), SECRET, &["-nomac"]);
    for file in [&file, &without_mac] {
        assert_eq!(
            kind(Pkcs12::open(file, "wrong")),
            ConfigErrorKind::WrongPassphrase
        );
    }
    // Beyond ASCII, and as long as may be.
    for good in ["pässwörd 名", &long[1..]] {
        let file = builder.clone().iterations(FEW).build(good).unwrap();
        info(&file, good);
        Pkcs12::open(&file, good).unwrap();
        Pkcs12::open(&export(&chain.pem(), good, &[]), good).unwrap();
    }
}

#[test]
fn somebody_is_asked_for_a_passphrase_only_if_there_is_need() {
    let chain = Chain::new();
    let asked = Cell::new(0);
    let ask = || {
        Passphrase::ask(|| {
            asked.set(asked.get() + 1);
            Ok(Zeroizing::new(SECRET.as_bytes().to_vec()))
        })
    };
    let open = ["-nomac", "-keypbe", "NONE", "-certpbe", "NONE"];
    let open = export(&chain.pem(), SECRET, &open);
    chain.is_in(&Pkcs12::open(&open, ask()).unwrap());
    chain.is_in(&Pkcs12::open(&open, Passphrase::None).unwrap());
    assert_eq!(asked.get(), 0);
    let closed = export(&chain.pem(), SECRET, &["-nomac", "-certpbe", "NONE"]);
    chain.is_in(&Pkcs12::open(&closed, ask()).unwrap());
    assert_eq!(asked.get(), 1);
    let closed = export(&chain.pem(), SECRET, &[]);
    chain.is_in(&Pkcs12::open(&closed, ask()).unwrap());
    assert_eq!(asked.get(), 2);
}

#[test]
fn what_is_no_archive_is_named() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let pkcs7 = [
        "crl2pkcs7",
        "-nocrl",
        "-outform",
        "DER",
        "-certfile",
        "/dev/stdin",
    ];
    let pkcs7 = run("openssl", &pkcs7, &pem(&chain.leaf)).stdout;
    let key = chain.key.as_pkey().private_key_to_pkcs8().unwrap();
    let trailing = [&file[..], b"more"].concat();
    for (bytes, expected, text) in [
        (&pkcs7[..], ConfigErrorKind::WrongObject, "is a PKCS #7"),
        (
            &der(&chain.leaf),
            ConfigErrorKind::WrongObject,
            "is a certificate",
        ),
        (&key, ConfigErrorKind::WrongObject, "is a private key"),
        (&chain.pem(), ConfigErrorKind::Malformed, "is in PEM form"),
        (b"", ConfigErrorKind::Malformed, "is empty"),
        (
            b"\x30\x03\x02\x01\x03",
            ConfigErrorKind::Malformed,
            "is damaged",
        ),
        (&trailing, ConfigErrorKind::Malformed, "followed by 4 more"),
    ] {
        let (kind, message) = fault(Pkcs12::open(bytes, SECRET));
        assert_eq!(kind, expected, "{message}");
        assert!(message.contains(text), "{message}");
    }
    for length in 1..file.len() {
        let cut = Pkcs12::open(&file[..length], SECRET);
        assert_eq!(kind(cut), ConfigErrorKind::Malformed, "{length}");
    }
}

/// As programs write them that do not know the length in advance (ITU-T X.690, 8.1.3.6).
#[test]
fn indefinite_lengths_are_read() {
    let chain = Chain::new();
    let file = export(&chain.pem(), SECRET, &[]);
    let body = content(&file);
    let indefinite = [&[0x30, 0x80], body, &[0, 0]].concat();
    chain.is_in(&Pkcs12::open(&indefinite, SECRET).unwrap());
    let (_, text) = fault(Pkcs12::open(&[&indefinite[..], b"x"].concat(), SECRET));
    assert!(text.contains("followed by 1 more"), "{text}");
    let cut = Pkcs12::open(&indefinite[..indefinite.len() - 1], SECRET);
    assert_eq!(kind(cut), ConfigErrorKind::Malformed);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let chain = Chain::new();
    let (stranger, _) = crypto::self_signed(&["stranger"]).unwrap();
    let good = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    for (builder, expected) in [
        (Pkcs12::builder(), ConfigErrorKind::Missing),
        (
            Pkcs12::builder().identity(&stranger, &chain.key),
            ConfigErrorKind::KeyMismatch,
        ),
        (
            good.clone().friendly_name("a\0b"),
            ConfigErrorKind::BadValue,
        ),
        (good.clone().friendly_name("🔑"), ConfigErrorKind::BadValue),
        (good.clone().iterations(0), ConfigErrorKind::BadValue),
        (
            good.clone().iterations(10_000_001),
            ConfigErrorKind::BadValue,
        ),
        (
            good.clone().mac_digest(Digest::Md5),
            ConfigErrorKind::Rejected,
        ),
    ] {
        assert_eq!(kind(builder.build(SECRET)), expected);
    }
    let shown = format!("{:?}", good.build(SECRET).unwrap());
    assert!(shown.starts_with("Secret("), "{shown}");
}

/// A name replaces the one that the certificate had in another archive.
#[test]
fn friendly_names_are_kept_or_replaced() {
    let chain = Chain::new();
    let first = export(
        &chain.pem(),
        SECRET,
        &["-name", "first", "-caname", "above"],
    );
    let first = Pkcs12::open(&first, SECRET).unwrap();
    let builder = Pkcs12::builder()
        .identity(first.cert.as_ref().unwrap(), first.key.as_ref().unwrap())
        .ca(first.ca)
        .iterations(FEW);
    for (builder, name) in [
        (builder.clone().friendly_name("second"), Some("second")),
        (builder.clone().friendly_name(""), None),
        (builder, None),
    ] {
        let file = builder.build(SECRET).unwrap();
        let (text, _) = info(&file, SECRET);
        assert_eq!(
            text.matches("friendlyName: second").count(),
            name.map_or(0, |_| 2)
        );
        assert!(
            text.contains("friendlyName: above") && !text.contains("first"),
            "{text}"
        );
        let opened = Pkcs12::open(&file, SECRET).unwrap();
        assert_eq!(opened.friendly_name.as_deref(), name);
    }
}

#[cfg(feature = "legacy")]
#[test]
fn old_programs_get_triple_des() {
    let chain = Chain::new();
    let builder = Pkcs12::builder().identity(&chain.leaf, &chain.key);
    let file = builder.legacy_3des().iterations(FEW).build(SECRET).unwrap();
    let (_, algorithms) = info(&file, SECRET);
    let encryption = "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 3000";
    assert_eq!(algorithms.matches(encryption).count(), 2, "{algorithms}");
    assert!(
        algorithms.contains("MAC: sha1, Iteration 3000"),
        "{algorithms}"
    );
    Pkcs12::open(&file, SECRET).unwrap();
}

/// Opens ours, prints what it finds, and writes one of its own with the same.
const PYTHON: &str = r#"
import sys, base64, warnings
warnings.simplefilter("ignore")
from OpenSSL import crypto
ours = crypto.load_pkcs12(base64.b64decode(sys.stdin.read()), b"correct horse")
dump = lambda cert: base64.b64encode(crypto.dump_certificate(crypto.FILETYPE_ASN1, cert)).decode()
print(ours.get_friendlyname().decode())
print(dump(ours.get_certificate()))
print(" ".join(dump(cert) for cert in ours.get_ca_certificates()))
theirs = crypto.PKCS12()
theirs.set_privatekey(ours.get_privatekey())
theirs.set_certificate(ours.get_certificate())
theirs.set_ca_certificates(ours.get_ca_certificates())
theirs.set_friendlyname("größer 名".encode())
print(base64.b64encode(theirs.export(b"correct horse", iter=1000, maciter=1000)).decode())
theirs.set_ca_certificates(None)
print(base64.b64encode(theirs.export()).decode())
"#;

#[test]
fn python3_openssl_reads_ours_and_we_read_its() {
    let chain = Chain::new();
    let ours = Pkcs12::builder()
        .identity(&chain.leaf, &chain.key)
        .ca([chain.root.clone()])
        .friendly_name("größer 名")
        .iterations(FEW)
        .build(SECRET)
        .unwrap();
    let output = run(
        "/usr/bin/python3",
        &["-c", PYTHON],
        encode_block(&ours).as_bytes(),
    );
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "größer 名");
    assert_eq!(lines[1], encode_block(&der(&chain.leaf)));
    assert_eq!(lines[2], encode_block(&der(&chain.root)));
    let decode = |line: &str| openssl::base64::decode_block(line).unwrap();
    let theirs = Pkcs12::open(&decode(lines[3]), SECRET).unwrap();
    chain.is_in(&theirs);
    assert_eq!(theirs.friendly_name.as_deref(), Some("größer 名"));
    let unlocked = Pkcs12::open(&decode(lines[4]), Passphrase::None).unwrap();
    assert_eq!(der(&unlocked.cert.unwrap()), der(&chain.leaf));
}
