//! Identities in all their forms: what counts is that the peer is shown them.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use greenling_tls::{ConfigErrorKind, ContextBuilder, Encoding, Error, Identity, PemFiles};
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::authority::{Authority, Leaf, leaf_of};
use super::support::*;

const SECRET: &str = "correct horse";

/// A key and the two certificates that lead to the root, in a directory.
struct Fixture {
    folder: TempDir,
    root: Authority,
    leaf: X509,
    middle: X509,
    key: PKey<Private>,
}

impl Fixture {
    fn new() -> Fixture {
        let root = Authority::root("root");
        let middle = root.below("middle");
        let identity = middle.issue(&Leaf::default());
        let key = identity.export_private_key_pem().unwrap();
        Fixture {
            folder: tempfile::tempdir().unwrap(),
            leaf: leaf_of(&identity),
            middle: middle.certificate().clone(),
            key: PKey::private_key_from_pem(&key).unwrap(),
            root,
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    fn chain_der(&self) -> Vec<u8> {
        [self.leaf.to_der().unwrap(), self.middle.to_der().unwrap()].concat()
    }

    fn chain_pem(&self) -> Vec<u8> {
        [self.leaf.to_pem().unwrap(), self.middle.to_pem().unwrap()].concat()
    }

    /// Connects a client that trusts the root alone, so it needs all of the chain.
    fn is_served(&self, identity: Result<Identity, Error>) {
        let server = ContextBuilder::server().identity(identity.unwrap());
        let client = ContextBuilder::client().trust_pem(self.root.pem());
        let pair = Pair::connected(client, server);
        let shown = pair.client.peer_certificate().unwrap();
        assert_eq!(shown, self.leaf.clone().into());
    }
}

fn kind(result: Result<Identity, Error>) -> ConfigErrorKind {
    match result {
        Err(Error::Config(error)) => error.kind(),
        other => panic!("not a configuration error: {other:?}"),
    }
}

#[test]
fn keys_are_read_in_every_form() {
    let f = Fixture::new();
    let ec = f.key.ec_key().unwrap();
    let (cipher, secret) = (Cipher::aes_256_cbc(), SECRET.as_bytes());
    let chain = f.chain_der();
    for plain in [
        f.key.private_key_to_der().unwrap(),
        f.key.private_key_to_pkcs8().unwrap(),
    ] {
        f.is_served(Identity::from_der(&chain, &plain, None));
        f.is_served(Identity::from_der(&chain, &plain, Some(secret)));
    }
    let sealed = f
        .key
        .private_key_to_pkcs8_passphrase(cipher, secret)
        .unwrap();
    f.is_served(Identity::from_der(&chain, &sealed, Some(secret)));

    let chain = f.chain_pem();
    for plain in [
        ec.private_key_to_pem().unwrap(),
        f.key.private_key_to_pem_pkcs8().unwrap(),
    ] {
        f.is_served(Identity::from_pem(&chain, &plain));
    }
    for sealed in [
        ec.private_key_to_pem_passphrase(cipher, secret).unwrap(),
        f.key
            .private_key_to_pem_pkcs8_passphrase(cipher, secret)
            .unwrap(),
    ] {
        f.is_served(Identity::from_pem_with_passphrase(&chain, &sealed, secret));
    }
}

#[test]
fn damaged_der_is_refused_for_what_it_is() {
    let f = Fixture::new();
    let (chain, key) = (f.chain_der(), f.key.private_key_to_der().unwrap());
    let sealed = f
        .key
        .private_key_to_pkcs8_passphrase(Cipher::aes_256_cbc(), b"x")
        .unwrap();
    for (chain, key, passphrase, expected) in [
        (&b""[..], &key[..], None, ConfigErrorKind::Malformed),
        (
            &chain[..chain.len() - 1],
            &key,
            None,
            ConfigErrorKind::Malformed,
        ),
        (&f.chain_pem(), &key, None, ConfigErrorKind::Malformed),
        (&chain, &key[1..], None, ConfigErrorKind::Malformed),
        (&chain, b"", None, ConfigErrorKind::Malformed),
        (&chain, &sealed, None, ConfigErrorKind::EncryptedKey),
        (
            &chain,
            &sealed,
            Some(&b"y"[..]),
            ConfigErrorKind::WrongPassphrase,
        ),
    ] {
        assert_eq!(kind(Identity::from_der(chain, key, passphrase)), expected);
    }
}

#[test]
fn files_may_be_binary() {
    let f = Fixture::new();
    let chain = f.write("chain.der", &f.chain_der());
    let key = f.write("key.der", &f.key.private_key_to_der().unwrap());
    let files = || PemFiles::new(&chain, &key);
    f.is_served(files().encoding(Encoding::Der).load());
    assert_eq!(kind(files().load()), ConfigErrorKind::Malformed);
}

#[test]
fn a_passphrase_is_asked_for_only_if_the_key_needs_one() {
    let f = Fixture::new();
    let (cipher, secret) = (Cipher::aes_256_cbc(), SECRET.as_bytes());
    let ec = f.key.ec_key().unwrap();
    let pem = f.write("chain.pem", &f.chain_pem());
    let der = f.write("chain.der", &f.chain_der());
    for (chain, encoding, key, asked_for) in [
        (
            &pem,
            Encoding::Pem,
            f.key.private_key_to_pem_pkcs8().unwrap(),
            false,
        ),
        (
            &pem,
            Encoding::Pem,
            ec.private_key_to_pem_passphrase(cipher, secret).unwrap(),
            true,
        ),
        (
            &pem,
            Encoding::Pem,
            f.key
                .private_key_to_pem_pkcs8_passphrase(cipher, secret)
                .unwrap(),
            true,
        ),
        (
            &der,
            Encoding::Der,
            f.key.private_key_to_der().unwrap(),
            false,
        ),
        (
            &der,
            Encoding::Der,
            f.key.private_key_to_pkcs8().unwrap(),
            false,
        ),
        (
            &der,
            Encoding::Der,
            f.key
                .private_key_to_pkcs8_passphrase(cipher, secret)
                .unwrap(),
            true,
        ),
    ] {
        let key = f.write("key", &key);
        let asked = Rc::new(Cell::new(false));
        let told = Rc::clone(&asked);
        let files = PemFiles::new(chain, key)
            .encoding(encoding)
            .passphrase_from(move || {
                told.set(true);
                Ok(Zeroizing::new(SECRET.into()))
            });
        f.is_served(files.load());
        assert_eq!(asked.get(), asked_for, "{encoding:?}");
    }
    let nobody = PemFiles::new(&der, f.folder.path().join("key"))
        .encoding(Encoding::Der)
        .passphrase_from(|| Err(std::io::ErrorKind::NotConnected.into()));
    assert_eq!(kind(nobody.load()), ConfigErrorKind::BadPassphrase);
}

/// Who is asked may wait as a tasklet does.
#[cfg(feature = "greenling")]
#[test]
fn a_passphrase_may_come_from_another_tasklet() {
    let f = Fixture::new();
    let chain = f.write("chain.pem", &f.chain_pem());
    let sealed = f
        .key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"x");
    let key = f.write("key.pem", &sealed.unwrap());
    let files = PemFiles::new(chain, key).passphrase_from(|| {
        let other = greenling::spawn(|| Zeroizing::new(b"x".to_vec()));
        other.join().map_err(|_| std::io::ErrorKind::Other.into())
    });
    f.is_served(greenling::enter(|| files.load()));
}

fn archive(f: &Fixture, passphrase: &str) -> Vec<u8> {
    let mut above = Stack::new().unwrap();
    above.push(f.root.certificate().clone()).unwrap();
    above.push(f.middle.clone()).unwrap();
    let mut builder = Pkcs12::builder();
    builder.pkey(&f.key).cert(&f.leaf).ca(above);
    builder
        .key_algorithm(Nid::AES_256_CBC)
        .cert_algorithm(Nid::AES_256_CBC);
    builder.build2(passphrase).unwrap().to_der().unwrap()
}

#[test]
fn archives_bring_everything_in_one_file() {
    let f = Fixture::new();
    f.is_served(Identity::from_pkcs12(&archive(&f, SECRET), SECRET));
    f.is_served(Identity::from_pkcs12(&archive(&f, ""), ""));
    f.is_served(Identity::from_pkcs12(&legacy_archive(&f), SECRET));
    let path = f.write("identity.p12", &archive(&f, SECRET));
    f.is_served(Identity::from_pkcs12_file(&path, SECRET));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o602)).unwrap();
    let writable = Identity::from_pkcs12_file(&path, SECRET);
    assert_eq!(kind(writable), ConfigErrorKind::Permissions);
}

