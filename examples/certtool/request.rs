//! `csr`: a request, for an authority to sign.

use clap::Args;
use greenling_tls::crypto::{BasicConstraints, Csr, Ext, KeyPurpose, Name};

use crate::failure::Outcome;
use crate::keys::{self, KeyOptions};
use crate::making::{self, OutOptions, Profile, SignatureOptions};
use crate::values;

/// Options of `csr`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Names to ask for: hosts, *.hosts, IP addresses, mailboxes, URIs
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Its name, as "/C=DE/O=Example/CN=www" [default: the first NAME as common name]
    #[arg(long, value_name = "NAME", required_unless_present = "names",
        value_parser = values::name)]
    subject: Option<Name>,

    /// What to ask for
    #[arg(long = "for", value_name = "PURPOSE", default_value = "plain")]
    profile: Profile,

    #[command(flatten)]
    signature: SignatureOptions,

    #[command(flatten)]
    key: KeyOptions,

    #[command(flatten)]
    out: OutOptions,
}

/// Makes a request and the key that it is about.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let target = options.out.target()?;
    let names = making::names(&options.names)?;
    let subject = match (&options.subject, options.names.first()) {
        (Some(subject), _) => subject.clone(),
        (None, Some(name)) => crate::make::common_name(name)?,
        (None, None) => unreachable!("the command line has one of them"),
    };
    let chosen = options.key.choose(&target, options.out.force)?;
    let public = chosen.key.public_key();
    let mut exts = Vec::new();
    match options.profile {
        Profile::Ca => exts.push(Ext::basic_constraints(BasicConstraints::AUTHORITY)?),
        Profile::Server => exts.push(Ext::extended_key_usage([KeyPurpose::ServerAuth])?),
        Profile::Client => exts.push(Ext::extended_key_usage([KeyPurpose::ClientAuth])?),
        Profile::Plain => {}
    }
    if let Some(usage) = making::usage(options.profile, public.algorithm()) {
        exts.push(Ext::key_usage(usage)?);
    }
    if !names.is_empty() {
        exts.push(Ext::subject_alt_name(names)?);
    }
    making::add_texts(&mut exts, &options.signature.ext, &public, None)?;
    let csr = Csr::builder()
        .subject(subject)
        .exts(exts)
        .sign(&chosen.key, options.signature.digest)?;
    chosen.save()?;
    target.write(&csr.encode(options.out.form.into())?)?;
    keys::told(target.path(), format_args!("request of {}", csr.subject()));
    Ok(())
}
