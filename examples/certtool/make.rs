//! `ca`, `server` and `client`: a certificate with its key, from nothing.

use std::path::PathBuf;

use clap::Args;
use greenling_tls::crypto::{Attr, Name};

use crate::authority::AuthorityKey;
use crate::failure::{Failure, Outcome, plain};
use crate::keys::KeyOptions;
use crate::making::{self, CertOptions, Making, OutOptions, Profile, Signer};
use crate::values;

/// The longest common name (RFC 5280, appendix A.1).
const COMMON_NAME_MAX: usize = 64;

/// Options of `ca`.
#[derive(Debug, Args)]
pub(crate) struct CaOptions {
    /// Its name, as "/C=DE/O=Example/CN=Example Root"
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    subject: Name,

    /// Authority that signs it; without one it signs itself
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    ca_key: AuthorityKey,

    /// How many authorities there may be below it, one after the other [default: any number]
    #[arg(long, value_name = "N")]
    path_len: Option<u32>,

    #[command(flatten)]
    cert: CertOptions,

    #[command(flatten)]
    key: KeyOptions,

    #[command(flatten)]
    out: OutOptions,
}

/// Options of `server` and `client`.
#[derive(Debug, Args)]
pub(crate) struct LeafOptions {
    /// Names it goes by: hosts, *.hosts, IP addresses, mailboxes, URIs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Its name for people [default: the first NAME as common name]
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    subject: Option<Name>,

    /// Authority that signs it
    #[arg(long, value_name = "FILE", required_unless_present = "self_signed")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    ca_key: AuthorityKey,

    /// Let it sign itself; who trusts it must trust this very certificate
    #[arg(long, conflicts_with = "ca")]
    self_signed: bool,

    #[command(flatten)]
    cert: CertOptions,

    #[command(flatten)]
    key: KeyOptions,

    #[command(flatten)]
    out: OutOptions,
}

/// Makes an authority.
pub(crate) fn authority(options: &CaOptions) -> Outcome<()> {
    let making = Making {
        profile: Profile::Ca,
        path_len: options.path_len,
        subject: options.subject.clone(),
        names: Vec::new(),
        granted: Vec::new(),
        options: &options.cert,
    };
    let above = options.ca.as_ref().map(|ca| (ca, &options.ca_key));
    make(making, above, &options.key, &options.out)
}

/// Makes a server's certificate.
pub(crate) fn server(options: &LeafOptions) -> Outcome<()> {
    leaf(Profile::Server, options)
}

/// Makes a client's certificate.
pub(crate) fn client(options: &LeafOptions) -> Outcome<()> {
    leaf(Profile::Client, options)
}

fn leaf(profile: Profile, options: &LeafOptions) -> Outcome<()> {
    // A client may be called anything: what has a blank in it is for people only.
    let is_for_people = |text: &&String| profile == Profile::Client && text.contains(' ');
    let names = options
        .names
        .iter()
        .filter(|text| !is_for_people(text))
        .cloned();
    let names = making::names(&names.collect::<Vec<_>>())?;
    let subject = match &options.subject {
        Some(subject) => subject.clone(),
        None => common_name(&options.names[0])?,
    };
    let making = Making {
        profile,
        path_len: None,
        subject,
        names,
        granted: Vec::new(),
        options: &options.cert,
    };
    let above = options.ca.as_ref().map(|ca| (ca, &options.ca_key));
    make(making, above, &options.key, &options.out)
}

fn make(
    making: Making<'_>,
    above: Option<(&PathBuf, &AuthorityKey)>,
    key: &KeyOptions,
    out: &OutOptions,
) -> Outcome<()> {
    let target = out.target()?;
    let authority = above.map(|(ca, key)| key.load(ca)).transpose()?;
    let chosen = key.choose(&target, out.force)?;
    let signer = match &authority {
        Some(authority) => Signer::Authority(authority),
        None => Signer::Itself(&chosen.key),
    };
    let cert = making.sign(&chosen.key.public_key(), signer)?;
    // A key without its certificate is of use; a certificate without its key is not.
    chosen.save()?;
    making::save(&cert, &target, out.form)
}

/// A name for people.
pub(crate) fn common_name(text: &str) -> Outcome<Name> {
    if text.chars().count() > COMMON_NAME_MAX {
        let what = format!("{text:?} is too long for a common name; --subject gives another");
        return Err(Failure::Usage(what));
    }
    let name = Name::builder().set(Attr::CommonName, text).build();
    name.map_err(|error| Failure::Usage(plain(&error)))
}
