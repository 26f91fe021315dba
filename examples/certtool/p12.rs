//! `p12`: certificate and key in one file, as browsers, Windows and Java take it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use greenling_tls::crypto::{Cert, Encoding, Pkcs12};

use crate::failure::{Failure, Outcome};
use crate::files::{self, Target};
use crate::{input, keys, passphrase};

/// What to do with a PKCS #12 file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Put a certificate, its key and its chain into a file
    #[command(
        after_help = "Example:\n  certtool p12 pack --cert alice.pem --pass file:pass --out alice.p12"
    )]
    Pack(PackOptions),
    /// Take them out
    #[command(
        after_help = "Example:\n  certtool p12 unpack alice.p12 --pass file:pass --out alice.pem"
    )]
    Unpack(UnpackOptions),
}

/// Options of `pack`.
#[derive(Debug, Args)]
pub(crate) struct PackOptions {
    /// The certificate; what follows in the file goes along as its chain
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,

    /// Its key [default: the name of the certificate, ending in .key]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The passphrase of the key: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    key_pass: Option<OsString>,

    /// More certificates to go along (repeatable)
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,

    /// A name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// The passphrase of the new file: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    pass: OsString,

    /// Where it goes
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// Options of `unpack`.
#[derive(Debug, Args)]
pub(crate) struct UnpackOptions {
    /// The PKCS #12 file
    #[arg(value_name = "P12")]
    file: PathBuf,

    /// Its passphrase: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    pass: Option<OsString>,

    /// Where the certificate goes, and its chain after it
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,

    /// Where the key goes [default: the name of the output, ending in .key]
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,

    /// Where the chain goes, in place of --out
    #[arg(long, value_name = "FILE")]
    chain_out: Option<PathBuf>,

    /// The passphrase that the key gets outside: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    key_pass: Option<OsString>,

    /// Replace files that are there, keys as well
    #[arg(long)]
    force: bool,
}

/// Packs or unpacks.
pub(crate) fn run(command: &Command) -> Outcome<()> {
    match command {
        Command::Pack(options) => pack(options),
        Command::Unpack(options) => unpack(options),
    }
}

fn pack(options: &PackOptions) -> Outcome<()> {
    let source = passphrase::Source::parse("--pass", &options.pass)?;
    let key_pass = passphrase::source("--key-pass", options.key_pass.as_ref())?;
    let target = Target::for_key(&options.out, options.force)?;
    let mut chain = input::chain(&options.cert)?;
    let cert = chain.remove(0);
    for path in &options.chain {
        chain.extend(input::chain(path)?);
    }
    let path = match &options.key {
        Some(path) => path.clone(),
        None => options.cert.with_extension("key"),
    };
    let key = input::key(&path, key_pass, "--key-pass")?;
    if !key.matches(&cert) {
        let what = format!("is not the key of {}", options.cert.display());
        return Err(Failure::file(&path, what));
    }
    let mut builder = Pkcs12::builder().identity(&cert, &key).ca(chain);
    if let Some(name) = &options.name {
        builder = builder.friendly_name(name.as_str());
    }
    let content = builder.build(&passphrase::obtain(&source)?[..])?;
    target.write_secret(&content)?;
    keys::told(
        target.path(),
        format_args!("certificate and key of {}", cert.subject()),
    );
    Ok(())
}

fn unpack(options: &UnpackOptions) -> Outcome<()> {
    let pass = passphrase::source("--pass", options.pass.as_ref())?;
    let key_pass = passphrase::source("--key-pass", options.key_pass.as_ref())?;
    let out = Target::new(&options.out, options.force)?;
    let key_path = match &options.key_out {
        Some(path) => path.clone(),
        None => options.out.with_extension("key"),
    };
    let key_out = Target::for_key(&key_path, options.force)?;
    let chain_out = match &options.chain_out {
        Some(path) => Some(Target::new(path, options.force)?),
        None => None,
    };
    let all: Vec<_> = [&out, &key_out].into_iter().chain(&chain_out).collect();
    Target::apart(&all)?;

    let content = files::read(&options.file)?;
    let opened = Pkcs12::open(&content, passphrase::asked(pass));
    let opened = opened.map_err(|error| Failure::locked(&options.file, &error, "--pass"))?;
    if opened.cert.is_none() && opened.ca.is_empty() && opened.key.is_none() {
        return Err(Failure::file(&options.file, "is empty"));
    }
    if let Some(key) = &opened.key {
        let protect = passphrase::protect(key_pass.as_ref())?;
        keys::save(key, &key_out, protect.as_ref())?;
    }
    let first: Vec<Cert> = opened.cert.into_iter().collect();
    match chain_out {
        Some(chain_out) => {
            save(&first, &out)?;
            save(&opened.ca, &chain_out)
        }
        None => save(&[first, opened.ca].concat(), &out),
    }
}

fn save(certs: &[Cert], target: &Target) -> Outcome<()> {
    if certs.is_empty() {
        return Ok(());
    }
    let mut text = Vec::new();
    for cert in certs {
        text.extend(cert.encode(Encoding::Pem)?);
    }
    target.write(&text)?;
    let count = match certs.len() {
        1 => "certificate".to_owned(),
        count => format!("{count} certificates, the first"),
    };
    keys::told(
        target.path(),
        format_args!("{count} of {}", certs[0].subject()),
    );
    Ok(())
}