#[test]
fn archives_that_cannot_be_used_are_refused_for_what_they_are() {
    let f = Fixture::new();
    let good = archive(&f, SECRET);
    let mut without_key = Pkcs12::builder();
    without_key.cert(&f.leaf).cert_algorithm(Nid::AES_256_CBC);
    let without_key = without_key.build2(SECRET).unwrap().to_der().unwrap();
    for (der, passphrase, expected) in [
        (&good[..], "wrong", ConfigErrorKind::WrongPassphrase),
        (&good, "with\0NUL", ConfigErrorKind::BadPassphrase),
        (&good[..100], SECRET, ConfigErrorKind::Malformed),
        (b"", SECRET, ConfigErrorKind::Malformed),
        (&without_key, SECRET, ConfigErrorKind::Malformed),
    ] {
        assert_eq!(kind(Identity::from_pkcs12(der, passphrase)), expected);
    }
}

/// As programs made them before 2020: with RC2.
fn legacy_archive(f: &Fixture) -> Vec<u8> {
    let chain = f.write("chain.pem", &f.chain_pem());
    let key = f.write("key.pem", &f.key.private_key_to_pem_pkcs8().unwrap());
    let out = f.folder.path().join("legacy.p12");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let output = Command::new("openssl")
        .args([
            "pkcs12",
            "-export",
            "-legacy",
            "-in",
            &text(&chain),
            "-inkey",
            &text(&key),
        ])
        .args(["-out", &text(&out), "-passout", &format!("pass:{SECRET}")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::read(out).unwrap()
}
