//! Session tickets: who may resume, for how long, and under which name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openssl::ssl::{NameType, SslSession};

use super::*;
use crate::context::tickets::ROTATION;
use crate::context::{ClientAuth, SessionCache, Tickets, Version};
use crate::session::Session;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslContextRefExt;

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];
const LIFETIME: Duration = Duration::from_secs(300);
const SECOND: Duration = Duration::from_secs(1);

/// A clock that tests move.
#[derive(Clone)]
struct Hands(Arc<Mutex<Instant>>);

impl Hands {
    fn new() -> Hands {
        Hands(Arc::new(Mutex::new(Instant::now())))
    }

    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    fn reader(&self) -> impl Fn() -> Instant + Send + Sync + use<> {
        let hands = Arc::clone(&self.0);
        move || *hands.lock().unwrap()
    }
}

/// A server with a movable clock and clients for it.
struct Fixture {
    client: Context,
    server: Context,
    hands: Hands,
}

fn fixture(version: Version) -> Fixture {
    let (_ca, client, server) = certified();
    let hands = Hands::new();
    Fixture {
        client: client.versions(version..=version).build().unwrap(),
        server: server.clock(hands.reader()).build().unwrap(),
        hands,
    }
}

/// Connects, offering `session`; answers whether it was resumed and the session
/// for the next time.
fn visit(client: &Context, server: &Context, session: Option<&Session>) -> (bool, Session) {
    let mut pair = Pair::new(client, "localhost", server);
    if let Some(session) = session {
        pair.client.set_session(session).unwrap();
    }
    let mut pair = pair.connect();
    let reused = pair.server.ssl().session_reused();
    assert_eq!(
        pair.client.ssl().session_reused(),
        reused,
        "both sides agree"
    );
    let session = pair.client.session().unwrap();
    // OpenSSL never resumes a session of TLS 1.2 whose connection just vanished.
    pair.client.shutdown().unwrap();
    (reused, session)
}

impl Fixture {
    fn visit(&self, session: Option<&Session>) -> (bool, Session) {
        visit(&self.client, &self.server, session)
    }
}

#[test]
fn a_session_is_resumed_and_resuming_renews_it() {
    for version in BOTH {
        let f = fixture(version);
        let (reused, mut session) = f.visit(None);
        assert!(!reused);
        for _ in 0..3 {
            let (reused, next) = f.visit(Some(&session));
            assert!(reused, "{version}");
            session = next;
        }
    }
}

#[test]
fn an_old_key_opens_tickets_for_one_session_lifetime_after_its_rotation() {
    for version in BOTH {
        let f = fixture(version);
        let (_, session) = f.visit(None);
        f.hands.advance(ROTATION + LIFETIME - SECOND);
        let (reused, renewed) = f.visit(Some(&session));
        assert!(reused, "{version}");
        f.hands.advance(SECOND);
        // Only the new key is left, and the resumed session was sealed with it.
        assert!(f.visit(Some(&renewed)).0, "{version}");
        assert!(
            !f.visit(Some(&session)).0,
            "{version}: a retired key still opens tickets"
        );
    }
}

#[test]
fn without_tickets_nothing_is_resumed() {
    for version in BOTH {
        let (_ca, client, server) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let server = server.tickets(Tickets::Off).build().unwrap();
        assert_eq!(server.ssl_ctx().num_tickets(), 0);
        let (_, session) = visit(&client, &server, None);
        assert!(!visit(&client, &server, Some(&session)).0, "{version}");
    }
}

#[test]
fn a_ticket_of_another_context_leads_to_a_full_handshake() {
    for version in BOTH {
        let (_ca, client, server) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let identity = server.identities[0].clone();
        let one = server.build().unwrap();
        let other = ContextBuilder::server().identity(identity).build().unwrap();
        let (_, session) = visit(&client, &one, None);
        assert!(!visit(&client, &other, Some(&session)).0, "{version}");
    }
}

#[test]
fn a_client_certificate_survives_resumption() {
    for version in BOTH {
        let (ca, client, server) = certified();
        let client = client
            .versions(version..=version)
            .identity(ca.issue_client("alice").unwrap())
            .build()
            .unwrap();
        let server = server
            .trust_pem(ca.root_pem().unwrap())
            .client_auth(ClientAuth::Required)
            .build()
            .unwrap();
        let (_, session) = visit(&client, &server, None);
        let mut pair = Pair::new(&client, "localhost", &server);
        pair.client.set_session(&session).unwrap();
        let pair = pair.connect();
        assert!(pair.server.ssl().session_reused(), "{version}");
        assert!(pair.server.ssl().peer_certificate().is_some(), "{version}");
    }
}

#[test]
fn the_server_name_reaches_the_application_on_resumed_connections_too() {
    for version in BOTH {
        let f = fixture(version);
        let (_, session) = f.visit(None);
        let mut pair = Pair::new(&f.client, "localhost", &f.server);
        pair.client.set_session(&session).unwrap();
        let pair = pair.connect();
        assert!(pair.server.ssl().session_reused());
        assert_eq!(
            pair.server.ssl().servername(NameType::HOST_NAME),
            Some("localhost")
        );
    }
}

/// A pair whose client offers `session` whatever name it was made under, as a
/// hostile one may.
fn forced(client: &Context, name: &str, server: &Context, session: &SslSession) -> Pair {
    let mut ssl = client.new_ssl(Some(name)).unwrap();
    // SAFETY: callers pass a session that was made under `client`.
    unsafe { ssl.set_session(session) }.unwrap();
    let client = Engine::from_ssl(ssl, Role::Client, Some(name), RingSizes::default());
    Pair {
        client,
        server: server_engine(server),
    }
}

