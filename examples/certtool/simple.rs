//! `simple`: what the script mk_simple_certs.py of the manual makes: an authority, and a
//! pair for a server and for a client that it has signed.

use std::path::PathBuf;

use clap::Args;
use greenling_tls::crypto::{Cert, KeyAlg, Name, PrivateKey};

use crate::authority::Authority;
use crate::failure::Outcome;
use crate::files::Target;
use crate::making::{self, CertOptions, Form, Making, Profile, Signer};
use crate::{keys, make, values};

/// Options of `simple`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where CA.cert, CA.pkey, server.cert, server.pkey, client.cert and client.pkey go; made if
    /// it is not there
    #[arg(long, value_name = "DIR", default_value = "simple")]
    dir: PathBuf,

    /// Name of the server (repeatable) [default: localhost, 127.0.0.1 and ::1]
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,

    /// Name of the client
    #[arg(long, value_name = "NAME", default_value = "Simple Client")]
    client: String,

    /// Kind of the keys: p256, p384, p521, ed25519, rsa or rsa:BITS
    #[arg(long, value_name = "KIND", default_value = "p256", value_parser = values::algorithm)]
    alg: KeyAlg,

    /// Replace files that are there, keys as well
    #[arg(long)]
    force: bool,
}

/// Makes all six files, or none if one is there.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    std::fs::create_dir_all(&options.dir)
        .map_err(|error| crate::failure::Failure::file(&options.dir, error))?;
    let place = |stem: &str| -> Outcome<[Target; 2]> {
        let path = |ending: &str| options.dir.join(format!("{stem}.{ending}"));
        Ok([
            Target::for_key(&path("pkey"), options.force)?,
            Target::new(&path("cert"), options.force)?,
        ])
    };
    let [ca_place, server_place, client_place] = [place("CA")?, place("server")?, place("client")?];
    let hosts = match &options.host[..] {
        [] => ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec(),
        hosts => hosts.to_vec(),
    };

    let key = PrivateKey::generate(options.alg)?;
    let subject = make::common_name("Certificate Authority")?;
    let cert = cert(Profile::Ca, subject, &[], &key, None)?;
    let authority = Authority { cert, key };
    save(&authority.cert, &authority.key, &ca_place)?;
    let leaves = [
        (
            Profile::Server,
            make::common_name(&hosts[0])?,
            &hosts[..],
            server_place,
        ),
        (
            Profile::Client,
            make::common_name(&options.client)?,
            &[],
            client_place,
        ),
    ];
    for (profile, subject, names, place) in leaves {
        let key = PrivateKey::generate(options.alg)?;
        let cert = self::cert(profile, subject, names, &key, Some(&authority))?;
        save(&cert, &key, &place)?;
    }
    Ok(())
}

fn cert(
    profile: Profile,
    subject: Name,
    names: &[String],
    key: &PrivateKey,
    authority: Option<&Authority>,
) -> Outcome<Cert> {
    let making = Making {
        profile,
        path_len: None,
        subject,
        names: making::names(names)?,
        granted: Vec::new(),
        options: &CertOptions::default(),
    };
    let signer = match authority {
        Some(authority) => Signer::Authority(authority),
        None => Signer::Itself(key),
    };
    making.sign(&key.public_key(), signer)
}

fn save(cert: &Cert, key: &PrivateKey, [key_place, cert_place]: &[Target; 2]) -> Outcome<()> {
    keys::save(key, key_place, None)?;
    making::save(cert, cert_place, Form::Pem)
}
