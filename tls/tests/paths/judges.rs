//! The three that judge a row: a `TrustStore`, the program `openssl verify`, and a
//! handshake between two engines in memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use greenling_tls::crypto::{Cert, Crl, Timestamp, TrustStore, VerifyFlags, VerifyOptions};
use greenling_tls::{
    ClientAuth, ContextBuilder, Engine, EngineError, Error, Identity, Purpose, RingSizes, Want,
};
use openssl::x509::{X509, X509Crl};

use super::made::{DAY, NOW};
use super::row::{Chain, Peer, Row};

/// Nothing, or the code and the depth of a fault.
pub(crate) type Seen = Option<(i32, u32)>;

fn seen(row: &Row, result: Result<(), Error>) -> Seen {
    match result {
        Ok(()) => None,
        Err(Error::Certificate(why)) => Some((why.code(), why.depth().expect("a depth"))),
        Err(other) => panic!("{}: no verdict on the chain: {other:?}", row.name),
    }
}

fn certificates(of: &[X509]) -> Vec<Cert> {
    of.iter().cloned().map(Cert::from).collect()
}

fn store_of(row: &Row, chain: &Chain) -> TrustStore {
    let lists = chain.lists.iter().map(|list| list.to_der().unwrap());
    let store = TrustStore::builder()
        .add_certs(certificates(&chain.trusted))
        .flags(row.flags)
        .depth(row.depth)
        .security_level(row.level);
    lists
        .map(|der| Crl::from(X509Crl::from_der(&der).unwrap()))
        .fold(store, |store, list| store.add_crl(list))
        .build()
        .unwrap()
}

/// A store's verdict.
pub(crate) fn store(row: &Row, chain: &Chain) -> Seen {
    let options = VerifyOptions::new()
        .at(Timestamp::from_unix(NOW + row.at * DAY))
        .purpose(row.purpose);
    let options = match row.peer {
        Peer::Anybody => options,
        Peer::Host(name) => options.host(name),
        Peer::Email(address) => options.email(address),
    };
    let leaf = Cert::from(chain.leaf.certificate.clone());
    let path = store_of(row, chain).verify_for(&leaf, &certificates(&chain.given), &options);
    seen(
        row,
        path.map(|path| {
            let end = path.last().expect("a path").as_x509();
            let is = |other: &X509| other.to_der().unwrap() == end.to_der().unwrap();
            assert!(chain.trusted.iter().any(is), "ends with an anchor");
        }),
    )
}

/// The verdict of `openssl verify`: the first fault that it tells of.
pub(crate) fn command(row: &Row, chain: &Chain, folder: &Path) -> Seen {
    let file = |name: &str, of: &[X509]| {
        let path = folder.join(name);
        let pem: Vec<u8> = of.iter().flat_map(|one| one.to_pem().unwrap()).collect();
        std::fs::write(&path, pem).unwrap();
        path
    };
    let mut command = Command::new("openssl");
    command.args(["verify", "-no-CApath", "-no-CAstore", "-purpose"]);
    command.arg(match row.purpose {
        Purpose::Server => "sslserver",
        Purpose::Client => "sslclient",
        Purpose::EmailSigning => "smimesign",
        Purpose::EmailEncryption => "smimeencrypt",
        Purpose::CrlSigning => "crlsign",
        Purpose::TimeStamping => "timestampsign",
        Purpose::Any => "any",
        other => panic!("{other:?} has no name yet"),
    });
    match &chain.trusted[..] {
        [] => command.arg("-no-CAfile"),
        trusted => command.arg("-CAfile").arg(file("trusted.pem", trusted)),
    };
    if !chain.given.is_empty() {
        command
            .arg("-untrusted")
            .arg(file("given.pem", &chain.given));
    }
    if !chain.lists.is_empty() {
        let path = folder.join("lists.pem");
        let pem = chain.lists.iter().flat_map(|list| list.to_pem().unwrap());
        std::fs::write(&path, pem.collect::<Vec<u8>>()).unwrap();
        command.arg("-CRLfile").arg(path);
    }
    for (flag, option) in [
        (VerifyFlags::CRL_CHECK, "-crl_check"),
        (VerifyFlags::CRL_CHECK_ALL, "-crl_check_all"),
        (VerifyFlags::PARTIAL_CHAIN, "-partial_chain"),
        (VerifyFlags::X509_STRICT, "-x509_strict"),
        (VerifyFlags::IGNORE_CRITICAL, "-ignore_critical"),
        (VerifyFlags::CHECK_SS_SIGNATURE, "-check_ss_sig"),
    ] {
        if row.flags.contains(flag) || (flag == VerifyFlags::CRL_CHECK && !chain.lists.is_empty()) {
            command.arg(option);
        }
    }
    match row.peer {
        Peer::Anybody => {}
        Peer::Email(address) => _ = command.args(["-verify_email", address]),
        Peer::Host(name) if name.parse::<std::net::IpAddr>().is_ok() => {
            command.args(["-verify_ip", name]);
        }
        Peer::Host(name) => _ = command.args(["-verify_hostname", name]),
    }
    let at = (NOW + row.at * DAY).to_string();
    let time = match row.flags.contains(VerifyFlags::NO_CHECK_TIME) {
        true => &["-no_check_time"][..],
        false => &["-attime", &at],
    };
    let output = command
        .args(["-verify_depth", &row.depth.to_string()])
        .args(["-auth_level", &row.level.to_string()])
        .args(time)
        .arg(file(
            "leaf.pem",
            std::slice::from_ref(&chain.leaf.certificate),
        ))
        .output()
        .expect("the program is installed");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("text");
    let fault = text.lines().find_map(|line| {
        let (code, rest) = line.strip_prefix("error ")?.split_once(" at ")?;
        let (depth, _) = rest.split_once(" depth lookup")?;
        Some((code.parse().ok()?, depth.parse().ok()?))
    });
    assert_eq!(fault.is_none(), output.status.success(), "{text}");
    fault
}

