//! `verify`: whether certificates are what they should be.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use greenling_tls::Error;
use greenling_tls::crypto::{
    Cert, Purpose, Timestamp, TrustStore, TrustStoreBuilder, VerifyFlags, VerifyOptions,
};

use crate::failure::{Failure, Outcome};
use crate::{files, input, values};

/// Options of `verify`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("trust").required(true).multiple(true)))]
pub(crate) struct Options {
    /// Files whose first certificate is checked; what follows in them are intermediates
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Trust the certificates of this file (repeatable)
    #[arg(long, value_name = "FILE", group = "trust")]
    ca: Vec<PathBuf>,

    /// Trust the certificates of a directory, linked by hash (repeatable)
    #[arg(long, value_name = "DIR", group = "trust")]
    ca_dir: Vec<PathBuf>,

    /// Trust whom the system trusts
    #[arg(long, group = "trust")]
    system: bool,

    /// More intermediates (repeatable)
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,

    /// Host that it must be for; an IP address as well
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// Mailbox that it must be for
    #[arg(long, value_name = "MAILBOX")]
    email: Option<String>,

    /// What it must be good for
    #[arg(long, value_name = "PURPOSE", default_value = "any")]
    purpose: Wanted,

    /// When: now, -1h, +30d, 20300131235959Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time, allow_hyphen_values = true)]
    at: Option<Timestamp>,

    /// List of revoked certificates; there must be one of the issuer that is in force (repeatable)
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// Look up authorities in lists, too
    #[arg(long)]
    crl_all: bool,

    /// How many intermediates there may be
    #[arg(long, value_name = "N")]
    depth: Option<u32>,

    /// Trust intermediates of --ca without their root
    #[arg(long)]
    partial: bool,

    /// Insist on what RFC 5280 says and OpenSSL lets pass
    #[arg(long)]
    strict: bool,

    /// Say only what is wrong
    #[arg(long, short)]
    quiet: bool,
}

/// What a certificate must be good for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    Server,
    Client,
    Email,
    Timestamps,
    Any,
}

impl From<Wanted> for Purpose {
    fn from(wanted: Wanted) -> Purpose {
        match wanted {
            Wanted::Server => Purpose::Server,
            Wanted::Client => Purpose::Client,
            Wanted::Email => Purpose::EmailSigning,
            Wanted::Timestamps => Purpose::TimeStamping,
            Wanted::Any => Purpose::Any,
        }
    }
}

/// Checks all, so that one answer tells of all that is wrong.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let store = store(options)?;
    let question = question(options);
    let mut intermediates = Vec::new();
    for path in &options.chain {
        intermediates.extend(input::chain(path)?);
    }
    let mut bad = 0;
    for path in &options.files {
        let mut chain = input::chain(path)?;
        let cert = chain.remove(0);
        chain.extend_from_slice(&intermediates);
        match store.verify_for(&cert, &chain, &question) {
            Ok(found) if !options.quiet => files::print(good(path, &found).as_bytes())?,
            Ok(_) => {}
            Err(Error::Certificate(fault)) => {
                files::note(format_args!("{}: bad: {fault}", path.display()));
                bad += 1;
            }
            Err(error) => return Err(Failure::about(path, &error)),
        }
    }
    match (bad, options.files.len()) {
        (0, _) => Ok(()),
        (_, 1) => Err(Failure::No(
            "the certificate is not to be trusted".to_owned(),
        )),
        (_, all) => {
            let text = format!("{bad} of {all} certificates are not to be trusted");
            Err(Failure::No(text))
        }
    }
}

/// The file, and the path from its certificate to the one that is trusted.
fn good(path: &Path, found: &[Cert]) -> String {
    let mut text = format!("{}: good\n", path.display());
    for (depth, cert) in found.iter().enumerate() {
        let (subject, until) = (cert.subject(), cert.not_after());
        text.push_str(&format!("  {depth} {subject}, until {until}\n"));
    }
    text
}

fn store(options: &Options) -> Outcome<TrustStore> {
    let mut builder = TrustStore::builder();
    for path in &options.ca {
        builder = builder.add_certs(input::chain(path)?);
    }
    for path in &options.ca_dir {
        builder = builder.add_hash_dir(path);
    }
    if options.system {
        builder = builder.add_system_roots();
    }
    for path in &options.crl {
        builder = builder.add_crl(input::crl(path)?);
    }
    Ok(flags(builder, options).build()?)
}

fn flags(builder: TrustStoreBuilder, options: &Options) -> TrustStoreBuilder {
    let mut flags = VerifyFlags::default();
    if options.crl_all {
        flags |= VerifyFlags::CRL_CHECK_ALL;
    }
    if options.partial {
        flags |= VerifyFlags::PARTIAL_CHAIN;
    }
    if options.strict {
        flags |= VerifyFlags::X509_STRICT;
    }
    builder.flags(flags)
}

fn question(options: &Options) -> VerifyOptions {
    let mut question = VerifyOptions::new().purpose(options.purpose.into());
    if let Some(at) = options.at {
        question = question.at(at);
    }
    if let Some(host) = &options.host {
        question = match host.parse::<IpAddr>() {
            Ok(ip) => question.ip(ip),
            Err(_) => question.host(host),
        };
    }
    if let Some(email) = &options.email {
        question = question.email(email);
    }
    if let Some(depth) = options.depth {
        question = question.depth(depth);
    }
    question
}
