//! A good file of each kind, as `openssl` has made it; `files/make.sh` says how.

use std::sync::LazyLock;

use greenling_tls::crypto::{Cert, Encoding, Ext};
use openssl::base64::{decode_block, encode_block};

use super::walk::{EXTENSIONS, Kind};

/// How the bytes of a file hold its DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Der,
    /// The lines before and behind the base64 of it.
    Pem(&'static str, &'static str),
    Base64,
    /// After a byte that says what it is.
    Behind(u8),
    /// It has several in it, or none.
    Text,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    pub(crate) bytes: Vec<u8>,
    /// What the bytes hold; empty for texts.
    pub(crate) der: Vec<u8>,
}

impl File {
    /// Other DER in the same form.
    pub(crate) fn dress(&self, der: &[u8]) -> Vec<u8> {
        match self.form {
            Form::Der | Form::Text => der.to_vec(),
            Form::Behind(byte) => [&[byte], der].concat(),
            Form::Base64 => encode_block(der).into_bytes(),
            Form::Pem(begin, end) => {
                let mut text = format!("{begin}\n").into_bytes();
                for line in encode_block(der).as_bytes().chunks(64) {
                    text.extend(line);
                    text.push(b'\n');
                }
                text.extend(format!("{end}\n").bytes());
                text
            }
        }
    }

    fn read(name: &'static str, kind: Kind, bytes: &'static [u8]) -> File {
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim_end();
        let unpack = |base64: String| decode_block(&base64).expect("base64");
        let (form, der) = match kind {
            _ if text.is_empty() => (Form::Der, bytes.to_vec()),
            Kind::Spkac => (Form::Base64, unpack(text.to_owned())),
            Kind::Chain | Kind::Mail => (Form::Text, Vec::new()),
            _ => {
                let (begin, rest) = text.split_once('\n').expect("a BEGIN line");
                let (inner, end) = rest.rsplit_once('\n').expect("an END line");
                match inner.split_once("\n\n") {
                    // Encrypted lines, which are not DER.
                    Some(_) => (Form::Text, Vec::new()),
                    // A certificate and what to think of it, in one block.
                    None if begin.contains("TRUSTED") => (Form::Text, Vec::new()),
                    None => (Form::Pem(begin, end), unpack(inner.replace('\n', ""))),
                }
            }
        };
        File {
            name,
            kind,
            form,
            bytes: bytes.to_vec(),
            der,
        }
    }
}

macro_rules! files {
    ($($kind:ident: $($name:literal)*,)*) => {
        [$($(File::read($name, Kind::$kind, include_bytes!(concat!("files/", $name))),)*)*]
    };
}

/// All of them: as they were made, those in PEM form in DER form as well, and parts.
pub(crate) fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        let mut files = Vec::from(files! {
            Certificate: "leaf.crt" "ca.crt" "trusted.crt" "rsa.crt",
            Chain: "chain.crt",
            Request: "request.csr",
            List: "list.crl",
            PrivateKey: "pkcs8.key" "pkcs8-encrypted.key" "pkcs8-legacy.key" "pkcs8-scrypt.key"
                "ec.key" "ca.key" "ec-encrypted.key" "rsa.key" "dsa.key" "ed25519.key" "x25519.key",
            PublicKey: "ec.pub" "rsa.pub" "ed25519.pub",
            Pkcs12: "modern.p12" "legacy.p12" "open.p12",
            Pkcs7: "signed.p7" "enveloped.p7" "certs.p7",
            Mail: "opaque.eml" "detached.eml",
            Spkac: "spkac.txt",
        });
        for (kind, texts) in [(Kind::Time, &TIMES[..]), (Kind::Text, &TEXTS)] {
            files.extend(texts.iter().map(|text| File {
                name: text,
                kind,
                form: Form::Text,
                bytes: text.as_bytes().to_vec(),
                der: Vec::new(),
            }));
        }
        for index in 0..files.len() {
            if let Form::Pem(..) = files[index].form {
                let File { name, kind, .. } = files[index];
                files.push(file(name, kind, Form::Der, files[index].der.clone()));
            }
        }
        for index in 0..2 {
            let cert = Cert::decode(Encoding::Pem, &files[index].bytes).expect("a certificate");
            let subject = cert.subject().to_der();
            files.push(file("a name", Kind::Name, Form::Der, subject));
            files.extend(cert.extensions().expect("extensions").iter().map(part));
        }
        files
    });
    &FILES
}

/// Times in each of the forms that are read.
const TIMES: [&str; 3] = [
    "20240229235959Z",
    "20240229235959+0130",
    "20240229235959-0130",
];

/// What people write, and what else takes text.
const TEXTS: [&str; 20] = [
    "/C=DE/O=a\\/b/OU=c+OU=d/1.2.3.4=e/CN=host",
    "0123456789abcdefABCDEF",
    "-01:02:03",
    "1.2.840.113549.1.1.1",
    "emailAddress",
    "SHA3-256",
    "prime256v1",
    "*.host.test",
    "127.0.0.1",
    "::ffff:1.2.3.4",
    "me@host.test",
    "https://host.test/path",
    "subjectAltName=DNS:a.test, IP:::1, email:b@c, URI:d:e, RID:1.2.3, otherName:1.2;UTF8:f",
    "basicConstraints=critical, CA:TRUE, pathlen:0",
    "keyUsage=digitalSignature, cRLSign",
    "extendedKeyUsage=serverAuth, 1.2.3.4",
    "nameConstraints=permitted;DNS:.test, excluded;IP:10.0.0.0/255.0.0.0",
    "crlDistributionPoints=URI:http://host.test/",
    "authorityInfoAccess=OCSP;URI:http://host.test/",
    "1.2.3.4=ASN1:UTF8:a",
];

/// The value of an extension.
fn part(extension: &Ext) -> File {
    let oid = extension.oid().to_string();
    let which = EXTENSIONS.iter().position(|known| *known == oid);
    let which = which.expect("listed") as u8;
    let name = EXTENSIONS[usize::from(which)];
    file(
        name,
        Kind::Extension,
        Form::Behind(which),
        extension.value().to_vec(),
    )
}

fn file(name: &'static str, kind: Kind, form: Form, der: Vec<u8>) -> File {
    let mut file = File {
        name,
        kind,
        form,
        bytes: Vec::new(),
        der,
    };
    file.bytes = file.dress(&file.der);
    file
}
