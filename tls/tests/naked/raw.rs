//! Engines taken apart and put together.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenling_tls::{
    Alert, ClientHello, ContextBuilder, Engine, EngineError, Error, PeerChain, RingSizes, Want,
};
use openssl_sys::{BIO, SSL};

use crate::support::{
    NAME, VERSIONS, carry, contexts, engines, established, mutual_contexts, pattern, read_all, step,
};

unsafe extern "C" {
    fn BIO_free(bio: *mut BIO) -> i32;
}

/// Takes an engine apart and makes another one of the pieces.
fn rebuild(engine: Engine) -> Engine {
    let (ssl, network) = engine.into_raw();
    // SAFETY: both come from `into_raw` and are used nowhere else.
    unsafe { Engine::from_raw(ssl, network) }.expect("objects of an engine")
}

fn bio_read(bio: *mut BIO, buf: &mut [u8]) -> usize {
    let len = buf.len().try_into().expect("small");
    // SAFETY: the half is alive and `buf` is writable for its length.
    let n = unsafe { openssl_sys::BIO_read(bio, buf.as_mut_ptr().cast(), len) };
    usize::try_from(n).unwrap_or(0)
}

fn bio_write(bio: *mut BIO, data: &[u8]) -> usize {
    let len = data.len().try_into().expect("small");
    // SAFETY: the half is alive and `data` is readable for its length.
    let n = unsafe { openssl_sys::BIO_write(bio, data.as_ptr().cast(), len) };
    usize::try_from(n).unwrap_or(0)
}

fn free(ssl: *mut SSL, network: *mut BIO) {
    // SAFETY: our reference, which nothing uses any more.
    unsafe { openssl_sys::SSL_free(ssl) };
    // SAFETY: as above.
    unsafe { BIO_free(network) };
}

#[test]
fn foreign_code_goes_on_with_what_was_under_way() {
    for version in VERSIONS {
        // Rings so small that most of a record spills.
        let (mut server, mut client) = established(version, 600);
        // The tickets may leave no room for what follows them.
        assert!(!read_all(&mut client, &mut Vec::new()), "the end");
        let sent = pattern(5000);
        assert_eq!(client.write(&sent).expect("write"), sent.len());
        assert!(client.out_pending() > 5000);
        assert_eq!(server.write(b"on its way").expect("write"), 10);
        carry(&mut server, &mut client);

        let (ssl, network) = client.into_raw();
        let mut received = Vec::new();
        let mut buf = [0; 300];
        loop {
            let n = bio_read(network, &mut buf);
            if n == 0 {
                break;
            }
            assert_eq!(server.feed(&buf[..n]), n);
            read_all(&mut server, &mut received);
        }
        assert_eq!(received, sent);

        // SAFETY: the object is alive and the buffer is writable for its length.
        let n = unsafe { openssl_sys::SSL_read(ssl, buf.as_mut_ptr().cast(), 300) };
        assert_eq!(&buf[..usize::try_from(n).expect("data")], b"on its way");

        // SAFETY: as above; this reads the data.
        let n = unsafe { openssl_sys::SSL_write(ssl, b"more".as_ptr().cast(), 4) };
        assert_eq!(n, 4);
        // SAFETY: the object is alive.
        let said = unsafe { openssl_sys::SSL_shutdown(ssl) };
        assert_eq!(said, 0, "the peer has not answered yet");
        let n = bio_read(network, &mut buf);
        assert_eq!(server.feed(&buf[..n]), n);
        received.clear();
        assert!(read_all(&mut server, &mut received), "close_notify");
        assert_eq!(received, b"more");
        free(ssl, network);
    }
}

#[test]
fn a_handshake_survives_being_taken_apart_at_every_step() {
    for version in VERSIONS {
        // Flights do not fit the rings, so they arrive in pieces.
        let (mut server, mut client) = engines(version, 300);
        loop {
            let done = [step(&mut client), step(&mut server)];
            (server, client) = (rebuild(server), rebuild(client));
            let moved = carry(&mut client, &mut server) + carry(&mut server, &mut client);
            (server, client) = (rebuild(server), rebuild(client));
            if done == [true, true] && moved == 0 {
                break;
            }
        }
        assert!(client.is_established() && server.is_established());
        assert!(!server.park(), "the pair stays for life");
        let sent = pattern(3000);
        assert_eq!(server.write(&sent).expect("write"), sent.len());
        let mut received = Vec::new();
        loop {
            read_all(&mut client, &mut received);
            // Part of a record is in OpenSSL's buffer.
            client = rebuild(client);
            if carry(&mut server, &mut client) == 0 {
                break;
            }
            (server, client) = (rebuild(server), rebuild(client));
        }
        assert_eq!(received, sent);
    }
}

