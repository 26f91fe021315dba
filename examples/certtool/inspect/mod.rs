//! `inspect`: what is in a file, for people to read.
//!
//! What is shown was written by whoever made the file. Control characters in it are
//! escaped, since they could make a terminal show something else.

mod cert;
mod find;
mod key;
mod lists;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use greenling_tls::crypto::{Digest, Timestamp};

use crate::failure::{Failure, Outcome};
use crate::{files, passphrase, values};
use report::Report;

pub(crate) use find::certs_and_crls;

/// Options of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Files to look into
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The passphrase of what is encrypted: fd:N, file:PATH or env:NAME
    #[arg(long, value_name = "SOURCE")]
    pass: Option<OsString>,

    /// The moment for which to tell what has expired: now, +30d, 20300131235959Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time, allow_hyphen_values = true)]
    at: Option<Timestamp>,

    /// Digest of fingerprints (repeatable) [default: sha256 and sha1]
    #[arg(long, value_name = "NAME", value_parser = fingerprint)]
    fingerprint: Vec<Digest>,

    /// Show objects as OpenSSL prints them, too
    #[arg(long)]
    text: bool,

    /// End with 1 if there is a warning
    #[arg(long)]
    check: bool,
}

fn fingerprint(text: &str) -> Result<Digest, String> {
    Digest::by_name(text).ok_or_else(|| "not one of md5, sha1, sha256, sha512, ...".to_owned())
}

/// What is asked for.
struct Question {
    at: Timestamp,
    digests: Vec<Digest>,
    text: bool,
}

/// Shows all files. One that cannot be read does not hide the others.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let source = passphrase::source("--pass", options.pass.as_ref())?;
    let question = Question {
        at: options.at.unwrap_or_else(Timestamp::now),
        digests: match &options.fingerprint[..] {
            [] => vec![Digest::Sha256, Digest::Sha1],
            asked => asked.to_vec(),
        },
        text: options.text,
    };
    let mut warnings = 0;
    let mut failed = None;
    for path in &options.files {
        let shown = files::read(path).and_then(|content| {
            let found = find::all(path, &content, source.as_ref())?;
            let mut text = String::new();
            for object in &found {
                let mut report = Report::new(&path.display().to_string());
                let shown = object.show(&mut report, &question);
                shown.map_err(|error| Failure::about(path, &error))?;
                warnings += report.warnings();
                text.push_str(&report.finish());
            }
            files::print(text.as_bytes())
        });
        if let Err(failure) = shown {
            files::note(format_args!("certtool: {failure}"));
            failed = Some(failure);
        }
    }
    match (failed, warnings) {
        (Some(_), _) => {
            let text = "not all files could be shown".to_owned();
            Err(Failure::Unusable(text))
        }
        (None, 1..) if options.check => Err(Failure::No(format!("warnings: {warnings}"))),
        _ => Ok(()),
    }
}
