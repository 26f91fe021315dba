//! Round trips with the program `openssl`: each kind of object, by each kind of key, in
//! each encoding and encryption, written by one side and read by the other.

use std::path::PathBuf;
use std::process::Command;

use greenling_tls::crypto::legacy::Spkac;
use greenling_tls::crypto::{
    Cert, Crl, Csr, Digest, KeyCipher, Name, Pkcs7, Pkcs7Flags, Pkcs12, PrivateKey, Protect,
    PublicKey, Serial, Timestamp,
};
use greenling_tls::{Encoding, Error};
use tempfile::TempDir;
use tests::tools::{self, Finished};

use crate::keys::{Key, Keys, Kind};

/// The passphrase of what is encrypted.
const SECRET: &str = "correct horse";

const FORMS: [(Encoding, &str); 2] = [(Encoding::Pem, "PEM"), (Encoding::Der, "DER")];

const CIPHERS: [(KeyCipher, &str); 4] = [
    (KeyCipher::Aes128Cbc, "aes-128-cbc"),
    (KeyCipher::Aes192Cbc, "aes-192-cbc"),
    (KeyCipher::Aes256Cbc, "aes-256-cbc"),
    (KeyCipher::DesEde3Cbc, "des-ede3-cbc"),
];

/// The program, and a folder for what it cannot read from its standard input.
struct OpenSsl {
    program: PathBuf,
    folder: TempDir,
}

impl OpenSsl {
    fn find(test: &str) -> Option<OpenSsl> {
        Some(OpenSsl {
            program: tools::find(test, "openssl")?,
            folder: tempfile::tempdir().expect("a folder"),
        })
    }

    /// Runs it with these words as arguments; a `{secret}` is where the passphrase comes
    /// from, which has a space in it. Answers its output.
    #[track_caller]
    fn run(&self, arguments: &str, input: &[u8]) -> Vec<u8> {
        self.finish(arguments, input).stdout
    }

    /// As [`OpenSsl::run`], with its messages too.
    #[track_caller]
    fn finish(&self, arguments: &str, input: &[u8]) -> Finished {
        let secret = format!("pass:{SECRET}");
        let words = arguments.split_whitespace();
        let words = words.map(|word| if word == "{secret}" { &secret } else { word });
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.folder.path());
        let done = tools::run(&mut command, input);
        assert!(done.status.success(), "{arguments}: {}", done.text());
        done
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("written");
    }
}

fn public_der(key: &Key) -> Vec<u8> {
    key.public().encode(Encoding::Der).expect("DER")
}

fn has_traditional_form(key: &Key) -> bool {
    key.kind != Kind::Ed25519
}

/// The keys by which all is signed: of each kind one.
fn signers(keys: &Keys) -> [&Key; 3] {
    [0, 1, 2].map(|number| &keys.all()[number])
}

fn name() -> Name {
    "/CN=command line".parse().expect("a name")
}

fn cert(key: &Key) -> Cert {
    Cert::builder()
        .subject(name())
        .not_before(Timestamp::from_unix(0))
        .not_after(Timestamp::from_unix(4_000_000_000))
        .sign(&key.private, Digest::Sha256)
        .expect("a certificate")
}

fn crl(key: &Key) -> Crl {
    let revoked = Timestamp::from_unix(1_000);
    Crl::builder()
        .issuer(name())
        .last_update(Timestamp::from_unix(1_000))
        .next_update(Timestamp::from_unix(4_000_000_000))
        .revoke(Serial::from(5), revoked, None)
        .sign(&key.private, Digest::Sha256)
        .expect("a list")
}

