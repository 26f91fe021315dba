//! Sessions: keys that are shared, stores, and how many tickets there are. Whether
//! a session was resumed is what both sides say.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenling_tls::{
    ClientAuth, ConfigErrorKind, Context, ContextBuilder, Error, SessionCache, SessionStore,
    TicketKeys, Tickets, Verdict, Version, options,
};
use zeroize::Zeroizing;

use super::authority::{Authority, Leaf};
use super::support::*;

const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

fn client_of(version: Version) -> Context {
    client().versions(version..=version).build().unwrap()
}

/// A server whose identity is the same each time.
struct Server {
    root: Authority,
    builder: Box<dyn Fn() -> ContextBuilder>,
}

fn server_of_one_identity() -> Server {
    let root = Authority::root("root");
    let identity = root.issue(&Leaf::default());
    let builder = move || ContextBuilder::server().identity(identity.clone());
    Server {
        root,
        builder: Box::new(builder),
    }
}

impl Server {
    fn client(&self, version: Version) -> Context {
        ContextBuilder::client()
            .trust_pem(self.root.pem())
            .versions(version..=version)
            .build()
            .unwrap()
    }

    fn with_keys(&self, keys: &TicketKeys) -> Context {
        let tickets = Tickets::Keys(keys.clone());
        (self.builder)().tickets(tickets).build().unwrap()
    }
}

#[test]
fn contexts_that_share_keys_resume_each_others_sessions() {
    for version in BOTH {
        let s = server_of_one_identity();
        let client = s.client(version);
        let keys = TicketKeys::new();
        let (one, other) = (s.with_keys(&keys), s.with_keys(&keys));
        let first = visit(&client, &one, None);
        assert!(!first.reused);
        assert!(
            visit(&client, &other, Some(&first.session)).reused,
            "{version}"
        );
        let stranger = s.with_keys(&TicketKeys::new());
        assert!(
            !visit(&client, &stranger, Some(&first.session)).reused,
            "{version}"
        );
    }
}

#[test]
fn shared_keys_do_not_share_trust() {
    for version in BOTH {
        let s = server_of_one_identity();
        let keys = TicketKeys::new();
        let lax = s.with_keys(&keys);
        let client = ContextBuilder::client()
            .trust_pem(s.root.pem())
            .versions(version..=version)
            .identity(s.root.issue(&Leaf {
                for_clients: true,
                ..Leaf::default()
            }))
            .build()
            .unwrap();
        let demanding = |auth| {
            (s.builder)()
                .tickets(Tickets::Keys(keys.clone()))
                .trust_pem(s.root.pem())
                .client_auth(auth)
        };
        let required = demanding(ClientAuth::Required).build().unwrap();
        let session = visit(&client, &lax, None).session;
        assert!(
            !visit(&client, &required, Some(&session)).reused,
            "{version}"
        );
        // Nor may one who is on the list of the revoked by now.
        let session = visit(&client, &required, None).session;
        assert!(
            visit(&client, &required, Some(&session)).reused,
            "{version}"
        );
        let informed = demanding(ClientAuth::Required).crl_pem(s.root.crl(&[]));
        let informed = informed.build().unwrap();
        assert!(
            !visit(&client, &informed, Some(&session)).reused,
            "{version}"
        );
        // Nor may one whom nobody has asked about.
        let judging = demanding(ClientAuth::Required).verify_with(|_| Verdict::AsOpenSsl);
        let judging = judging.build().unwrap();
        assert!(
            !visit(&client, &judging, Some(&session)).reused,
            "{version}"
        );
    }
}

