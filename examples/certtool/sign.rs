//! `sign`: what an authority makes of a request.
//!
//! Whoever asks can ask for anything, a certificate for somebody else's name or for an
//! authority. So nothing that is asked for is granted by itself: the command line says
//! what is taken over, and what is left out is told.

use std::path::PathBuf;

use clap::Args;
use greenling_tls::crypto::{Csr, Ext, ExtKind, KeyUsage, Name, Oid};
use greenling_tls::{ConfigErrorKind, Error};

use crate::authority::AuthorityOptions;
use crate::failure::{Failure, Outcome};
use crate::making::{self, CertOptions, Making, OutOptions, Profile, Signer};
use crate::{files, input, values};

/// What the authority decides whatever is asked for: whether it makes an authority, and
/// by what keys are known. They come from --for and the keys.
const OWN: [&str; 3] = [
    "basicConstraints",
    "subjectKeyIdentifier",
    "authorityKeyIdentifier",
];

/// Options of `sign`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The request
    #[arg(value_name = "CSR")]
    csr: PathBuf,

    #[command(flatten)]
    ca: AuthorityOptions,

    /// What the certificate is for
    #[arg(long = "as", value_name = "PURPOSE", default_value = "plain")]
    profile: Profile,

    /// Extension to take over from the request: its name, its number, or `all` (repeatable). Those
    /// that the authority decides (basicConstraints and key identifiers) are never taken
    #[arg(long, value_name = "EXT")]
    take: Vec<String>,

    /// Another name than the one that is asked for
    #[arg(long, value_name = "NAME", value_parser = values::name)]
    subject: Option<Name>,

    /// Name of the certificate, in place of those that are asked for: a host, *.host, IP address,
    /// mailbox or URI (repeatable)
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    /// How many authorities there may be below it, with --as ca [default: any number]
    #[arg(long, value_name = "N")]
    path_len: Option<u32>,

    #[command(flatten)]
    cert: CertOptions,

    #[command(flatten)]
    out: OutOptions,
}

/// Signs a request.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    if options.path_len.is_some() && options.profile != Profile::Ca {
        return Err(Failure::Usage(
            "--path-len goes with --as ca only".to_owned(),
        ));
    }
    let taken = Taken::parse(&options.take)?;
    let target = options.out.target()?;
    let csr = input::csr(&options.csr)?;
    check(&csr, options)?;
    let granted = taken.of(&csr, options)?;
    let making = Making {
        profile: options.profile,
        path_len: options.path_len,
        subject: match &options.subject {
            Some(subject) => subject.clone(),
            None => csr.subject(),
        },
        names: making::names(&options.name)?,
        granted,
        options: &options.cert,
    };
    let authority = options.ca.load()?;
    let cert = making.sign(&csr.public_key()?, Signer::Authority(&authority))?;
    making::save(&cert, &target, options.out.form)
}

/// Who asks must have the key.
fn check(csr: &Csr, options: &Options) -> Outcome<()> {
    csr.verify().map_err(|error| match &error {
        Error::Config(fault) if fault.kind() == ConfigErrorKind::BadSignature => {
            let path = options.csr.display();
            Failure::No(format!("{path}: is not signed by the key that it is about"))
        }
        _ => Failure::about(&options.csr, &error),
    })
}

/// What is taken over.
enum Taken {
    All,
    These(Vec<Oid>),
}

impl Taken {
    fn parse(texts: &[String]) -> Outcome<Taken> {
        if texts.iter().any(|text| text == "all") {
            return Ok(Taken::All);
        }
        let oid = |text: &String| {
            if OWN.contains(&&**text) {
                let what = format!("--take {text}: is the authority's to decide; see --as");
                return Err(Failure::Usage(what));
            }
            let oid = Oid::by_name(text).or_else(|| text.parse().ok());
            oid.ok_or_else(|| Failure::Usage(format!("--take {text}: is no known extension")))
        };
        texts
            .iter()
            .map(oid)
            .collect::<Outcome<_>>()
            .map(Taken::These)
    }

    /// The extensions of the request that are taken over; the rest are told.
    fn of(&self, csr: &Csr, options: &Options) -> Outcome<Vec<Ext>> {
        let asked = csr.extensions();
        let asked = asked.map_err(|error| Failure::about(&options.csr, &error))?;
        let (granted, left): (Vec<_>, Vec<_>) = asked.into_iter().partition(|ext| match self {
            _ if OWN.contains(&&*ext.short_name()) => false,
            // --name is said instead.
            _ if !options.name.is_empty() && ext.short_name() == "subjectAltName" => false,
            Taken::All => true,
            Taken::These(oids) => oids.contains(ext.oid()),
        });
        for ext in left {
            files::note(format_args!(
                "{}: asks for {}, which is not taken over",
                options.csr.display(),
                ext.short_name()
            ));
        }
        for ext in &granted {
            check_usage(ext, options)?;
        }
        Ok(granted)
    }
}

/// Only authorities sign certificates (RFC 5280, section 4.2.1.3).
fn check_usage(ext: &Ext, options: &Options) -> Outcome<()> {
    match ext.kind() {
        ExtKind::KeyUsage(usage)
            if usage.contains(KeyUsage::KEY_CERT_SIGN) && options.profile != Profile::Ca =>
        {
            let what = "asks for a key that signs certificates, which goes with --as ca only";
            Err(Failure::file(&options.csr, what))
        }
        _ => Ok(()),
    }
}