#[test]
fn resuming_in_tls_1_3_brings_a_new_ticket() {
    let f = fixture(Version::Tls13);
    let first = Pair::new(&f.client, "localhost", &f.server).connect();
    let session = first.client.session().unwrap().raw().to_owned();
    let second = forced(&f.client, "localhost", &f.server, &session).connect();
    assert!(second.client.ssl().session_reused());
    let renewed = second.client.session().unwrap();
    assert_ne!(renewed.raw().to_der().unwrap(), session.to_der().unwrap());
}

#[test]
fn a_session_is_not_resumed_under_another_name() {
    for version in BOTH {
        let (ca, client, _) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let identity = ca.issue(&["one.test", "two.test", "127.0.0.1"]).unwrap();
        let server = ContextBuilder::server().identity(identity).build().unwrap();
        for (made, resumed, expected) in [
            ("one.test", "one.test", true),
            ("one.test", "two.test", false),
            ("one.test", "127.0.0.1", false),
            ("127.0.0.1", "one.test", false),
            ("127.0.0.1", "127.0.0.1", true),
        ] {
            let first = Pair::new(&client, made, &server).connect();
            let session = first.client.session().unwrap().raw().to_owned();
            let second = forced(&client, resumed, &server, &session).connect();
            assert_eq!(
                second.server.ssl().session_reused(),
                expected,
                "{version}: {made} as {resumed}"
            );
        }
    }
}

#[test]
fn tickets_carry_the_session_lifetime() {
    for version in BOTH {
        let (_ca, client, server) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let server = server
            .session_lifetime(Duration::from_secs(77))
            .build()
            .unwrap();
        let pair = Pair::new(&client, "localhost", &server).connect();
        assert_eq!(
            pair.server.ssl().session().unwrap().timeout(),
            77,
            "{version}"
        );
    }
}

#[test]
fn the_session_id_context_follows_what_clients_are_judged_by() {
    let (ca, _, server) = certified();
    let anchors = openssl::x509::X509::stack_from_pem(&ca.root_pem().unwrap()).unwrap();
    let plain = server.derive_session_id_context(&[], &[]).unwrap();
    assert_eq!(plain.len(), 32);
    let anchored = server.derive_session_id_context(&anchors, &[]).unwrap();
    let asking = server.client_auth(ClientAuth::Required);
    let required = asking.derive_session_id_context(&anchors, &[]).unwrap();
    let other = asking.identity(ca.issue(&["other.test"]).unwrap());
    let ids = [
        plain,
        anchored,
        required,
        other.derive_session_id_context(&anchors, &[]).unwrap(),
    ];
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{index} repeats an earlier one");
    }
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC sends no alert for it")]
fn a_panic_inside_a_callback_fails_the_handshake_and_comes_back() {
    for version in BOTH {
        let (_ca, client, server) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let server = server
            .clock(|| std::panic::resume_unwind(Box::new("the clock is broken")))
            .build()
            .unwrap();
        let mut pair = Pair::new(&client, "localhost", &server);
        let caught = catch_unwind(AssertUnwindSafe(|| pair.handshake()));
        let payload = caught.expect_err("the panic is not swallowed");
        assert_eq!(payload.downcast_ref(), Some(&"the clock is broken"));
        // The connection is dead, and the peer is told so.
        assert!(pair.server.handshake().is_err());
        pair.shuttle();
        let seen = pair
            .client
            .handshake()
            .and_then(|()| pair.client.read(&mut [0; 1]).map(drop));
        assert!(
            matches!(seen, Err(EngineError::Failed(_))),
            "{version}: {seen:?}"
        );
    }
}

#[test]
fn a_session_in_the_servers_cache_is_bound_to_its_name_too() {
    for version in BOTH {
        let (ca, client, _) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let identity = ca.issue(&["one.test", "two.test"]).unwrap();
        let server = ContextBuilder::server()
            .identity(identity)
            .tickets(Tickets::Off)
            .session_cache(SessionCache::Memory(100))
            .build()
            .unwrap();
        for (resumed, expected) in [("one.test", true), ("two.test", false)] {
            let first = Pair::new(&client, "one.test", &server).connect();
            let session = first.client.session().unwrap().raw().to_owned();
            let second = forced(&client, resumed, &server, &session).connect();
            let reused = second.server.ssl().session_reused();
            // AWS-LC keeps sessions of TLS 1.3 in tickets only.
            let expected = expected && !(cfg!(feature = "aws-lc") && version == Version::Tls13);
            assert_eq!(reused, expected, "{version}: {resumed}");
        }
    }
}

#[test]
fn a_child_of_fork_does_not_open_its_parents_tickets() {
    static PROCESS: AtomicU32 = AtomicU32::new(1);
    for version in BOTH {
        let (_ca, client, server) = certified();
        let client = client.versions(version..=version).build().unwrap();
        let server = server.process(|| PROCESS.load(Ordering::Relaxed));
        let server = server.build().unwrap();
        let (_, session) = visit(&client, &server, None);
        let (reused, session) = visit(&client, &server, Some(&session));
        assert!(reused, "{version}");
        PROCESS.fetch_add(1, Ordering::Relaxed);
        let (reused, session) = visit(&client, &server, Some(&session));
        assert!(!reused, "{version}");
        assert!(visit(&client, &server, Some(&session)).0, "{version}");
    }
}

#[cfg(not(feature = "aws-lc"))]
#[test]
fn tickets_allow_no_early_data() {
    let f = fixture(Version::Tls13);
    let pair = Pair::new(&f.client, "localhost", &f.server).connect();
    assert_eq!(pair.client.ssl().session().unwrap().max_early_data(), 0);
}