#[test]
fn keys_exchanged_by_hand_still_open_old_tickets() {
    for version in BOTH {
        let s = server_of_one_identity();
        let client = s.client(version);
        let keys = TicketKeys::by_hand();
        let server = s.with_keys(&keys);
        let first = visit(&client, &server, None);
        let before = keys.export().unwrap();
        keys.rotate().unwrap();
        let second = visit(&client, &server, Some(&first.session));
        assert!(second.reused, "{version}");
        // Its ticket was sealed with the new key, which the old ones lack.
        let old = TicketKeys::by_hand();
        old.import(&before).unwrap();
        let server = s.with_keys(&old);
        assert!(
            visit(&client, &server, Some(&first.session)).reused,
            "{version}"
        );
        assert!(
            !visit(&client, &server, Some(&second.session)).reused,
            "{version}"
        );
    }
}

#[test]
fn keys_travel_between_processes() {
    for version in BOTH {
        let s = server_of_one_identity();
        let client = s.client(version);
        let (ours, theirs) = (TicketKeys::new(), TicketKeys::by_hand());
        let session = visit(&client, &s.with_keys(&ours), None).session;
        theirs.import(&ours.export().unwrap()).unwrap();
        assert!(visit(&client, &s.with_keys(&theirs), Some(&session)).reused);
    }
    match TicketKeys::new().import(b"nonsense") {
        Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::Malformed),
        other => panic!("{other:?}"),
    }
    assert_eq!(format!("{:?}", TicketKeys::new()), "TicketKeys { .. }");
}

#[test]
fn as_many_tickets_are_sent_as_were_asked_for() {
    // TLS 1.3: ServerHello, the change of ciphers, the encrypted flight, tickets.
    let sent = |server: ContextBuilder| {
        let pair = Pair::connected(client(), server);
        records(&pair.server_sent).len()
    };
    let without = sent(server().num_tickets(0));
    assert_eq!(sent(server()), without + 2);
    assert_eq!(sent(server().num_tickets(5)), without + 5);
    assert_eq!(sent(server().tickets(Tickets::Off)), without);
}

#[test]
fn a_cache_serves_those_without_tickets() {
    for version in BOTH {
        let client = client_of(version);
        let server = || server().tickets(Tickets::Off);
        let kept = server()
            .session_cache(SessionCache::Memory(8))
            .build()
            .unwrap();
        let first = visit(&client, &kept, None);
        let second = visit(&client, &kept, Some(&first.session));
        assert!(second.reused, "{version}");
        let stats = kept.session_stats();
        assert_eq!(
            (stats.accept, stats.accept_good, stats.hits),
            (2, 2, 1),
            "{version}"
        );
        assert!((1..=8).contains(&stats.number), "{stats:?}");

        let other = server()
            .session_cache(SessionCache::Memory(8))
            .build()
            .unwrap();
        assert!(
            !visit(&client, &other, Some(&first.session)).reused,
            "{version}"
        );
        let nowhere = server().build().unwrap();
        let session = visit(&client, &nowhere, None).session;
        assert!(
            !visit(&client, &nowhere, Some(&session)).reused,
            "{version}"
        );
    }
}

#[test]
fn a_clients_certificate_is_kept_with_its_session() {
    for version in BOTH {
        let root = Authority::root("root");
        let identity = root.issue(&Leaf {
            for_clients: true,
            ..Leaf::default()
        });
        let server = ContextBuilder::server()
            .identity(identity.clone())
            .trust_pem(root.pem())
            .client_auth(ClientAuth::Required)
            .tickets(Tickets::Off)
            .session_cache(8)
            .build()
            .unwrap();
        let client = ContextBuilder::client()
            .trust_pem(root.pem())
            .versions(version..=version)
            .identity(identity.clone())
            .build()
            .unwrap();
        let session = visit(&client, &server, None).session;
        let mut pair = Pair::new(&client, &server);
        pair.client.set_session(&session).unwrap();
        let pair = pair.connect();
        assert!(pair.server.is_session_reused(), "{version}");
        let known = pair.server.peer_certificate().unwrap();
        assert_eq!(known, identity.certificate());
    }
}

