//! The application's word in the check of a chain, and what a refusal tells.

use std::sync::{Arc, Mutex};

use greenling_tls::Identity;
use greenling_tls::crypto::{Cert, Encoding, TestCa};
use greenling_tls::{
    Alert, ClientAuth, ContextBuilder, Engine, Error, Rejection, RingSizes, Role, Verdict,
    VerifyStep,
};

use crate::support::{
    NAME, Pair, VERSIONS, ca, client, fail, handshake_panics, idle, peer_alert, rejection, server,
};

const HOSTNAME_MISMATCH: i32 = 62;

/// Whom a certificate names, or the authority that it is of.
fn name_of(certificate: &Cert) -> String {
    let names = certificate
        .as_x509()
        .subject_alt_names()
        .into_iter()
        .flatten();
    let dns = |name: openssl::x509::GeneralName| name.dnsname().map(str::to_owned);
    match names.filter_map(dns).next() {
        Some(name) => name,
        None => "authority".to_owned(),
    }
}

/// Two contexts, of which that of `role` has `judge` and checks the other's chain.
fn judged(
    version: greenling_tls::Version,
    role: Role,
    judge: impl Fn(&VerifyStep<'_>) -> Verdict + Send + Sync + 'static,
) -> Pair {
    let alice = ca().issue_client("alice").unwrap();
    let client = client(version).identity(alice);
    let server = server(version)
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Required);
    match role {
        Role::Client => Pair::new(client.verify_with(judge), server),
        Role::Server => Pair::new(client, server.verify_with(judge)),
    }
}

#[test]
fn each_certificate_is_asked_about_with_all_there_is_to_know() {
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let steps = Arc::new(Mutex::new(Vec::new()));
            let log = Arc::clone(&steps);
            let mut pair = judged(version, role, move |step| {
                let number = step.connection().app_data::<u32>().expect("data");
                let name = name_of(&step.certificate().expect("a certificate"));
                assert_eq!(step.connection().role(), role);
                let what = (*number, step.depth(), step.preverified(), name);
                log.lock().unwrap().push(what);
                assert_eq!(step.error(), None);
                Verdict::AsOpenSsl
            });
            pair.client.set_app_data(7_u32).unwrap();
            pair.server.set_app_data(7_u32).unwrap();
            pair.connect();
            let steps = steps.lock().unwrap();
            let (root, leaf) = (steps.first().unwrap(), steps.last().unwrap());
            assert_eq!((root.0, root.1, root.2), (7, 1, true), "{version} {role:?}");
            let peer = match role {
                Role::Client => NAME,
                Role::Server => "alice",
            };
            assert_eq!(*leaf, (7, 0, true, peer.to_owned()), "{version} {role:?}");
        }
    }
}

#[test]
fn a_rejection_is_sent_as_its_alert_and_told_to_the_caller() {
    let alerts = [
        (Alert::BAD_CERTIFICATE, Alert::BAD_CERTIFICATE),
        (
            Alert::UNSUPPORTED_CERTIFICATE,
            Alert::UNSUPPORTED_CERTIFICATE,
        ),
        (Alert::CERTIFICATE_REVOKED, Alert::CERTIFICATE_REVOKED),
        (Alert::CERTIFICATE_EXPIRED, Alert::CERTIFICATE_EXPIRED),
        (Alert::UNKNOWN_CA, Alert::UNKNOWN_CA),
        (Alert::DECRYPT_ERROR, Alert::DECRYPT_ERROR),
        (Alert::HANDSHAKE_FAILURE, Alert::HANDSHAKE_FAILURE),
        (Alert::INTERNAL_ERROR, Alert::INTERNAL_ERROR),
        (Alert::ACCESS_DENIED, Alert::CERTIFICATE_UNKNOWN),
    ];
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            for (wanted, sent) in alerts {
                let mut pair = judged(version, role, move |_| {
                    Verdict::Reject(Rejection::new(wanted).because("not on the list"))
                });
                let (client, server) = pair.handshake();
                let (ours, theirs) = match role {
                    Role::Client => (client, server),
                    Role::Server => (server, client),
                };
                let (alert, text) = rejection(ours);
                assert_eq!(alert, wanted, "{version} {role:?}");
                assert!(text.ends_with("not on the list"), "{text}");
                assert_eq!(peer_alert(theirs), sent, "{version} {role:?}");
            }
        }
    }
}

