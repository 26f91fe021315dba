//! Stores of trusted certificates: where they come from, and that many may use one.
//! How chains are judged is in the table of `tests/paths`.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use greenling_tls::crypto::{
    Cert, Crl, Digest, Encoding, TestCa, Timestamp, TrustStore, TrustStoreBuilder, VerifyFlags,
    VerifyOptions,
};
use greenling_tls::{ConfigErrorKind, ContextBuilder, Error};

use crate::support::{kind, openssl};

const HOUR: Duration = Duration::from_secs(3600);

fn pem(cert: &Cert) -> Vec<u8> {
    cert.encode(Encoding::Pem).unwrap()
}

/// The code for which a chain is refused.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> i32 {
    match result {
        Err(Error::Certificate(why)) => why.code(),
        other => panic!("{other:?}"),
    }
}

/// The fingerprints of two lists of certificates are the same.
fn same(one: &[Cert], other: &[Cert]) -> bool {
    let prints = |of: &[Cert]| -> Vec<_> {
        of.iter()
            .map(|cert| cert.fingerprint(Digest::Sha256).unwrap())
            .collect()
    };
    prints(one) == prints(other)
}

#[test]
fn certificates_come_from_memory_files_and_other_stores() {
    let (ca, other) = (TestCa::new("one").unwrap(), TestCa::new("other").unwrap());
    let leaf = ca.issue(&["localhost"]).unwrap().certificate();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, [pem(other.root()), pem(ca.root())].concat()).unwrap();
    let root = || ca.root().clone();
    for builder in [
        TrustStore::builder().add_cert(root()),
        TrustStore::builder().add_certs([other.root().clone(), root()]),
        TrustStore::builder().add_pem(pem(ca.root())),
        TrustStore::builder().add_file(&file),
        // Twice is as good as once.
        TrustStore::builder().add_file(&file).add_cert(root()),
    ] {
        let store = builder.build().unwrap();
        let path = store.verify(&leaf, &[], Timestamp::now()).unwrap();
        assert!(same(&path, &[leaf.clone(), root()]));
    }
    let store = TrustStore::builder()
        .add_cert(other.root().clone())
        .build()
        .unwrap();
    assert!(same(&store.certificates(), &[other.root().clone()]));
    assert_eq!(code(store.verify(&leaf, &[], Timestamp::now())), 20);
    let nothing = TrustStore::builder().build().unwrap();
    assert_eq!(code(nothing.verify(&leaf, &[], Timestamp::now())), 20);
}

/// What `openssl rehash` has linked by their hashes: certificates and lists.
#[test]
fn directories_of_hashes_are_searched_when_a_chain_needs_them() {
    let ca = TestCa::new("hashed").unwrap();
    let (good, bad) = (
        ca.issue(&["a.test"]).unwrap(),
        ca.issue(&["b.test"]).unwrap(),
    );
    let now = Timestamp::now();
    let list = Crl::builder()
        .issued_by(ca.root())
        .last_update(now - HOUR)
        .next_update(now + HOUR)
        .revoke(bad.certificate().serial(), now - HOUR, None)
        .sign(ca.key(), Digest::Sha256)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("root.pem"), pem(ca.root())).unwrap();
    let unhashed = TrustStore::builder().add_hash_dir(path).build();
    assert_eq!(kind(unhashed), ConfigErrorKind::Missing);
    std::fs::write(path.join("list.pem"), list.encode(Encoding::Pem).unwrap()).unwrap();
    let text = path.to_str().unwrap();
    openssl(&["rehash", text], b"").unwrap();

    let store = TrustStore::builder().add_hash_dir(path);
    let plain = store.clone().build().unwrap();
    assert!(plain.certificates().is_empty(), "nothing is known by now");
    plain.verify(&bad.certificate(), &[], now).unwrap();
    let checked = store.flags(VerifyFlags::CRL_CHECK).build().unwrap();
    checked.verify(&good.certificate(), &[], now).unwrap();
    assert_eq!(code(checked.verify(&bad.certificate(), &[], now)), 23);
    // The program says so too.
    let output = Command::new("openssl")
        .args([
            "verify",
            "-no-CAfile",
            "-no-CAstore",
            "-CApath",
            text,
            "-crl_check",
        ])
        .arg(write(path, &bad.certificate()))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("error 23 at 0 depth"));
    // A context that trusts the store searches the directory, too.
    let context = ContextBuilder::client().trust_store(&checked).build();
    context.unwrap();
}