#[test]
fn a_full_cache_forgets_the_oldest() {
    let client = client_of(Version::Tls12);
    let server = server()
        .tickets(Tickets::Off)
        .session_cache(SessionCache::Memory(2))
        .build()
        .unwrap();
    let sessions: Vec<_> = (0..3)
        .map(|_| visit(&client, &server, None).session)
        .collect();
    let reused = [1, 2].map(|index| visit(&client, &server, Some(&sessions[index])).reused);
    assert_eq!(reused, [true, true]);
    assert!(!visit(&client, &server, Some(&sessions[0])).reused);
    // The third was forgotten for the fourth, which came of the failed attempt.
    assert_eq!(server.session_stats().cache_full, 2);
    assert_eq!(server.session_stats().misses, 1);
}

#[test]
fn a_store_is_told_for_how_long_a_session_is_of_use() {
    let client = client_of(Version::Tls12);
    let lifetime = Duration::from_secs(77);
    let store = Arc::new(Map::default());
    let server = server()
        .tickets(Tickets::Off)
        .session_lifetime(lifetime)
        .session_cache(SessionCache::External(store.clone()))
        .build()
        .unwrap();
    visit(&client, &server, None);
    assert_eq!(*store.lifetimes.lock().unwrap(), [lifetime]);
}

/// A store of the application.
#[derive(Default)]
struct Map {
    sessions: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    lifetimes: Mutex<Vec<Duration>>,
    removed: Mutex<usize>,
}

impl Map {
    fn len(&self) -> usize {
        self.sessions.lock().unwrap().len()
    }
}

impl SessionStore for Map {
    fn put(&self, id: &[u8], session: &[u8], lifetime: Duration) {
        self.lifetimes.lock().unwrap().push(lifetime);
        self.sessions
            .lock()
            .unwrap()
            .insert(id.to_vec(), session.to_vec());
    }

    fn get(&self, id: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.sessions
            .lock()
            .unwrap()
            .get(id)
            .cloned()
            .map(Zeroizing::new)
    }

    fn remove(&self, id: &[u8]) {
        *self.removed.lock().unwrap() += 1;
        self.sessions.lock().unwrap().remove(id);
    }
}

#[test]
fn contexts_share_an_external_store() {
    for version in BOTH {
        let s = server_of_one_identity();
        let client = s.client(version);
        let store = Arc::new(Map::default());
        let server = || {
            (s.builder)()
                .tickets(Tickets::Off)
                .session_cache(SessionCache::External(store.clone()))
                .build()
                .unwrap()
        };
        let (one, other) = (server(), server());
        let first = visit(&client, &one, None);
        assert!(store.len() > 0);
        assert!(
            visit(&client, &other, Some(&first.session)).reused,
            "{version}"
        );
        store.sessions.lock().unwrap().clear();
        assert!(
            !visit(&client, &one, Some(&first.session)).reused,
            "{version}"
        );
        // What is damaged counts as missing.
        store
            .sessions
            .lock()
            .unwrap()
            .values_mut()
            .for_each(|session| session.truncate(9));
        let session = visit(&client, &one, None).session;
        store
            .sessions
            .lock()
            .unwrap()
            .values_mut()
            .for_each(|session| session.truncate(9));
        assert!(!visit(&client, &one, Some(&session)).reused, "{version}");
    }
}

#[test]
fn beside_tickets_a_store_is_for_clients_that_do_not_take_them() {
    let store = Arc::new(Map::default());
    let server = server()
        .session_cache(SessionCache::External(store.clone()))
        .build()
        .unwrap();
    for version in BOTH {
        let client = client_of(version);
        let session = visit(&client, &server, None).session;
        assert!(visit(&client, &server, Some(&session)).reused);
    }
    assert_eq!(store.len(), 0, "tickets have carried them");
    let old = client()
        .versions(Version::Tls12..=Version::Tls12)
        .raw_options(options::NO_TICKET)
        .build()
        .unwrap();
    let session = visit(&old, &server, None).session;
    assert_eq!(store.len(), 1);
    assert!(visit(&old, &server, Some(&session)).reused);
}

