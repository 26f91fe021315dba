//! Every way in which files can be wrong, and what the message says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use openssl::symm::Cipher;
use tempfile::TempDir;

use super::*;
use crate::config_error::ConfigErrorKind;
use crate::crypto::{self, TestCa};

struct Files {
    dir: TempDir,
    identity: Identity,
}

impl Files {
    fn new() -> Files {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::self_signed(&["localhost"]).unwrap();
        let files = Files { dir, identity };
        files.write("cert.pem", &files.identity.chain_pem().unwrap(), 0o644);
        files.write(
            "key.pem",
            &files.identity.export_private_key_pem().unwrap(),
            0o600,
        );
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, chain: &str, key: &str) -> Result<Identity, Error> {
        Identity::from_pem_files(self.path(chain), self.path(key))
    }

    fn encrypted(&self, passphrase: &[u8]) -> Vec<u8> {
        let cipher = Cipher::aes_256_cbc();
        self.identity
            .key()
            .private_key_to_pem_pkcs8_passphrase(cipher, passphrase)
            .unwrap()
    }
}

/// The kind of a configuration error whose text begins with the file at fault.
fn fault(result: Result<Identity, Error>, file: &str) -> ConfigErrorKind {
    match result {
        Err(Error::Config(error)) => {
            let (subject, text) = (error.subject().to_owned(), error.to_string());
            assert!(subject.ends_with(file), "{text:?} does not name {file:?}");
            assert!(text.starts_with(&subject));
            error.kind()
        }
        other => panic!("not a configuration error: {other:?}"),
    }
}

#[test]
fn good_files_load_separately_and_as_one() {
    let files = Files::new();
    let loaded = files.load("cert.pem", "key.pem").unwrap();
    assert_eq!(
        loaded.leaf().to_der().unwrap(),
        files.identity.leaf().to_der().unwrap()
    );

    let mut both = fs::read(files.path("key.pem")).unwrap();
    both.extend(fs::read(files.path("cert.pem")).unwrap());
    files.write("both.pem", &both, 0o600);
    files.load("both.pem", "both.pem").unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let files = Files::new();
    assert_eq!(
        fault(files.load("none.pem", "key.pem"), "none.pem"),
        ConfigErrorKind::Unreadable
    );
    assert_eq!(
        fault(files.load("cert.pem", "none.key"), "none.key"),
        ConfigErrorKind::Unreadable
    );
    let error = files.load("cert.pem", "none.key").unwrap_err();
    assert_eq!(error.io_kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn files_without_what_they_should_hold_are_named() {
    let files = Files::new();
    files.write("empty", b"", 0o600);
    files.write(
        "junk",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        0o600,
    );
    files.write(
        "torn",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        0o600,
    );
    let malformed = ConfigErrorKind::Malformed;
    assert_eq!(fault(files.load("empty", "key.pem"), "empty"), malformed);
    assert_eq!(fault(files.load("junk", "key.pem"), "junk"), malformed);
    assert_eq!(fault(files.load("cert.pem", "empty"), "empty"), malformed);
    assert_eq!(fault(files.load("cert.pem", "torn"), "torn"), malformed);
    // The files are exchanged.
    assert_eq!(
        fault(files.load("key.pem", "cert.pem"), "cert.pem"),
        ConfigErrorKind::WrongObject
    );
}

#[test]
fn a_key_of_another_certificate_is_a_mismatch() {
    let files = Files::new();
    let other = Identity::self_signed(&["localhost"]).unwrap();
    files.write("other.key", &other.export_private_key_pem().unwrap(), 0o600);
    assert_eq!(
        fault(files.load("cert.pem", "other.key"), "other.key"),
        ConfigErrorKind::KeyMismatch
    );

    let mut chain = files.identity.chain_pem().unwrap();
    chain.extend(other.chain_pem().unwrap());
    files.write("chain.pem", &chain, 0o644);
    let error = files
        .load("chain.pem", "other.key")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("belongs to certificate 2, which must come first"),
        "{error}"
    );
}

/// The test has no terminal to type at, so a prompt would end it with an error
/// of another kind, or not at all.
#[test]
fn an_encrypted_key_never_asks_on_the_terminal() {
    let files = Files::new();
    files.write("locked.pem", &files.encrypted(b"sesame"), 0o600);
    assert_eq!(
        fault(files.load("cert.pem", "locked.pem"), "locked.pem"),
        ConfigErrorKind::EncryptedKey
    );
    let with = |passphrase: &[u8]| {
        PemFiles::new(files.path("cert.pem"), files.path("locked.pem"))
            .passphrase(passphrase)
            .load()
    };
    with(b"sesame").unwrap();
    assert_eq!(
        fault(with(b"wrong"), "locked.pem"),
        ConfigErrorKind::WrongPassphrase
    );
    assert_eq!(
        fault(with(b""), "locked.pem"),
        ConfigErrorKind::WrongPassphrase
    );
    assert_eq!(
        fault(with(b"ses\0ame"), "locked.pem"),
        ConfigErrorKind::BadPassphrase
    );
    assert_eq!(
        fault(with(&[b'x'; 1025]), "locked.pem"),
        ConfigErrorKind::BadPassphrase
    );
}

#[test]
fn the_traditional_form_of_an_encrypted_key_is_recognised_too() {
    let files = Files::new();
    let key = files.identity.key().ec_key().unwrap();
    let pem = key
        .private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"sesame")
        .unwrap();
    let chain = files.identity.chain_pem().unwrap();
    assert_eq!(
        fault(Identity::from_pem(&chain, &pem), "private key"),
        ConfigErrorKind::EncryptedKey
    );
    Identity::from_pem_with_passphrase(&chain, &pem, b"sesame").unwrap();
}