/// The verdict of the side of a handshake that is shown the chain.
pub(crate) fn handshake(row: &Row, chain: &Chain) -> Seen {
    let above = chain.given.iter().cloned();
    let shown = std::iter::once(chain.leaf.certificate.clone()).chain(above);
    let identity = Identity::new(shown, chain.leaf.key.clone()).unwrap();
    // Whoever shows a weak chain does not mind.
    let shows = |builder: ContextBuilder| builder.identity(identity).security_level(0);
    let judges = |builder: ContextBuilder| {
        let seconds = u64::try_from(NOW + row.at * DAY).expect("after 1970");
        // A time that is given is looked at in any case.
        let builder = match row.flags.contains(VerifyFlags::NO_CHECK_TIME) {
            true => builder,
            false => builder.verify_time(UNIX_EPOCH + Duration::from_secs(seconds)),
        };
        builder
            .trust_store(&store_of(row, chain))
            .partial_chain(row.flags.contains(VerifyFlags::PARTIAL_CHAIN))
            .verify_depth(row.depth)
            .security_level(row.level)
    };
    let (client, server, name) = match row.purpose {
        Purpose::Client => {
            let server = ContextBuilder::server().identity(Identity::self_signed(&["x"]).unwrap());
            let server = judges(server).client_auth(ClientAuth::Required);
            let client = shows(ContextBuilder::client()).dangerous().no_verify();
            (client, server, None)
        }
        Purpose::Server => {
            let client = judges(ContextBuilder::client());
            let (client, name) = match row.peer {
                Peer::Host(name) => (client, Some(name)),
                _ => (client.dangerous().skip_hostname(), None),
            };
            (client, shows(ContextBuilder::server()), name)
        }
        other => panic!("{other:?} is not what handshakes are for"),
    };
    let client = client.build().unwrap();
    let mut client = Engine::new(&client, name, RingSizes::default()).unwrap();
    let server = server.build().unwrap();
    let mut server = Engine::new(&server, None, RingSizes::default()).unwrap();
    let judge_is_client = row.purpose == Purpose::Server;
    loop {
        let told = client.handshake();
        let moved = carry(&mut client, &mut server);
        let answered = server.handshake();
        let moved = moved + carry(&mut server, &mut client);
        let verdict = if judge_is_client { told } else { answered };
        match verdict {
            Ok(()) => return None,
            Err(EngineError::Want(Want::Read)) if moved > 0 => {}
            Err(EngineError::Failed(error)) => return seen(row, Err(error)),
            Err(other) => panic!("{}: {other:?}", row.name),
        }
    }
}

fn carry(from: &mut Engine, to: &mut Engine) -> usize {
    let count = to.feed(from.out_data());
    from.consume_out(count);
    count
}
