//! Callbacks of streams: what comes to the caller, and what reaches the peer.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use greenling_tls::{Alert, ClientAuth, ContextBuilder, Error, Event, TlsStream, Version};

use crate::support::{NAME, VERSIONS, ca, client, fail, message, server};

/// A client's stream, and what `serve` finds on the server's side in another thread.
fn connect<R: Send + 'static>(
    client: ContextBuilder,
    server: ContextBuilder,
    serve: impl FnOnce(TlsStream<UnixStream>) -> R + Send + 'static,
) -> (TlsStream<UnixStream>, thread::JoinHandle<R>) {
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    let served = thread::spawn(move || serve(TlsStream::start_accept(&server, far)));
    (TlsStream::start_connect(&client, NAME, near), served)
}

#[test]
fn a_panic_in_a_callback_reaches_the_caller_and_its_alert_the_peer() {
    for version in VERSIONS {
        let judging = server(version)
            .trust_pem(ca().root_pem().unwrap())
            .client_auth(ClientAuth::Required)
            .verify_with(|_| fail("judge failed"));
        let alice = client(version).identity(ca().issue_client("alice").unwrap());
        let (mut stream, served) = connect(alice, judging, |stream| {
            let panic = catch_unwind(AssertUnwindSafe(|| stream.handshake()));
            let again = stream.handshake();
            (message(panic.expect_err("a panic").as_ref()), again)
        });
        let error = stream.handshake().err().unwrap_or_else(|| {
            // With TLS 1.3 the client is done before the server has judged it.
            Error::from(stream.read(&mut [0; 1]).unwrap_err())
        });
        match error {
            Error::Peer(alert) => assert_eq!(alert, Alert::INTERNAL_ERROR, "{version}"),
            other => panic!("{version}: {other:?}"),
        }
        let (text, again) = served.join().unwrap();
        assert_eq!(text, "judge failed");
        assert!(matches!(again, Err(Error::Rejected(_))), "{again:?}");
    }
}

#[test]
fn a_flood_of_key_updates_ends_a_stream_with_an_alert() {
    let (mut stream, served) = connect(
        client(Version::Tls13),
        server(Version::Tls13).num_tickets(0),
        |mut stream| Error::from(stream.read(&mut [0; 1]).unwrap_err()),
    );
    stream.handshake().unwrap();
    for _ in 0..33 {
        // The server may have had enough already.
        if stream.key_update(false).is_err() {
            break;
        }
    }
    // Ends the server's read in any case.
    let _ = stream.write(b"!");
    match Error::from(stream.read(&mut [0; 1]).unwrap_err()) {
        Error::Peer(alert) => assert_eq!(alert, Alert::UNEXPECTED_MESSAGE),
        other => panic!("{other:?}"),
    }
    let error = served.join().unwrap();
    assert!(error.to_string().contains("more than 32 times"), "{error}");
}

#[test]
fn a_stream_is_watched_by_itself() {
    let (stream, served) = connect(client(VERSIONS[1]), server(VERSIONS[1]), |stream| {
        let (sender, events) = std::sync::mpsc::channel();
        let observer = move |_: &greenling_tls::ConnectionView<'_>, event: &Event| {
            sender.send(*event).unwrap();
        };
        stream.on_event(observer).unwrap();
        stream.handshake().unwrap();
        drop(stream);
        events.iter().collect::<Vec<_>>()
    });
    stream.handshake().unwrap();
    let events = served.join().unwrap();
    assert_eq!(events.first(), Some(&Event::HandshakeStart));
    assert!(events.contains(&Event::HandshakeDone));
}

/// The stack of a tasklet has no room for what the callbacks use here, and nothing
/// else runs while they do.
#[cfg(feature = "greenling")]
#[test]
fn callbacks_run_on_the_system_stack_where_no_tasklet_is_switched() {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use greenling_tls::{OcspStaple, Psk, PskTable, Rejection, Verdict};

    let ran = Arc::new(AtomicU32::new(0));
    let others = Rc::new(Cell::new(0_u32));
    let turns = Arc::new(AtomicU32::new(0));
    let use_it = {
        let (ran, turns) = (Arc::clone(&ran), Arc::clone(&turns));
        move || {
            let room = std::hint::black_box([1_u8; 200 * 1024]);
            assert_eq!(
                room.iter().map(|&byte| u32::from(byte)).sum::<u32>(),
                204_800
            );
            let before = turns.load(Ordering::Relaxed);
            greenling::schedule();
            assert_eq!(turns.load(Ordering::Relaxed), before, "somebody else ran");
            ran.fetch_add(1, Ordering::Relaxed);
        }
    };
    let all = [(); 6].map(|()| use_it.clone());
    let [event, shown, chain, status, key, responder] = all;
    let identity = ca().issue(&[NAME]).unwrap();
    let identity = identity.with_ocsp_staple(&OcspStaple::new(crate::support::TRY_LATER).unwrap());
    let table = PskTable::default();
    table.insert(Psk::new("alice", *b"sixteen bytes ok").unwrap());
    let server = ContextBuilder::server()
        .identity(identity)
        .psk_server(move |_, _| {
            key();
            Ok(None)
        })
        .ocsp_responder(move |_, _| {
            responder();
            Ok(None)
        });
    let client = client(Version::Tls13)
        .on_event(move |_, _| event())
        .on_message(move |_, _| shown())
        .verify_with(move |_| {
            chain();
            Verdict::AsOpenSsl
        })
        .on_ocsp(move |_, _| {
            status();
            Ok::<(), Rejection>(())
        })
        .psk_client(move |_, _| Ok(Some(Psk::new("unknown", *b"sixteen bytes ok")?)));
    let counter = Rc::clone(&others);
    let busy = greenling::spawn(move || {
        for _ in 0..1000 {
            counter.set(counter.get() + 1);
            turns.fetch_add(1, Ordering::Relaxed);
            greenling::schedule();
        }
    });
    let small = greenling::Builder::new().stack_size(64 * 1024);
    let handshake = small
        .spawn(move || {
            crate::support::Pair::new(client, server).connect();
        })
        .unwrap();
    handshake.join().unwrap();
    busy.join().unwrap();
    assert_eq!(others.get(), 1000);
    assert!(ran.load(Ordering::Relaxed) > 20);
}