#[test]
fn permissions_of_the_key_are_judged_and_of_the_certificate_are_not() {
    let files = Files::new();
    let strict = || {
        PemFiles::new(files.path("cert.pem"), files.path("key.pem"))
            .strict_key_perms()
            .load()
    };
    for (mode, lax_ok, strict_ok) in [
        (0o600, true, true),
        (0o400, true, true),
        (0o640, true, false),
        (0o644, true, false),
        (0o660, true, false),
        (0o602, false, false),
        (0o666, false, false),
    ] {
        fs::set_permissions(files.path("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
        for (result, ok) in [
            (files.load("cert.pem", "key.pem"), lax_ok),
            (strict(), strict_ok),
        ] {
            match result {
                Ok(_) => assert!(ok, "{mode:o}"),
                refused => {
                    assert!(!ok, "{mode:o}: {refused:?}");
                    assert_eq!(fault(refused, "key.pem"), ConfigErrorKind::Permissions);
                }
            }
        }
    }
    fs::set_permissions(files.path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(files.path("cert.pem"), fs::Permissions::from_mode(0o666)).unwrap();
    strict().unwrap();
}

#[test]
fn symbolic_links_are_followed_to_the_permissions_of_their_target() {
    let files = Files::new();
    std::os::unix::fs::symlink(files.path("key.pem"), files.path("link.pem")).unwrap();
    files.load("cert.pem", "link.pem").unwrap();
    fs::set_permissions(files.path("key.pem"), fs::Permissions::from_mode(0o606)).unwrap();
    assert_eq!(
        fault(files.load("cert.pem", "link.pem"), "link.pem"),
        ConfigErrorKind::Permissions
    );
}

#[test]
fn a_fifo_serves_and_a_directory_or_device_does_not() {
    let files = Files::new();
    let fifo = files.path("fifo");
    let made = std::process::Command::new("mkfifo")
        .arg("-m600")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    // Longer than the first buffer, so that the reader has to grow it.
    let mut key = vec![b'\n'; 10_000];
    key.extend(fs::read(files.path("key.pem")).unwrap());
    let writer = std::thread::spawn(move || fs::write(fifo, key).unwrap());
    files.load("cert.pem", "fifo").unwrap();
    writer.join().unwrap();

    let unreadable = ConfigErrorKind::Unreadable;
    let directory = files
        .dir
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        fault(files.load("", "key.pem"), &format!("{directory}/")),
        unreadable
    );
    assert_eq!(
        fault(
            Identity::from_pem_files("/dev/zero", files.path("key.pem")),
            "/dev/zero"
        ),
        unreadable
    );
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_not_read() {
    let files = Files::new();
    files.write("huge", &vec![b'\n'; (1 << 20) + 1], 0o600);
    assert_eq!(
        fault(files.load("cert.pem", "huge"), "huge"),
        ConfigErrorKind::TooLarge
    );
    let mut largest = fs::read(files.path("key.pem")).unwrap();
    largest.resize(1 << 20, b'\n');
    files.write("largest", &largest, 0o600);
    files.load("cert.pem", "largest").unwrap();
}

#[test]
fn intermediates_are_put_in_order() {
    let (_, chain) = crypto::chain_of_four();
    let (leaf, rest) = chain.split_first().unwrap();
    let der = |certs: &[X509]| {
        certs
            .iter()
            .map(|c| c.to_der().unwrap())
            .collect::<Vec<_>>()
    };
    let stranger = Identity::self_signed(&["stranger"]).unwrap().leaf().clone();
    let mut shuffled: Vec<X509> = rest.iter().rev().cloned().collect();
    shuffled.insert(0, stranger.clone());
    let ordered = crypto::in_order(leaf, shuffled);
    let mut expected = der(rest);
    expected.push(stranger.to_der().unwrap());
    assert_eq!(der(&ordered), expected);
}

#[test]
fn nothing_secret_is_printed() {
    let identity = TestCa::new("tests").unwrap().issue(&["localhost"]).unwrap();
    let shown = format!("{identity:?}");
    assert!(shown.starts_with("Identity { subject: "), "{shown}");
    assert!(
        !shown.contains("PRIVATE") && !shown.contains("key"),
        "{shown}"
    );
    let files = PemFiles::new("a", "b").passphrase("open sesame");
    assert!(!format!("{files:?}").contains("sesame"));
}
