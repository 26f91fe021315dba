//! What all servers of a run share: a temporary folder with a certificate.

use std::cell::OnceCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};

use crate::go::Go;

/// Sizes of the bodies under `/bytes/` that every server has.
pub const BODY_SIZES: [u64; 7] = [1, 1 << 10, 16 << 10, 256 << 10, 1 << 20, 16 << 20, 64 << 20];

/// The folder; removed on drop.
#[derive(Debug)]
pub struct Ground {
    folder: PathBuf,
    /// The Go server, compiled when it is asked for; else why it cannot be.
    go: OnceCell<Result<Go, String>>,
}

impl Ground {
    /// Makes the folder, and in it a self-signed P-256 certificate for
    /// localhost, the same kind for everybody.
    ///
    /// # Errors
    ///
    /// When files cannot be written.
    pub fn new() -> io::Result<Ground> {
        let folder = format!("greenling-http-{}", std::process::id());
        let ground = Ground {
            folder: std::env::temp_dir().join(folder),
            go: OnceCell::new(),
        };
        fs::create_dir_all(&ground.folder)?;
        let (certificate, key) = self_signed()?;
        fs::write(ground.certificate(), certificate.to_pem()?)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(ground.key())?
            .write_all(&key.private_key_to_pem_pkcs8()?)?;
        Ok(ground)
    }

    /// The certificate, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Its private key, PEM.
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Where servers may keep files of their own.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file called `name` with `text` in it.
    pub(super) fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// A folder with a file for each of [`BODY_SIZES`], called by its size.
    pub(super) fn bodies(&self) -> io::Result<PathBuf> {
        let folder = self.folder.join("bytes");
        if !folder.exists() {
            fs::create_dir(&folder)?;
            for size in BODY_SIZES {
                // Zeros that the file system need not keep.
                File::create(folder.join(size.to_string()))?.set_len(size)?;
            }
        }
        Ok(folder)
    }

    /// The executable of the Go server.
    pub(super) fn go_server(&self) -> io::Result<PathBuf> {
        let source = include_str!("../../rivals/go/hello.go");
        let build = || Go::build("hello", source).map_err(|error| error.to_string());
        match self.go.get_or_init(build) {
            Ok(go) => Ok(go.path()),
            Err(reason) => Err(io::Error::other(reason.clone())),
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // It lies under the system's temporary folder, which is cleaned anyhow.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn self_signed() -> Result<(X509, PKey<Private>), ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "localhost")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(&key, MessageDigest::sha256())?;
    Ok((builder.build(), key))
}
