//! Signatures of data, checked by `openssl`, and made by it.

use greenling_tls::crypto::{Curve, Digest, KeyAlg, PrivateKey};
use greenling_tls::{ConfigErrorKind, Encoding, Error};
use tempfile::TempDir;

use crate::keys::{self, RSA, read};
use crate::support::{kind, openssl};

const MESSAGE: &[u8] = b"what is signed";

/// `openssl` reads keys, messages and signatures from files.
struct Files(TempDir);

impl Files {
    fn new(key: &PrivateKey) -> Files {
        let files = Files(tempfile::tempdir().unwrap());
        files.write("key", &key.encode(Encoding::Pem, None).unwrap());
        files.write("public", &key.public_key().encode(Encoding::Pem).unwrap());
        files.write("message", MESSAGE);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Whether `openssl` takes the signature.
    fn verify(&self, digest: Option<Digest>, signature: &[u8]) -> bool {
        self.write("signature", signature);
        let [public, message, signature] = ["public", "message", "signature"].map(|n| self.path(n));
        match digest {
            Some(digest) => {
                let digest = format!("-{}", digest.name().replace("SHA-", "SHA"));
                let with = [
                    "dgst",
                    &digest,
                    "-verify",
                    &public,
                    "-signature",
                    &signature,
                    &message,
                ];
                openssl(&with, b"").is_ok()
            }
            None => {
                let key = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &public];
                let rest = ["-in", &message, "-sigfile", &signature];
                openssl(&[&key[..], &rest].concat(), b"").is_ok()
            }
        }
    }

    /// A signature by `openssl`.
    fn sign(&self, digest: Option<Digest>) -> Vec<u8> {
        let [key, message] = ["key", "message"].map(|name| self.path(name));
        match digest {
            Some(digest) => {
                let digest = format!("-{}", digest.name().replace("SHA-", "SHA"));
                openssl(&["dgst", &digest, "-sign", &key, &message], b"").unwrap()
            }
            None => {
                let arguments = [
                    "pkeyutl", "-sign", "-rawin", "-inkey", &key, "-in", &message,
                ];
                openssl(&arguments, b"").unwrap()
            }
        }
    }
}

#[test]
fn both_sides_take_each_others_signatures() {
    let mut keys = keys::all();
    keys.retain(|key| key.algorithm() != KeyAlg::X25519);
    let digests = [
        Digest::Sha256,
        Digest::Sha224,
        Digest::Sha384,
        Digest::Sha3_256,
        Digest::Sha512,
    ];
    let mut kinds = 0;
    for (key, digest) in keys.iter().zip(digests.into_iter().cycle()) {
        let files = Files::new(key);
        let theirs = (key.algorithm() != KeyAlg::Ed25519).then_some(digest);
        let ours = key.sign(digest, MESSAGE).unwrap();
        assert!(files.verify(theirs, &ours), "{key:?}");
        let public = key.public_key();
        public.verify(digest, MESSAGE, &ours).unwrap();
        public.verify(digest, MESSAGE, &files.sign(theirs)).unwrap();

        let mut changed = ours.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (message, signature) in [
            (MESSAGE, &changed[..]),
            (b"what was not signed", &ours),
            (MESSAGE, b""),
            (MESSAGE, b"no signature at all"),
            (MESSAGE, &ours[..ours.len() - 1]),
        ] {
            let refused = public.verify(digest, message, signature);
            assert_eq!(kind(refused), ConfigErrorKind::BadSignature, "{key:?}");
        }
        kinds += 1;
    }
    assert_eq!(kinds, 6);
}

#[test]
fn an_unknown_kind_of_key_signs_as_openssl_has_it() {
    let pem = openssl(&["genpkey", "-algorithm", "ED448"], b"").unwrap();
    let key = read(Encoding::Pem, &pem);
    let signature = key.sign(Digest::default(), MESSAGE).unwrap();
    assert!(Files::new(&key).verify(None, &signature));
    key.public_key()
        .verify(Digest::default(), MESSAGE, &signature)
        .unwrap();
}

#[test]
fn broken_digests_sign_nothing_and_are_still_checked() {
    let key = PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap();
    let files = Files::new(&key);
    for digest in [Digest::Sha1, Digest::Md5] {
        let ours = key.sign(digest, MESSAGE);
        if cfg!(feature = "legacy") {
            assert!(files.verify(Some(digest), &ours.unwrap()));
        } else {
            assert_eq!(kind(ours), ConfigErrorKind::Rejected);
        }
        let theirs = files.sign(Some(digest));
        key.public_key().verify(digest, MESSAGE, &theirs).unwrap();
    }
}

#[test]
fn keys_that_cannot_sign_say_so() {
    let agreeing = PrivateKey::generate(KeyAlg::X25519).unwrap();
    let refused = agreeing.sign(Digest::Sha256, MESSAGE).unwrap_err();
    assert!(matches!(refused, Error::Unsupported(_)), "{refused}");
    let refused = agreeing.public_key().verify(Digest::Sha256, MESSAGE, b"");
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    // 512 bits have no room for a digest of as many.
    let pem = openssl(&["genrsa", "512"], b"").unwrap();
    let refused = read(Encoding::Pem, &pem).sign(Digest::Sha512, MESSAGE);
    assert!(matches!(refused, Err(Error::Ssl(_))), "{refused:?}");
    // What is refused leaves nothing behind for the next.
    read(Encoding::Pem, RSA)
        .sign(Digest::Sha512, MESSAGE)
        .unwrap();
}