#[test]
fn openssl_reads_our_keys() {
    let Some(openssl) = OpenSsl::find("our keys") else {
        return;
    };
    for key in Keys::load().all() {
        let expected = public_der(key);
        let read = |bytes: &[u8], form: &str| {
            let arguments = "pkey -passin {secret} -pubout -outform DER -inform ";
            assert_eq!(openssl.run(&format!("{arguments}{form}"), bytes), expected);
        };
        for (encoding, form) in FORMS {
            read(&key.private.encode(encoding, None).expect("a key"), form);
            let public = key.public().encode(encoding).expect("a key");
            let arguments = format!("pkey -pubin -outform DER -inform {form}");
            assert_eq!(openssl.run(&arguments, &public), expected);
            if has_traditional_form(key) {
                let plain = key.private.encode_traditional(encoding, None);
                read(&plain.expect("a key"), form);
            }
        }
    }
}

#[test]
fn openssl_reads_our_encrypted_keys() {
    let Some(openssl) = OpenSsl::find("our encrypted keys") else {
        return;
    };
    for key in signers(&Keys::load()) {
        for (cipher, _) in CIPHERS {
            let protect = Protect::new(SECRET).cipher(cipher).iterations(10);
            let mut written: Vec<(Vec<u8>, &str)> = Vec::new();
            for (encoding, form) in FORMS {
                let sealed = key.private.encode(encoding, Some(&protect)).expect("a key");
                written.push((sealed.to_vec(), form));
            }
            if has_traditional_form(key) {
                let sealed = key
                    .private
                    .encode_traditional(Encoding::Pem, Some(&protect));
                written.push((sealed.expect("a key").to_vec(), "PEM"));
            }
            for (bytes, form) in written {
                let arguments =
                    format!("pkey -passin {{secret}} -pubout -outform DER -inform {form}");
                assert_eq!(
                    openssl.run(&arguments, &bytes),
                    public_der(key),
                    "{cipher:?}"
                );
            }
        }
    }
}

#[test]
fn we_read_keys_of_openssl() {
    let Some(openssl) = OpenSsl::find("keys of openssl") else {
        return;
    };
    let keys = Keys::load();
    let check = |key: &Key, encoding: Encoding, bytes: &[u8]| {
        let read = PrivateKey::decode(encoding, bytes, SECRET).expect("a key");
        let public = read.public_key().encode(Encoding::Der);
        assert_eq!(public.expect("DER"), public_der(key));
    };
    for key in keys.all() {
        for (encoding, form) in FORMS {
            let from = format!("-inform DER -outform {form}");
            check(
                key,
                encoding,
                &openssl.run(&format!("pkey {from}"), &key.der),
            );
            let public = openssl.run(&format!("pkey -pubout {from}"), &key.der);
            let public = PublicKey::decode(encoding, &public).expect("a key");
            assert_eq!(public.encode(Encoding::Der).expect("DER"), public_der(key));
            if has_traditional_form(key) {
                let old = openssl.run(&format!("pkey -traditional {from}"), &key.der);
                check(key, encoding, &old);
            }
        }
    }
    // Of these the first two are of today, the others of old.
    let more = [
        "-v2 aes-256-cbc -v2prf hmacWithSHA512",
        "-scrypt",
        "-v1 PBE-SHA1-3DES",
    ];
    for key in signers(&keys) {
        let ciphers = CIPHERS.map(|(_, cipher)| format!("-v2 {cipher}"));
        for how in ciphers.iter().map(String::as_str).chain(more) {
            for (encoding, form) in FORMS {
                let arguments =
                    format!("pkcs8 -topk8 -inform DER -outform {form} -passout {{secret}} {how}");
                check(key, encoding, &openssl.run(&arguments, &key.der));
            }
        }
        if has_traditional_form(key) {
            for (_, cipher) in CIPHERS {
                let arguments =
                    format!("pkey -inform DER -traditional -{cipher} -passout {{secret}}");
                check(key, Encoding::Pem, &openssl.run(&arguments, &key.der));
            }
        }
    }
}