#[test]
fn a_session_that_ended_badly_is_forgotten() {
    let store = Arc::new(Map::default());
    let server = server()
        .tickets(Tickets::Off)
        .session_cache(SessionCache::External(store.clone()))
        .build()
        .unwrap();
    let mut pair = Pair::new(&client_of(Version::Tls12), &server).connect();
    assert_eq!(store.len(), 1);
    // A record that no key has made.
    pair.server.feed(&[DATA, 3, 3, 0, 32]);
    pair.server.feed(&[0; 32]);
    assert!(pair.server.read(&mut [0; 16]).is_err());
    assert_eq!((store.len(), *store.removed.lock().unwrap()), (0, 1));
}

#[test]
fn retired_keys_survive_an_import_before_any_context_is_built() {
    for version in BOTH {
        let s = server_of_one_identity();
        let client = s.client(version);
        let keys = TicketKeys::by_hand();
        let session = visit(&client, &s.with_keys(&keys), None).session;
        keys.rotate().unwrap();
        let carried = TicketKeys::by_hand();
        carried.import(&keys.export().unwrap()).unwrap();
        carried.rotate().unwrap();
        let server = s.with_keys(&carried);
        assert!(visit(&client, &server, Some(&session)).reused, "{version}");
    }
}

#[test]
fn a_store_that_keeps_panicking_raises_the_first_panic_only() {
    struct Broken;
    impl SessionStore for Broken {
        fn put(&self, _: &[u8], _: &[u8], _: Duration) {}
        fn get(&self, _: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
            None
        }
        fn remove(&self, _: &[u8]) {
            std::panic::resume_unwind(Box::new("the store is broken"))
        }
    }
    let server = server()
        .tickets(Tickets::Off)
        .session_cache(SessionCache::External(Arc::new(Broken)));
    let mut pair = Pair::connected(client().versions(Version::Tls12..=Version::Tls12), server);
    let _ = pair.server.as_ssl_ptr();
    let handled = pair.server;
    // The panic takes the connection along, of whose end OpenSSL tells the store.
    let caught = catch_unwind(AssertUnwindSafe(move || {
        let _handled = handled;
        std::panic::resume_unwind(Box::new("the handler is broken"))
    }));
    let payload: Box<dyn Any + Send> = caught.map(|(): ()| ()).expect_err("a panic");
    assert_eq!(payload.downcast_ref(), Some(&"the handler is broken"));
    // None is left over for others.
    let server = self::server().build().unwrap();
    visit(&client_of(Version::Tls13), &server, None);
}

#[test]
fn a_store_that_panics_ends_the_connection() {
    struct Broken;
    impl SessionStore for Broken {
        fn put(&self, _: &[u8], _: &[u8], _: Duration) {}
        fn get(&self, _: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
            std::panic::resume_unwind(Box::new("the store is broken"))
        }
        fn remove(&self, _: &[u8]) {}
    }
    let client = client_of(Version::Tls12);
    let server = server()
        .tickets(Tickets::Off)
        .session_cache(SessionCache::External(Arc::new(Broken)))
        .build()
        .unwrap();
    let session = visit(&client, &server, None).session;
    let mut pair = Pair::new(&client, &server);
    pair.client.set_session(&session).unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| pair.handshake()));
    let payload = caught.expect_err("the panic is not swallowed");
    assert_eq!(payload.downcast_ref(), Some(&"the store is broken"));
    let (client, server) = pair.handshake();
    assert!(client.is_err() && server.is_err(), "{client:?}, {server:?}");
}

#[test]
fn an_external_store_is_for_servers() {
    let store = SessionCache::External(Arc::new(Map::default()));
    match client().session_cache(store).build() {
        Err(Error::Config(error)) => assert_eq!(error.subject(), "session_cache"),
        other => panic!("{other:?}"),
    }
}
