//! The key of what is made: a new one, or one that is there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use greenling_tls::crypto::{Curve, Encoding, KeyAlg, PrivateKey, Protect};

use crate::failure::{Failure, Outcome};
use crate::files::{self, Target};
use crate::{input, passphrase, values};

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct KeyOptions {
    /// Kind of the new key: p256, p384, p521, ed25519, rsa or rsa:BITS [default: p256]
    #[arg(long, value_name = "KIND", value_parser = values::algorithm, conflicts_with = "key")]
    alg: Option<KeyAlg>,

    /// Where the new key goes [default: the name of the output, ending in .key]
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_out: Option<PathBuf>,

    /// A key that is there, to use in place of a new one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The passphrase of the key, which encrypts a new one: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    key_pass: Option<OsString>,
}

/// The key, and the place for it if it is new.
pub(crate) struct Chosen {
    pub(crate) key: PrivateKey,
    new: Option<(Target, Option<Protect>)>,
}

impl KeyOptions {
    /// Reads the key or makes one, which is not written yet.
    pub(crate) fn choose(&self, out: &Target, force: bool) -> Outcome<Chosen> {
        let pass = passphrase::source("--key-pass", self.key_pass.as_ref())?;
        if let Some(path) = &self.key {
            let key = input::key(path, pass, "--key-pass")?;
            return Ok(Chosen { key, new: None });
        }
        let path = match &self.key_out {
            Some(path) => path.clone(),
            None if out.is_standard() => {
                let what = "--key-out must say where the key goes when --out is `-`";
                return Err(Failure::Usage(what.to_owned()));
            }
            None => out.path().with_extension("key"),
        };
        let target = Target::for_key(&path, force)?;
        Target::apart(&[out, &target])?;
        let protect = passphrase::protect(pass.as_ref())?;
        let key = PrivateKey::generate(self.alg.unwrap_or(KeyAlg::Ec(Curve::P256)))?;
        Ok(Chosen {
            key,
            new: Some((target, protect)),
        })
    }
}

impl Chosen {
    /// Writes the key, if it is new.
    pub(crate) fn save(&self) -> Outcome<()> {
        match &self.new {
            Some((target, protect)) => save(&self.key, target, protect.as_ref()),
            None => Ok(()),
        }
    }
}

/// Writes a key as PKCS #8.
pub(crate) fn save(key: &PrivateKey, target: &Target, protect: Option<&Protect>) -> Outcome<()> {
    target.write_secret(&key.encode(Encoding::Pem, protect)?)?;
    let locked = if protect.is_some() { "encrypted " } else { "" };
    told(
        target.path(),
        format_args!("{locked}key, {}", key.algorithm()),
    );
    Ok(())
}

/// Says what has been written.
pub(crate) fn told(path: &Path, what: impl std::fmt::Display) {
    files::note(format_args!("{}: {what}", path.display()));
}