#[test]
fn openssl_reads_our_certificates_requests_and_lists() {
    let Some(openssl) = OpenSsl::find("our certificates") else {
        return;
    };
    for key in signers(&Keys::load()) {
        let (cert, crl) = (cert(key), crl(key));
        let csr = Csr::builder()
            .subject(name())
            .sign(&key.private, Digest::Sha256);
        let csr = csr.expect("a request");
        openssl.write("ca.pem", &cert.encode(Encoding::Pem).expect("PEM"));
        type Write<'a> = &'a dyn Fn(Encoding) -> Result<Vec<u8>, Error>;
        // What it reads, and what it says of the signature, which it only says.
        let objects: [(&str, &str, Write<'_>); 3] = [
            ("x509", "", &|encoding| cert.encode(encoding)),
            ("req -verify", "verify OK", &|encoding| csr.encode(encoding)),
            ("crl -CAfile ca.pem", "verify OK", &|encoding| {
                crl.encode(encoding)
            }),
        ];
        for (command, verdict, write) in objects {
            for (encoding, form) in FORMS {
                let bytes = write(encoding).expect("it is written");
                let arguments = format!("{command} -inform {form} -outform DER");
                let read = openssl.finish(&arguments, &bytes);
                assert_eq!(
                    read.stdout,
                    write(Encoding::Der).expect("DER"),
                    "{command} {form}"
                );
                assert!(read.text().contains(verdict), "{command}: {}", read.text());
            }
        }
        openssl.run("verify -CAfile ca.pem ca.pem", b"");
    }
}

#[test]
fn we_read_certificates_requests_and_lists_of_openssl() {
    let Some(openssl) = OpenSsl::find("certificates of openssl") else {
        return;
    };
    openssl.write(
        "ca.conf",
        b"[ca]\ndefault_ca = it\n[it]\ndatabase = index\ndefault_md = sha256\n\
          default_crl_days = 9\n",
    );
    openssl.write(
        "index",
        b"R\t380101000000Z\t260101000000Z,keyCompromise\t0A\tunknown\t/CN=a\n",
    );
    for key in signers(&Keys::load()) {
        openssl.write(
            "key.pem",
            &key.private.encode(Encoding::Pem, None).expect("PEM"),
        );
        let mut ders: Vec<Vec<u8>> = Vec::new();
        for (encoding, form) in FORMS {
            let from = format!("-new -key key.pem -subj /CN=theirs -outform {form}");
            let cert = openssl.run(&format!("req -x509 -days 9 {from}"), b"");
            let cert = Cert::decode(encoding, &cert).expect("a certificate");
            assert_eq!(cert.subject().to_string(), "CN=theirs");
            cert.verify_signature(&key.public()).expect("its signature");
            let csr = openssl.run(&format!("req {from}"), b"");
            let csr = Csr::decode(encoding, &csr).expect("a request");
            assert_eq!(csr.subject().to_string(), "CN=theirs");
            csr.verify().expect("its signature");
            ders.push(
                csr.public_key()
                    .and_then(|key| key.encode(Encoding::Der))
                    .expect("DER"),
            );

            openssl.write("cert.pem", &cert.encode(Encoding::Pem).expect("PEM"));
            let crl = openssl.run(
                "ca -gencrl -config ca.conf -keyfile key.pem -cert cert.pem",
                b"",
            );
            let crl = openssl.run(&format!("crl -outform {form}"), &crl);
            let crl = Crl::decode(encoding, &crl).expect("a list");
            crl.verify_signature(&key.public()).expect("its signature");
            let revoked = crl.revoked().expect("entries");
            assert_eq!(revoked.len(), 1);
            assert_eq!(revoked[0].serial, Serial::from(10));
        }
        assert_eq!(ders, [public_der(key), public_der(key)]);
    }
}

#[test]
fn openssl_reads_our_containers() {
    let Some(openssl) = OpenSsl::find("our containers") else {
        return;
    };
    for key in signers(&Keys::load()) {
        let cert = cert(key);
        let der = cert.encode(Encoding::Der).expect("DER");
        let box_of_both = Pkcs12::builder()
            .identity(&cert, &key.private)
            .iterations(10)
            .build(SECRET)
            .expect("an archive");
        let open = "pkcs12 -passin {secret} -nodes";
        let pem = openssl.run(open, &box_of_both);
        let found = PrivateKey::decode(Encoding::Pem, &pem, SECRET).expect("a key");
        assert_eq!(
            found.public_key().encode(Encoding::Der).expect("DER"),
            public_der(key)
        );
        let found = Cert::decode(Encoding::Pem, &pem).expect("a certificate");
        assert_eq!(found.encode(Encoding::Der).expect("DER"), der);

        let text = Spkac::builder()
            .challenge("hello")
            .sign(&key.private, Digest::Sha256);
        let file = format!("SPKAC={}\n", text.expect("a signed key").to_base64());
        let public = openssl.run("spkac -verify -noout -pubkey", file.as_bytes());
        let public = PublicKey::decode(Encoding::Pem, &public).expect("a key");
        assert_eq!(public.encode(Encoding::Der).expect("DER"), public_der(key));

        for (encoding, form) in FORMS {
            let bundle = Pkcs7::certs_only(std::slice::from_ref(&cert), &[]).expect("a bundle");
            let arguments = format!("pkcs7 -print_certs -inform {form}");
            let pem = openssl.run(&arguments, &bundle.encode(encoding));
            let found = Cert::decode(Encoding::Pem, &pem).expect("a certificate");
            assert_eq!(found.encode(Encoding::Der).expect("DER"), der);
            if key.kind != Kind::Ed25519 {
                let flags = Pkcs7Flags::default();
                let signed = Pkcs7::sign(&cert, &key.private, &[], b"content", flags);
                let arguments = format!("smime -verify -noverify -inform {form}");
                let content = openssl.run(&arguments, &signed.expect("signed").encode(encoding));
                assert_eq!(content, b"content");
            }
        }
    }
}

#[test]
fn we_read_containers_of_openssl() {
    let Some(openssl) = OpenSsl::find("containers of openssl") else {
        return;
    };
    for key in signers(&Keys::load()) {
        let cert = cert(key);
        let pem = cert.encode(Encoding::Pem).expect("PEM");
        let key_pem = key.private.encode(Encoding::Pem, None).expect("PEM");
        openssl.write("key.pem", &key_pem);
        openssl.write("both.pem", &[&pem[..], &key_pem].concat());
        openssl.write("content", b"content");
        for how in [
            "",
            "-certpbe NONE -keypbe AES-128-CBC",
            "-macalg sha512",
            "-legacy",
        ] {
            let arguments =
                format!("pkcs12 -export -in both.pem -passout {{secret}} -iter 10 {how}");
            let archive = openssl.run(&arguments, b"");
            let archive = Pkcs12::open(&archive, SECRET).expect(how);
            assert_eq!(archive.cert.as_ref(), Some(&cert), "{how}");
            let found = archive.key.expect("a key").public_key();
            assert_eq!(found.encode(Encoding::Der).expect("DER"), public_der(key));
        }

        if key.kind != Kind::Ed25519 {
            let text = openssl.run("spkac -digest sha256 -key key.pem -challenge hello", b"");
            let text = String::from_utf8(text).expect("text");
            let text = text.strip_prefix("SPKAC=").expect("its form");
            let spkac = Spkac::from_base64(text).expect("a signed key");
            assert_eq!(spkac.challenge(), "hello");
            spkac.verify(&key.public()).expect("its signature");
        }
        for (encoding, form) in FORMS {
            let arguments = format!("crl2pkcs7 -nocrl -certfile both.pem -outform {form}");
            let bundle = Pkcs7::decode(encoding, &openssl.run(&arguments, b""));
            let bundle = bundle.expect("a bundle");
            assert!(bundle.is_signed() && bundle.certificates() == [cert.clone()]);
            if key.kind != Kind::Ed25519 {
                let arguments = format!(
                    "smime -sign -binary -nodetach -signer both.pem -in content -outform {form}"
                );
                let signed = Pkcs7::decode(encoding, &openssl.run(&arguments, b""));
                let content = signed.expect("signed").dangerous_verify_signatures(
                    &[],
                    None,
                    Pkcs7Flags::default(),
                );
                assert_eq!(content.expect("its signature"), b"content");
            }
        }
    }
}
