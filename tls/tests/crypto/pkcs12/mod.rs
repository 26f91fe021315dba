//! PKCS #12 archives, written and read by the program `openssl` and python3-openssl.

mod der;
mod odd;
mod read;
mod written;

use greenling_tls::crypto::{Cert, Pkcs12, PrivateKey, TestCa};

use crate::boxes::{der, issue, key_pem, pem};
use crate::support::run;

pub(super) const SECRET: &str = "correct horse";

/// Few, so that no test waits for them. It is also how the files are told apart that
/// are changed below.
pub(super) const FEW: u32 = 3000;

/// A leaf, its key, and the root that issued it.
pub(super) struct Chain {
    pub(super) leaf: Cert,
    pub(super) key: PrivateKey,
    pub(super) root: Cert,
}

impl Chain {
    pub(super) fn new() -> Chain {
        let ca = TestCa::new("root of the archive").unwrap();
        let (leaf, key) = issue(&ca, "archive.test");
        let root = ca.root().clone();
        Chain { leaf, key, root }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        [key_pem(&self.key), pem(&self.leaf), pem(&self.root)].concat()
    }

    pub(super) fn is_in(&self, archive: &Pkcs12) {
        let found = archive.key.as_ref().expect("a key");
        assert!(found.as_pkey().public_eq(self.key.as_pkey()));
        assert_eq!(der(archive.cert.as_ref().unwrap()), der(&self.leaf));
        assert_eq!(ders(&archive.ca), [der(&self.root)]);
    }
}

pub(super) fn ders(certs: &[Cert]) -> Vec<Vec<u8>> {
    certs.iter().map(der).collect()
}

/// An archive by `openssl pkcs12 -export`, made from PEM.
pub(super) fn export(input: &[u8], passphrase: &str, more: &[&str]) -> Vec<u8> {
    let passphrase = format!("pass:{passphrase}");
    let arguments = [&["pkcs12", "-export", "-passout", &passphrase], more].concat();
    let output = run("openssl", &arguments, input);
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {messages}");
    output.stdout
}

/// What `openssl pkcs12 -info` prints of an archive: names and PEM, then the algorithms.
pub(super) fn info(archive: &[u8], passphrase: &str) -> (String, String) {
    let passphrase = format!("pass:{passphrase}");
    let arguments = ["pkcs12", "-info", "-nodes", "-passin", &passphrase];
    let output = run("openssl", &arguments, archive);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{messages}");
    (String::from_utf8(output.stdout).unwrap(), messages)
}