fn write(folder: &std::path::Path, cert: &Cert) -> std::path::PathBuf {
    let path = folder.join("leaf");
    std::fs::write(&path, pem(cert)).unwrap();
    path
}

/// OpenSSL's own form of a certificate, with what an anchor is not to be trusted for.
#[test]
fn anchors_may_say_what_they_are_trusted_for() {
    use greenling_tls::Purpose;

    let ca = TestCa::new("not for servers").unwrap();
    let leaf = ca.issue(&["localhost"]).unwrap().certificate();
    let limited = openssl(
        &["x509", "-trustout", "-addreject", "serverAuth"],
        &pem(ca.root()),
    );
    let store = TrustStore::builder()
        .add_pem(limited.unwrap())
        .build()
        .unwrap();
    let options = VerifyOptions::new();
    store.verify_for(&leaf, &[], &options).unwrap();
    let server = options.purpose(Purpose::Server);
    assert_eq!(code(store.verify_for(&leaf, &[], &server)), 28, "rejected");
}

#[cfg(feature = "greenling")]
#[test]
fn one_store_serves_threads_and_tasklets_at_the_same_time() {
    const EACH: usize = 20;
    let ca = TestCa::new("shared").unwrap();
    let now = Timestamp::now();
    let (good, bad) = (
        ca.issue(&["a.test"]).unwrap(),
        ca.issue(&["b.test"]).unwrap(),
    );
    let list = (0..500_u64).rev().fold(Crl::builder(), |list, number| {
        list.revoke(number.into(), now, None)
    });
    let list = list
        .issued_by(ca.root())
        .last_update(now - HOUR)
        .next_update(now + HOUR)
        .revoke(bad.certificate().serial(), now, None)
        .sign(ca.key(), Digest::Sha256)
        .unwrap();
    let store = TrustStore::builder()
        .add_cert(ca.root().clone())
        .add_crl(list.clone());
    let store = store.build().unwrap();
    let (good, bad) = (good.certificate(), bad.certificate());
    let judge = {
        let (store, list) = (store.clone(), list.clone());
        move || {
            assert_eq!(store.verify(&good, &[], now).unwrap().len(), 2);
            assert_eq!(code(store.verify(&bad, &[], now)), 23);
            // Walks over the entries that others look up in.
            assert_eq!(list.revoked().unwrap().len(), 501);
        }
    };
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            let (judge, start) = (judge.clone(), &start);
            // The thread is the main tasklet of a scheduler of its own.
            threads.spawn(move || {
                start.wait();
                let tasklets: Vec<_> = (0..EACH).map(|_| twice(judge.clone())).collect();
                tasklets.into_iter().for_each(|one| one.join().unwrap());
            });
        }
    });
}

/// Judges twice on a tasklet, and lets others do so in between.
#[cfg(feature = "greenling")]
fn twice(judge: impl Fn() + 'static) -> greenling::JoinHandle<()> {
    greenling::spawn(move || {
        judge();
        greenling::schedule();
        judge();
    })
}

#[test]
fn what_cannot_be_is_refused_when_the_store_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let ca = TestCa::new("any").unwrap();
    let fault = |builder: TrustStoreBuilder| kind(builder.build());
    let store = TrustStore::builder;
    assert_eq!(
        fault(store().add_file(&missing)),
        ConfigErrorKind::Unreadable
    );
    assert_eq!(
        fault(store().add_hash_dir(&missing)),
        ConfigErrorKind::Unreadable
    );
    assert_eq!(
        fault(store().add_crl_file(&missing)),
        ConfigErrorKind::Unreadable
    );
    assert_eq!(
        fault(store().add_pem("nothing")),
        ConfigErrorKind::Malformed
    );
    let root = pem(ca.root());
    assert_eq!(
        fault(store().add_crl_pem(root.clone())),
        ConfigErrorKind::WrongObject
    );
    assert_eq!(
        fault(store().add_pem(&root[..root.len() / 2])),
        ConfigErrorKind::Malformed
    );
    assert_eq!(fault(store().depth(u32::MAX)), ConfigErrorKind::BadValue);
    assert_eq!(fault(store().security_level(6)), ConfigErrorKind::BadValue);
    // OpenSSL by itself would ask for a passphrase here.
    let header = "CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\
                  DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    let text = String::from_utf8(root).unwrap();
    let encrypted = text.replacen("CERTIFICATE-----\n", header, 1);
    assert_eq!(
        fault(store().add_pem(encrypted)),
        ConfigErrorKind::Malformed
    );
}