#[test]
fn a_panic_refuses_and_reaches_the_caller() {
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let mut pair = judged(version, role, |_| fail("judge failed"));
            assert_eq!(handshake_panics(&mut pair), "judge failed");
            let (dead, other) = match role {
                Role::Client => (&mut pair.client, &mut pair.server),
                Role::Server => (&mut pair.server, &mut pair.client),
            };
            dead.handshake().unwrap_err();
            dead.write(b"more").unwrap_err();
            crate::support::carry(dead, other);
            let alert = peer_alert(idle(other));
            assert_eq!(alert, Alert::INTERNAL_ERROR, "{version} {role:?}");
        }
    }
}

#[test]
fn a_panic_at_a_fault_does_not_hide_it() {
    for version in VERSIONS {
        let stranger = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(TestCa::new("another").unwrap().root_pem().unwrap())
            .verify_with(|_| fail("judge failed"));
        let mut pair = Pair::new(stranger, server(version));
        assert_eq!(handshake_panics(&mut pair), "judge failed");
        pair.client.handshake().unwrap_err();
    }
}

#[test]
fn a_known_certificate_can_be_accepted_and_only_that() {
    for version in VERSIONS {
        let known = Identity::self_signed(&[NAME]).unwrap();
        let pem = known.chain_pem().unwrap();
        let der = openssl::x509::X509::from_pem(&pem)
            .unwrap()
            .to_der()
            .unwrap();
        let client = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(ca().root_pem().unwrap())
            .verify_with(move |step| {
                let shown = step
                    .certificate()
                    .map(|shown| shown.encode(Encoding::Der).unwrap());
                if step.depth() == 0 && shown.as_ref() == Some(&der) {
                    Verdict::Accept
                } else {
                    Verdict::AsOpenSsl
                }
            })
            .build()
            .unwrap();
        let of = |identity| {
            ContextBuilder::server()
                .versions(version..=version)
                .identity(identity)
                .build()
                .unwrap()
        };
        Pair::of(&client, &of(known)).connect().talk();
        let mut pair = Pair::of(&client, &of(Identity::self_signed(&[NAME]).unwrap()));
        let (client, server) = pair.handshake();
        assert!(matches!(client, Err(Error::Certificate(_))), "{client:?}");
        assert_eq!(peer_alert(server), Alert::UNKNOWN_CA);
    }
}

#[test]
fn a_refusal_tells_which_certificate_it_was() {
    for version in VERSIONS {
        let client = client(version).build().unwrap();
        let server = server(version).build().unwrap();
        let mut pair = Pair {
            client: Engine::new(&client, Some("elsewhere.test"), RingSizes::default()).unwrap(),
            server: Engine::new(&server, None, RingSizes::default()).unwrap(),
        };
        let (client, server) = pair.handshake();
        assert_eq!(peer_alert(server), Alert::BAD_CERTIFICATE);
        let Err(Error::Certificate(verify)) = client else {
            panic!("{client:?}");
        };
        assert_eq!(verify.code(), HOSTNAME_MISMATCH);
        assert_eq!(verify.depth(), Some(0));
        assert!(verify.subject().unwrap().starts_with("CN="), "{verify}");
        assert!(verify.to_string().contains("at depth 0"), "{verify}");
        // The server's root is not among the anchors: the last that is known is at fault.
        let stranger = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(TestCa::new("another").unwrap().root_pem().unwrap());
        let server = crate::support::server(version);
        let (client, _) = Pair::new(stranger, server).handshake();
        let Err(Error::Certificate(verify)) = client else {
            panic!("{client:?}");
        };
        assert_eq!(verify.depth(), Some(0), "{verify}");
    }
}

#[test]
fn nothing_has_a_say_where_nothing_is_checked() {
    let silent = server(VERSIONS[0]).verify_with(|_| Verdict::AsOpenSsl);
    assert!(matches!(silent.build(), Err(Error::Config(_))));
    let blind = client(VERSIONS[0])
        .verify_with(|_| Verdict::AsOpenSsl)
        .dangerous()
        .no_verify();
    assert!(matches!(blind.build(), Err(Error::Config(_))));
}
