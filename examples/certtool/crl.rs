//! `crl`: lists of revoked certificates. The list itself is all that is kept: to revoke
//! is to read it, to add to it, and to sign it again with the next number.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use greenling_tls::crypto::{Crl, CrlBuilder, RevokedReason, Serial, Timestamp};

use crate::authority::{Authority, AuthorityOptions};
use crate::failure::{Failure, Outcome};
use crate::files::Target;
use crate::making::Form;
use crate::{input, keys, values};

/// What the list has that its maker writes anew each time.
const OWN: [&str; 2] = ["authorityKeyIdentifier", "crlNumber"];

/// What to do with a list.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a list
    #[command(after_help = "Example:\n  certtool crl make --ca ca.pem --out ca.crl")]
    Make(MakeOptions),
    /// Add to a list that is there; without certificates, sign it for more time
    #[command(
        after_help = "Example:\n  certtool crl revoke ca.crl www.pem --reason keyCompromise --ca ca.pem"
    )]
    Revoke(RevokeOptions),
}

/// Options of `make`.
#[derive(Debug, Args)]
pub(crate) struct MakeOptions {
    #[command(flatten)]
    revoked: Revoked,

    #[command(flatten)]
    list: ListOptions,

    /// Number of the list [default: seconds since 1970]
    #[arg(long, value_name = "NUMBER", value_parser = values::serial)]
    number: Option<Serial>,

    /// Where it goes
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,

    /// Replace a list that is there
    #[arg(long)]
    force: bool,
}

/// Options of `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeOptions {
    /// The list
    #[arg(value_name = "CRL")]
    crl: PathBuf,

    #[command(flatten)]
    revoked: Revoked,

    #[command(flatten)]
    list: ListOptions,

    /// Where the new list goes [default: in place of the old one]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace what is at --out
    #[arg(long)]
    force: bool,
}

/// What is revoked.
#[derive(Debug, Args)]
struct Revoked {
    /// Certificates to revoke
    #[arg(value_name = "CERT")]
    certs: Vec<PathBuf>,

    /// Serial number to revoke, as 4711, 0x1f2e or 1F:2E (repeatable)
    #[arg(long, value_name = "NUMBER", value_parser = values::serial)]
    serial: Vec<Serial>,

    /// Why: keyCompromise, superseded, cessationOfOperation, ... [default: it is not said]
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<RevokedReason>,

    /// Since when: now, -1h, 20300131235959Z
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = values::time,
        allow_hyphen_values = true)]
    since: Timestamp,
}

/// What the list says of itself.
#[derive(Debug, Args)]
struct ListOptions {
    #[command(flatten)]
    ca: AuthorityOptions,

    /// How long it is in force
    #[arg(long = "for", value_name = "SPAN", default_value = "30d", value_parser = values::span)]
    span: Duration,

    /// Digest of the signature; Ed25519 keys have their own
    #[arg(long, value_name = "NAME", default_value = "sha256", value_parser = values::digest)]
    digest: greenling_tls::crypto::Digest,

    /// The form in which it is written
    #[arg(long, value_name = "FORM", default_value = "pem")]
    form: Form,
}

fn reason(text: &str) -> Result<RevokedReason, String> {
    RevokedReason::from_str(text).map_err(|_| {
        let all: Vec<_> = RevokedReason::all().map(RevokedReason::name).collect();
        format!("not one of {}", all.join(", "))
    })
}

/// Makes or extends a list.
pub(crate) fn run(command: &Command) -> Outcome<()> {
    match command {
        Command::Make(options) => make(options),
        Command::Revoke(options) => revoke(options),
    }
}

fn make(options: &MakeOptions) -> Outcome<()> {
    let target = Target::new(&options.out, options.force)?;
    let authority = options.list.ca.load()?;
    let mut builder = Crl::builder();
    if let Some(number) = &options.number {
        builder = builder.number(number.clone());
    }
    let (builder, count) = options.revoked.add(builder, &[], &authority)?;
    options.list.finish(builder, count, &authority, &target)
}