#[test]
fn ends_are_known_to_the_new_engine() {
    for version in VERSIONS {
        let (mut server, mut client) = established(version, 2000);
        assert!(!client.shutdown().expect("goodbye"));
        client = rebuild(client);
        assert!(client.is_closed());
        assert!(client.write(b"late").is_err());
        carry(&mut client, &mut server);
        assert!(read_all(&mut server, &mut Vec::new()));
        server = rebuild(server);
        assert!(server.is_peer_closed());
        assert!(matches!(server.read(&mut [0]), Err(EngineError::Closed)));
        // The other direction is open.
        assert_eq!(server.write(b"still").expect("write"), 5);
        carry(&mut server, &mut client);
        let mut received = Vec::new();
        read_all(&mut client, &mut received);
        assert_eq!(received, b"still");

        // A cut, with the end behind a record that has not been read.
        assert_eq!(server.write(b"last").expect("write"), 4);
        carry(&mut server, &mut client);
        client.close_in();
        client = rebuild(client);
        assert_eq!(client.feed(b"x"), 0, "the input has ended");
        let mut buf = [0; 10];
        assert_eq!(client.read(&mut buf).expect("data"), 4);
        let cut = client.read(&mut buf);
        assert!(
            matches!(cut, Err(EngineError::Failed(Error::Truncated))),
            "{cut:?}"
        );

        // Nothing has come since the engine was made anew, but before.
        let (_server, client) = established(version, 2000);
        let mut client = rebuild(client);
        client.close_in();
        let cut = client.read(&mut buf);
        assert!(
            matches!(cut, Err(EngineError::Failed(Error::Truncated))),
            "{cut:?}"
        );

        let (mut silent, _) = engines(version, 2000);
        silent.close_in();
        let none = rebuild(silent).handshake();
        let none = none.expect_err("nobody there");
        assert!(
            matches!(none, EngineError::Failed(Error::ClosedBeforeHello)),
            "{none:?}"
        );
    }
}

#[test]
fn a_full_ring_is_not_taken_for_an_ended_one() {
    let (mut server, mut client) = established(VERSIONS[1], 300);
    server.write(&pattern(1000)).expect("write");
    carry(&mut server, &mut client);
    assert!(client.in_space().is_empty());
    client = rebuild(client);
    assert_eq!(client.in_pending(), 300);
    let mut received = Vec::new();
    while received.len() < 1000 {
        read_all(&mut client, &mut received);
        assert!(carry(&mut server, &mut client) > 0 || received.len() == 1000);
    }
    assert_eq!(received, pattern(1000));
}

#[test]
fn a_hello_that_is_fed_again_goes_along() {
    // The ring holds a part of the hello; the rest waits beside it.
    let (chosen, client) = contexts(VERSIONS[1]);
    let door = ContextBuilder::server()
        .resolver(|_: &ClientHello| Ok::<_, Alert>(chosen.clone()))
        .build()
        .expect("context");
    let rings = RingSizes {
        incoming: 100,
        outgoing: 100,
    };
    let mut server = Engine::new(&door, None, rings).expect("engine");
    let mut client = Engine::new(client, Some(NAME), rings).expect("engine");
    step(&mut client);
    loop {
        carry(&mut client, &mut server);
        match server.handshake() {
            Err(EngineError::Want(Want::Read)) => {}
            Err(EngineError::Want(Want::App)) => break,
            other => panic!("handshake: {other:?}"),
        }
    }
    let question = server.question().expect("a name to choose by");
    server.answer(question.decide()).expect("chosen");
    server = rebuild(server);
    assert!(server.in_pending() > 100);
    assert!(!step(&mut server), "the hello is complete, and answered");
    while !(step(&mut client) & step(&mut server)) {
        carry(&mut server, &mut client);
        carry(&mut client, &mut server);
    }
    assert_eq!(server.write(b"chosen").expect("write"), 6);
}

