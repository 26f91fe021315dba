//! What a context's callbacks decide, between buffers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use greenling_tls::{Alert, ContextBuilder, Error, SslErrorKind, SslObject, Version};

use crate::support::{NAME, Pair, VERSIONS, client_builder, contexts, server_builder};

/// ThreadedTests.test_sni_callback
#[test]
fn a_resolver_chooses_the_context_by_the_clients_name() {
    for version in VERSIONS {
        let (_, client) = contexts(version);
        let limit = Duration::from_secs(3);
        let chosen = server_builder(version).handshake_timeout(limit);
        let chosen = chosen.build().expect("a context");
        let certificate = |pair: &mut Pair| {
            pair.connect();
            pair.client
                .tls
                .getpeercert_binary()
                .expect("done")
                .expect("shown")
        };
        let expected = certificate(&mut Pair::new(&chosen, &client));
        let by_name = ContextBuilder::server()
            .resolver(move |hello| {
                assert_eq!(hello.server_name(), Some(NAME));
                Ok::<_, Alert>(chosen.clone())
            })
            .build()
            .expect("a context");
        let mut pair = Pair::new(&by_name, &client);
        assert_eq!(certificate(&mut pair), expected);
        assert_eq!(pair.server.tls.context().handshake_timeout(), limit);
        pair.client.call(|tls| tls.write(b"hello")).expect("room");
        pair.carry();
        assert_eq!(
            pair.server.call(|tls| tls.read(10)).expect("data"),
            b"hello"
        );
    }
}

/// ThreadedTests.test_sni_callback_alert
#[test]
fn a_refusal_is_an_alert_that_is_there_to_be_sent() {
    for version in VERSIONS {
        let refusing = ContextBuilder::server()
            .resolver(|_| Err(Alert::ACCESS_DENIED))
            .build()
            .expect("a context");
        let client = client_builder(version).build().expect("a context");
        let [client, server] = Pair::new(&refusing, &client).shake_hands();
        let server = server.expect_err("refused");
        assert_eq!(server.kind(), SslErrorKind::Ssl);
        assert_eq!(server.reason().as_deref(), Some("CALLBACK_FAILED"));
        assert!(matches!(server.error(), Some(Error::Rejected(_))));
        let client = client.expect_err("an alert");
        let reason = client.reason().expect("an alert").into_owned();
        assert!(reason.ends_with("ALERT_ACCESS_DENIED"), "{reason}");
    }
}

/// ThreadedTests.test_sni_callback_raising
#[test]
fn a_panic_goes_to_the_caller_and_the_question_stays() {
    let (chosen, client) = contexts(Version::Tls13);
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let unsteady = ContextBuilder::server()
        .resolver(move |_| {
            let times = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert!(times > 0, "not yet");
            Ok::<_, Alert>(chosen.clone())
        })
        .build()
        .expect("a context");
    let mut pair = Pair::new(&unsteady, &client);
    assert!(pair.client.call(SslObject::do_handshake).is_err());
    pair.carry();
    let server = &mut pair.server;
    let panicked = catch_unwind(AssertUnwindSafe(|| server.call(SslObject::do_handshake)));
    assert!(panicked.is_err());
    pair.connect();
}

#[test]
fn what_a_call_produced_before_a_panic_is_there_to_be_sent() {
    let (_, client) = contexts(Version::Tls13);
    let server = server_builder(Version::Tls13)
        .on_keylog(|_, _| panic!("the log is full"))
        .build()
        .expect("a context");
    let mut pair = Pair::new(&server, &client);
    assert!(pair.client.call(SslObject::do_handshake).is_err());
    pair.carry();
    let server = &mut pair.server;
    let panicked = catch_unwind(AssertUnwindSafe(|| server.call(SslObject::do_handshake)));
    assert!(panicked.is_err());
    assert!(pair.server.outgoing.pending() > 0);
}

#[cfg(feature = "greenling")]
#[test]
fn a_callback_that_waits_leaves_the_thread_to_others() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let (chosen, client) = contexts(Version::Tls13);
    let ready = Arc::new(AtomicBool::new(false));
    let seen = ready.clone();
    let patient = ContextBuilder::server()
        .resolver(move |_| {
            while !seen.load(Ordering::Relaxed) {
                greenling::schedule();
            }
            Ok::<_, Alert>(chosen.clone())
        })
        .build()
        .expect("a context");
    greenling::enter(|| {
        greenling::spawn(move || ready.store(true, Ordering::Relaxed));
        Pair::new(&patient, &client).connect();
    });
}
