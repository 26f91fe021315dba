//! An authority that answers OCSP requests, by the `openssl` command.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use greenling_tls::Identity;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use tempfile::TempDir;

use crate::support::NAME;

/// The serial numbers of certificates that the authority has something to say about.
pub(crate) const GOOD: u32 = 2;
pub(crate) const REVOKED: u32 = 3;
pub(crate) const UNKNOWN: u32 = 4;

const INDEX: &str = "V\t491231235959Z\t\t02\tunknown\t/CN=localhost\n\
                     R\t491231235959Z\t200101000000Z\t03\tunknown\t/CN=localhost\n";

pub(crate) struct Authority {
    root: X509,
    key: PKey<Private>,
    directory: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let key = new_key();
        let name = name("OCSP tests");
        let mut builder = certificate(1, &name, &name, &key);
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let root = builder.build();
        let directory = TempDir::new().unwrap();
        let write = |name: &str, data: &[u8]| fs::write(directory.path().join(name), data).unwrap();
        write("root.pem", &root.to_pem().unwrap());
        write("root.key", &key.private_key_to_pem_pkcs8().unwrap());
        write("index.txt", INDEX.as_bytes());
        Authority {
            root,
            key,
            directory,
        }
    }

    pub(crate) fn root_pem(&self) -> Vec<u8> {
        self.root.to_pem().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A certificate for [`NAME`], also left in the files `leaf.pem` and `leaf.key`.
    pub(crate) fn issue(&self, serial: u32) -> Identity {
        let key = new_key();
        let mut builder = certificate(serial, &name(NAME), self.root.subject_name(), &key);
        let context = builder.x509v3_context(Some(&self.root), None);
        let names = SubjectAlternativeName::new()
            .dns(NAME)
            .build(&context)
            .unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let leaf = builder.build();
        fs::write(self.path("leaf.pem"), leaf.to_pem().unwrap()).unwrap();
        fs::write(
            self.path("leaf.key"),
            key.private_key_to_pem_pkcs8().unwrap(),
        )
        .unwrap();
        Identity::new(vec![leaf], key).unwrap()
    }

    /// What the authority has to say about a certificate; also left in `response.der`.
    pub(crate) fn response(&self, serial: u32) -> Vec<u8> {
        let output = Command::new("openssl")
            .current_dir(self.directory.path())
            .args(["ocsp", "-index", "index.txt", "-CA", "root.pem"])
            .args(["-rsigner", "root.pem", "-rkey", "root.key", "-ndays", "1"])
            .args(["-issuer", "root.pem", "-serial", &serial.to_string()])
            .args(["-noverify", "-respout", "response.der"])
            .output()
            .expect("openssl ocsp");
        assert!(output.status.success(), "{output:?}");
        fs::read(self.path("response.der")).unwrap()
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(common: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, common).unwrap();
    name.build()
}

fn certificate(
    serial: u32,
    subject: &X509Name,
    issuer: &openssl::x509::X509NameRef,
    key: &PKey<Private>,
) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(serial).unwrap();
    let serial = Asn1Integer::from_bn(&serial).unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    let (from, to) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(2));
    builder.set_not_before(&from.unwrap()).unwrap();
    builder.set_not_after(&to.unwrap()).unwrap();
    builder
}
