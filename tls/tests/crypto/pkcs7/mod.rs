//! PKCS #7 structures, made and read by the program `openssl` and python3-openssl.

mod carried;
mod forms;
mod refused;
mod signed;

use std::time::Duration;

use greenling_tls::crypto::{
    self, Cert, Digest, Ext, KeyAlg, KeyPurpose, Name, Pkcs7, Pkcs7Flags, PrivateKey, TestCa,
    Timestamp, TrustStore,
};
use tempfile::TempDir;

use crate::boxes::{key_pem, pem};
use crate::support::run;

pub(super) const TEXT: &[u8] = b"first line\nsecond line\n";

/// A root, and a signer below it, for whom nothing is said that signatures might not
/// be used for.
pub(super) struct Signer {
    pub(super) root: Cert,
    pub(super) cert: Cert,
    pub(super) key: PrivateKey,
    pub(super) folder: TempDir,
}

impl Signer {
    pub(super) fn new() -> Signer {
        let ca = TestCa::new("root of signers").unwrap();
        let (cert, key) = certificate(&ca, Timestamp::now(), None);
        let signer = Signer {
            root: ca.root().clone(),
            cert,
            key,
            folder: tempfile::tempdir().unwrap(),
        };
        signer.write("root.pem", &pem(&signer.root));
        signer.write("cert.pem", &pem(&signer.cert));
        signer.write("key.pem", &key_pem(&signer.key));
        signer
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn store(&self) -> TrustStore {
        let store = TrustStore::builder().add_cert(self.root.clone());
        store.build().unwrap()
    }

    pub(super) fn sign(&self, content: &[u8], flags: Pkcs7Flags) -> Pkcs7 {
        Pkcs7::sign(&self.cert, &self.key, &[], content, flags).unwrap()
    }

    /// Runs `openssl`, in whose arguments files of this folder begin with an `@`.
    pub(super) fn openssl(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| match argument.strip_prefix('@') {
                Some(name) => self.path(name),
                None => (*argument).to_owned(),
            })
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run("openssl", &arguments, input);
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {messages}");
        output.stdout
    }
}

/// A certificate with a P-256 key that is valid for an hour, for one purpose or any.
pub(super) fn certificate(
    ca: &TestCa,
    from: Timestamp,
    purpose: Option<KeyPurpose>,
) -> (Cert, PrivateKey) {
    let key = PrivateKey::generate(KeyAlg::Ec(crypto::Curve::P256)).unwrap();
    let purpose = purpose.map(|purpose| Ext::extended_key_usage([purpose]).unwrap());
    let cert = Cert::builder()
        .subject("/CN=signer.test".parse::<Name>().unwrap())
        .issued_by(ca.root())
        .valid_for(from, Duration::from_secs(3600))
        .public_key(&key.public_key())
        .exts(purpose)
        .sign(ca.key(), Digest::Sha256)
        .unwrap();
    (cert, key)
}

pub(super) fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8(text.to_vec())
        .unwrap()
        .replace('\n', "\r\n")
        .into_bytes()
}
