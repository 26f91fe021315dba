//! Certificates on the command line: a small authority, and a look into what others make.
//!
//! ```text
//! cargo run --release --example certtool -- simple --dir certs
//! cargo run --release --example certtool -- inspect certs/server.cert
//! ```
//!
//! `--help` lists the commands, and docs/certtool.md what they are for. Each command has
//! a file with its options and what it does; read `making` first, by which all
//! certificates are made, then `files` and `passphrase`. The program needs no tasklets:
//! off a scheduler the library computes on the calling thread.

mod authority;
mod crl;
mod failure;
mod files;
mod input;
mod inspect;
mod keys;
mod make;
mod making;
mod p12;
mod passphrase;
mod rehash;
mod request;
mod sign;
mod simple;
mod values;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Outcome;

const AFTER_HELP: &str = "\
Inputs are in PEM or DER form, whichever it turns out to be; `-` is standard
input or output. No file is replaced without --force. `certtool COMMAND --help`
has the options of a command, and an example.

Exit codes:
  0  all is well
  1  the answer is no: a verification failed, a request is not signed by its key, a check warns
  2  the command line is wrong
  3  a file cannot be read, used or written";

/// Makes, signs and looks at certificates.
#[derive(Debug, Parser)]
#[command(name = "certtool", version, after_help = AFTER_HELP)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an authority: one that signs itself, or an intermediate one
    #[command(
        after_help = "Example:\n  certtool ca --subject \"/O=Example/CN=Example Root\" --out ca.pem"
    )]
    Ca(make::CaOptions),
    /// Make a server's certificate and key
    #[command(
        after_help = "Example:\n  certtool server www.example.com 127.0.0.1 --ca ca.pem --out www.pem"
    )]
    Server(make::LeafOptions),
    /// Make a client's certificate and key
    #[command(after_help = "Example:\n  certtool client alice --ca ca.pem --out alice.pem")]
    Client(make::LeafOptions),
    /// Make a request, for an authority to sign
    #[command(after_help = "Example:\n  certtool csr www.example.com --for server --out www.csr")]
    Csr(request::Options),
    /// Sign a request as its authority
    #[command(
        after_help = "Example:\n  certtool sign www.csr --ca ca.pem --as server --take subjectAltName --out www.pem"
    )]
    Sign(sign::Options),
    /// Show what is in files: certificates, requests, revocation lists, keys, PKCS #12, PKCS #7
    #[command(after_help = "Example:\n  certtool inspect --check --at +14d www.pem")]
    Inspect(inspect::Options),
    /// Check certificates: signatures up to an authority, times, purpose, name, revocation
    #[command(
        after_help = "Example:\n  certtool verify --ca ca.pem --purpose server --host www.example.com www.pem"
    )]
    Verify(verify::Options),
    /// Put certificate and key into a PKCS #12 file, or take them out
    #[command(subcommand)]
    P12(p12::Command),
    /// Make and extend lists of revoked certificates
    #[command(subcommand)]
    Crl(crl::Command),
    /// Link the certificates of a directory by hash, as `openssl rehash` and `c_rehash` do
    #[command(after_help = "Example:\n  certtool rehash /etc/example/certs")]
    Rehash(rehash::Options),
    /// Make an authority, a server's and a client's pair in one go
    #[command(after_help = "Example:\n  certtool simple --dir certs")]
    Simple(simple::Options),
}

fn main() -> ExitCode {
    let done = run(Options::parse().command);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            files::note(format_args!("certtool: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(command: Command) -> Outcome<()> {
    match command {
        Command::Ca(options) => make::authority(&options),
        Command::Server(options) => make::server(&options),
        Command::Client(options) => make::client(&options),
        Command::Csr(options) => request::run(&options),
        Command::Sign(options) => sign::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Verify(options) => verify::run(&options),
        Command::P12(command) => p12::run(&command),
        Command::Crl(command) => crl::run(&command),
        Command::Rehash(options) => rehash::run(&options),
        Command::Simple(options) => simple::run(&options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }

    /// What docs/certtool.md tells people to type.
    #[test]
    fn what_is_documented_can_be_typed() {
        let mut count = 0;
        for code in include_str!("../../docs/certtool.md").split('`') {
            if !code.starts_with("certtool ") || code.contains("--help") {
                continue;
            }
            let line = code.replace("\"/O=Example/CN=Example Root\"", "/CN=Root");
            if let Err(error) = Options::try_parse_from(line.split_whitespace()) {
                use clap::error::ErrorKind::MissingRequiredArgument;
                // The name of a command alone.
                assert_eq!(error.kind(), MissingRequiredArgument, "{code}: {error}");
                assert!(line.split_whitespace().count() <= 3, "{code}: {error}");
            }
            count += 1;
        }
        assert!(count > 15, "{count}");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "ca",
            "server localhost",
            "server --self-signed --ca ca.pem --out a.pem localhost",
            "server --self-signed --for soon --out a.pem localhost",
            "server --self-signed --for 1d --until +1d --out a.pem localhost",
            "server --self-signed --alg rsa:512 --out a.pem localhost",
            "server --self-signed --alg p256 --key a.key --out a.pem localhost",
            "sign --out a.pem a.csr",
            "verify a.pem",
            "inspect",
            "p12 pack --cert a.pem",
            "crl revoke a.crl --ca ca.pem --reason boredom a.pem",
            "rehash",
        ] {
            let line = std::iter::once("certtool").chain(bad.split_whitespace());
            assert!(Options::try_parse_from(line).is_err(), "{bad:?}");
        }
    }
}