fn revoke(options: &RevokeOptions) -> Outcome<()> {
    // To replace the list is what is asked for, unless another place is named.
    let (out, force) = match &options.out {
        Some(out) => (out, options.force || *out == options.crl),
        None => (&options.crl, true),
    };
    let target = Target::new(out, force)?;
    let authority = options.list.ca.load()?;
    let old = input::crl(&options.crl)?;
    let fault = |error| Failure::about(&options.crl, &error);
    if old.verify_signature(&authority.cert.public_key()?).is_err() {
        let what = format!("is not signed by {}", options.list.ca.ca.display());
        return Err(Failure::file(&options.crl, what));
    }
    let mut builder = Crl::builder().number(next(old.number()));
    for ext in old.extensions().map_err(fault)? {
        if !OWN.contains(&&*ext.short_name()) {
            builder = builder.ext(ext);
        }
    }
    let known = old.revoked().map_err(fault)?;
    for entry in &known {
        builder = builder.revoke(entry.serial.clone(), entry.date, entry.reason);
    }
    let serials: Vec<_> = known.into_iter().map(|entry| entry.serial).collect();
    let (builder, count) = options.revoked.add(builder, &serials, &authority)?;
    options.list.finish(builder, count, &authority, &target)
}

impl Revoked {
    /// Adds to `builder`, which has `known` already; says how many there are then.
    fn add(
        &self,
        mut builder: CrlBuilder,
        known: &[Serial],
        authority: &Authority,
    ) -> Outcome<(CrlBuilder, usize)> {
        let mut serials = self.serial.clone();
        for path in &self.certs {
            let cert = input::cert(path)?;
            if cert.issuer() != authority.cert.subject() {
                let what = format!("was issued by {}, not by this authority", cert.issuer());
                return Err(Failure::file(path, what));
            }
            serials.push(cert.serial());
        }
        let mut all = known.to_vec();
        for serial in serials {
            if all.contains(&serial) {
                crate::files::note(format_args!("{serial}: is revoked already"));
                continue;
            }
            builder = builder.revoke(serial.clone(), self.since, self.reason);
            all.push(serial);
        }
        Ok((builder, all.len()))
    }
}

impl ListOptions {
    fn finish(
        &self,
        builder: CrlBuilder,
        count: usize,
        authority: &Authority,
        target: &Target,
    ) -> Outcome<()> {
        let now = Timestamp::now();
        let crl = builder
            .issued_by(&authority.cert)
            .last_update(now)
            .next_update(now + self.span)
            .sign(&authority.key, self.digest)?;
        target.write(&crl.encode(self.form.into())?)?;
        let until = now + self.span;
        keys::told(
            target.path(),
            format_args!("list of {count} revoked, until {until}"),
        );
        Ok(())
    }
}

/// The number after `number`: one more, and no less than the list would have by default,
/// so that a list that had none before gets one that is not too low.
fn next(number: Option<Serial>) -> Serial {
    let now = u64::try_from(Timestamp::now().as_unix()).unwrap_or(0);
    let Some(number) = number else {
        return now.into();
    };
    let mut octets = [&[0], number.as_bytes()].concat();
    for octet in octets.iter_mut().rev() {
        *octet = octet.wrapping_add(1);
        if *octet != 0 {
            break;
        }
    }
    Serial::from_bytes(&octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_up() {
        for (number, after) in [
            ("0", "01"),
            ("0x41", "42"),
            ("0xff", "0100"),
            ("0xffff", "010000"),
        ] {
            let number = values::serial(number).unwrap();
            assert_eq!(next(Some(number)), Serial::from_hex(after).unwrap());
        }
        assert!(next(None) > Serial::from(1_700_000_000));
    }

    #[test]
    fn reasons() {
        assert_eq!(reason("keyCompromise"), Ok(RevokedReason::KeyCompromise));
        assert!(reason("boredom").unwrap_err().contains("superseded"));
    }
}