#[test]
fn a_server_asks_again_about_its_client() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (context, client) = mutual_contexts(move |_: &PeerChain| {
        count.fetch_add(1, Ordering::Relaxed);
        Err(Alert::ACCESS_DENIED)
    });
    let rings = RingSizes::default();
    let mut server = Engine::new(&context, None, rings).expect("engine");
    let mut client = Engine::new(&client, Some(NAME), rings).expect("engine");
    let question = loop {
        let _ = client.handshake();
        carry(&mut client, &mut server);
        if let Err(EngineError::Want(Want::App)) = server.handshake() {
            break server.question().expect("about the client");
        }
        carry(&mut server, &mut client);
    };
    drop(question);
    client.write(b"in").expect("write");
    carry(&mut client, &mut server);
    // Nobody has answered; taking the engine apart is no way around that.
    server = rebuild(server);
    let read = server.read(&mut [0; 2]);
    assert!(
        matches!(read, Err(EngineError::Want(Want::App))),
        "{read:?}"
    );
    let question = server.question().expect("about the client");
    server.answer(question.decide()).expect("an answer");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let read = server.read(&mut [0; 2]);
    assert!(
        matches!(read, Err(EngineError::Failed(Error::Rejected(_)))),
        "{read:?}"
    );
}

#[test]
fn an_approved_client_gets_its_tickets_wherever_the_engine_has_been() {
    let (context, client) = mutual_contexts(|_: &PeerChain| Ok(()));
    let rings = RingSizes::default();
    let server = Engine::new(&context, None, rings).expect("engine");
    let mut client = Engine::new(&client, Some(NAME), rings).expect("engine");
    let mut server = rebuild(server);
    loop {
        let connected = client.handshake().is_ok();
        carry(&mut client, &mut server);
        match server.handshake() {
            Ok(()) if connected => break,
            Err(EngineError::Want(Want::App)) => {
                let question = server.question().expect("about the client");
                server.answer(question.decide()).expect("an answer");
            }
            _ => {}
        }
        carry(&mut server, &mut client);
    }
    carry(&mut server, &mut client);
    let _ = client.read(&mut [0; 1]);
    let session = client.session().expect("of the handshake");
    assert!(session.is_resumable(), "a ticket has come");
}

#[test]
fn what_is_no_pair_is_refused_and_stays_the_callers() {
    let (server, client) = established(VERSIONS[0], 2000);
    let (ssl, network) = client.into_raw();
    let (other_ssl, other_network) = server.into_raw();
    // SAFETY: null is allowed.
    let refused = unsafe { Engine::from_raw(ptr::null_mut(), network) };
    assert!(matches!(refused, Err(Error::Local(_))));
    // SAFETY: null is allowed.
    let refused = unsafe { Engine::from_raw(ssl, ptr::null_mut()) };
    assert!(matches!(refused, Err(Error::Local(_))));

    // SAFETY: answers with a constant of the library.
    let kind = unsafe { openssl_sys::BIO_s_mem() };
    // SAFETY: a kind of BIO that needs nothing else.
    let memory = unsafe { openssl_sys::BIO_new(kind) };
    // SAFETY: a live object that is no half of a pair.
    let refused = unsafe { Engine::from_raw(ssl, memory) };
    assert!(matches!(refused, Err(Error::Local(_))));
    // SAFETY: the object takes the one reference, for both directions.
    unsafe { openssl_sys::SSL_set_bio(other_ssl, memory, memory) };
    // SAFETY: alive, and not of one pair.
    let refused = unsafe { Engine::from_raw(other_ssl, other_network) };
    assert!(matches!(refused, Err(Error::Local(_))));
    free(other_ssl, other_network);

    // All of them are still whole.
    assert_eq!(bio_write(network, b"not a record"), 12);
    // SAFETY: both are the caller's again.
    let mut engine = unsafe { Engine::from_raw(ssl, network) }.expect("a pair");
    assert_eq!(engine.in_pending(), 12);
    assert!(engine.read(&mut [0]).is_err());
}