#[test]
fn names_that_nobody_can_have_are_refused() {
    let ca = TestCa::new("any").unwrap();
    let leaf = ca.issue(&["localhost"]).unwrap().certificate();
    let store = TrustStore::builder()
        .add_cert(ca.root().clone())
        .build()
        .unwrap();
    let ip: IpAddr = "192.0.2.1".parse().unwrap();
    let options = VerifyOptions::new;
    let verify = |options: &VerifyOptions| store.verify_for(&leaf, &[], options);
    for name in [
        "",
        ".localhost",
        "local host",
        "bücher.test",
        "a\0b",
        "127.1",
    ] {
        let found = kind(verify(&options().host(name)));
        assert_eq!(found, ConfigErrorKind::ServerName, "{name:?}");
    }
    let long = format!("a@{}", "b".repeat(320));
    for address in ["", "me", "@host", "me@", "me@ho\0st", &long] {
        let found = kind(verify(&options().email(address)));
        assert_eq!(found, ConfigErrorKind::BadValue, "{address:?}");
    }
    let both = options().host("localhost").ip(ip);
    assert_eq!(kind(verify(&both)), ConfigErrorKind::BadValue);
    assert_eq!(code(verify(&options().ip(ip))), 64);
    verify(&options().host("localhost")).unwrap();
    assert_eq!(
        kind(verify(&options().depth(u32::MAX))),
        ConfigErrorKind::BadValue
    );
    let crowd = vec![leaf.clone(); 1001];
    let found = kind(store.verify(&leaf, &crowd, Timestamp::now()));
    assert_eq!(found, ConfigErrorKind::TooLarge);
    store
        .verify(&leaf, &crowd[..1000], Timestamp::now())
        .unwrap();
}

#[test]
fn options_take_the_place_of_the_stores_rules() {
    let ca = TestCa::new("any").unwrap();
    let leaf = ca.issue_client("alice").unwrap().certificate();
    let store = TrustStore::builder()
        .add_cert(ca.root().clone())
        .purpose(greenling_tls::Purpose::Server)
        .build()
        .unwrap();
    let options = VerifyOptions::new();
    assert_eq!(code(store.verify_for(&leaf, &[], &options)), 26);
    let client = options.clone().purpose(greenling_tls::Purpose::Client);
    store.verify_for(&leaf, &[], &client).unwrap();
    let any = options.purpose(greenling_tls::Purpose::Any);
    store.verify_for(&leaf, &[], &any).unwrap();
    let unlisted = client.flags(VerifyFlags::CRL_CHECK_ALL);
    assert_eq!(code(store.verify_for(&leaf, &[], &unlisted)), 3);
    // What a time is must be said as a time.
    assert_eq!(VerifyFlags::from_bits(0x2), VerifyFlags::default());
    assert!(format!("{store:?}").contains("certificates: 1"));
}

#[test]
fn the_system_s_roots_are_not_for_servers() {
    let ca = TestCa::new("private").unwrap();
    let leaf = ca.issue(&["localhost"]).unwrap();
    let store = TrustStore::builder().add_system_roots().build().unwrap();
    assert_eq!(
        code(store.verify(&leaf.certificate(), &[], Timestamp::now())),
        20
    );
    let context = ContextBuilder::server()
        .identity(leaf)
        .trust_store(&store)
        .client_auth(greenling_tls::ClientAuth::Required)
        .build();
    assert_eq!(kind(context), ConfigErrorKind::BadValue);
}
