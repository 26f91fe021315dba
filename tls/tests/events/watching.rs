//! Events and messages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use greenling_tls::{
    Alert, AlertLevel, AlpnChoice, ConnectionView, ContentType, ContextBuilder, Direction, Error,
    Event, HandshakeType, Message, Role, Version,
};

use crate::support::{
    NAME, Pair, VERSIONS, carry, client, fail, handshake_panics, idle, peer_alert, rejection,
    server,
};

type Log<T> = Arc<Mutex<Vec<T>>>;

/// An observer that keeps what it is told, and where that is kept.
fn recorder() -> (
    impl Fn(&ConnectionView<'_>, &Event) + Send + Sync + 'static,
    Log<Event>,
) {
    let log = Log::default();
    let kept = Arc::clone(&log);
    let observer = move |_: &ConnectionView<'_>, event: &Event| kept.lock().unwrap().push(*event);
    (observer, log)
}

fn alerts(log: &Log<Event>) -> Vec<(Direction, AlertLevel, Alert)> {
    let alert = |event: &Event| match *event {
        Event::Alert {
            direction,
            level,
            alert,
        } => Some((direction, level, alert)),
        _ => None,
    };
    log.lock().unwrap().iter().filter_map(alert).collect()
}

#[test]
fn events_tell_the_handshake_and_the_goodbye_of_the_peer() {
    for version in VERSIONS {
        let (observer, seen) = recorder();
        let mut pair = Pair::new(client(version), server(version).on_event(observer)).connect();
        let events = seen.lock().unwrap().clone();
        assert_eq!(events.first(), Some(&Event::HandshakeStart), "{version}");
        assert!(events.contains(&Event::HandshakeDone), "{version}");
        let states = events
            .iter()
            .filter(|e| matches!(e, Event::State(text) if text.contains("client hello")));
        assert!(states.count() > 0, "{version}: {events:?}");
        assert!(
            events
                .iter()
                .any(|e| matches!(e, Event::Exit { result: 1, .. })),
            "{version}: {events:?}"
        );
        pair.client.shutdown().unwrap();
        carry(&mut pair.client, &mut pair.server);
        pair.server.read(&mut [0; 1]).unwrap_err();
        assert_eq!(
            alerts(&seen),
            [(
                Direction::Received,
                AlertLevel::Warning,
                Alert::CLOSE_NOTIFY
            )]
        );
    }
}

#[test]
fn both_ends_of_an_alert_are_told_of_it() {
    for version in VERSIONS {
        let (of_client, sent) = recorder();
        let (of_server, received) = recorder();
        let stranger = ContextBuilder::client()
            .versions(version..=version)
            .trust_pem(
                greenling_tls::crypto::TestCa::new("another")
                    .unwrap()
                    .root_pem()
                    .unwrap(),
            )
            .on_event(of_client);
        let mut pair = Pair::new(stranger, server(version).on_event(of_server));
        pair.handshake().0.unwrap_err();
        let fatal = AlertLevel::Fatal;
        assert_eq!(
            alerts(&sent),
            [(Direction::Sent, fatal, Alert::UNKNOWN_CA)],
            "{version}"
        );
        assert_eq!(
            alerts(&received),
            [(Direction::Received, fatal, Alert::UNKNOWN_CA)],
            "{version}"
        );
    }
}

#[test]
fn data_that_panics_when_it_is_dropped_takes_its_connection_along_and_nothing_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let Pair { mut server, client } = Pair::new(client(Version::Tls13), server(Version::Tls13));
    server.set_app_data(Bomb).unwrap();
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(server)));
    let payload = dropped.expect_err("the panic comes back");
    assert_eq!(payload.downcast_ref(), Some(&"in a destructor"));
    drop(client);
}

#[test]
fn what_a_context_frees_may_panic_even_when_a_session_is_its_last_owner() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    impl Bomb {
        fn touch(&self) {}
    }
    let (line, name) = (Bomb, Bomb);
    let context = server(Version::Tls13)
        .app_data(Bomb)
        .on_keylog(move |_, _| line.touch())
        .alpn_select(move |_, _| {
            name.touch();
            AlpnChoice::NoOverlap
        });
    let pair = Pair::new(client(Version::Tls13), context).connect();
    let session = pair.server.session().expect("of the handshake");
    // Whether the panic comes back or ends where it was raised: the process goes on.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(pair)));
    let _ = catch_unwind(AssertUnwindSafe(|| drop(session)));
    // Nor is a panic left over for others.
    Pair::new(client(Version::Tls13), server(Version::Tls13)).connect();
}

#[test]
fn each_connection_is_told_of_with_its_own_data() {
    const COUNT: usize = 8;
    for version in VERSIONS {
        let log: Log<(usize, String, Event)> = Log::default();
        let kept = Arc::clone(&log);
        let server = server(version)
            .app_data(String::from("shared"))
            .on_event(move |connection, event| {
                let number = connection.app_data::<usize>().expect("data");
                let shared = connection.context_data::<String>().expect("context data");
                assert_eq!(connection.role(), Role::Server);
                kept.lock()
                    .unwrap()
                    .push((*number, String::clone(&shared), *event));
            })
            .build()
            .unwrap();
        let client = client(version).build().unwrap();
        let mut pairs: Vec<_> = (0..COUNT).map(|_| Pair::of(&client, &server)).collect();
        for (number, pair) in pairs.iter_mut().enumerate() {
            pair.server.set_app_data(number).unwrap();
        }
        for _ in 0..4 {
            for pair in &mut pairs {
                pair.turn();
            }
        }
        // One says goodbye in a way of its own.
        pairs[5].client.shutdown().unwrap();
        let pair = &mut pairs[5];
        carry(&mut pair.client, &mut pair.server);
        pair.server.read(&mut [0; 1]).unwrap_err();

        let log = log.lock().unwrap();
        assert!(log.iter().all(|(_, shared, _)| shared == "shared"));
        for number in 0..COUNT {
            let of = |wanted: Event| {
                log.iter()
                    .filter(|(n, _, event)| *n == number && *event == wanted)
                    .count()
            };
            assert_eq!(of(Event::HandshakeStart), 1, "{version} {number}");
            assert!(of(Event::HandshakeDone) > 0, "{version} {number}");
        }
        let alerting: Vec<_> = log
            .iter()
            .filter(|(.., event)| matches!(event, Event::Alert { .. }))
            .map(|(number, ..)| *number)
            .collect();
        assert_eq!(alerting, [5], "{version}");
    }
}

#[test]
fn a_connections_own_observer_takes_the_place_of_its_contexts() {
    for version in VERSIONS {
        let (of_context, general) = recorder();
        let (of_connection, own) = recorder();
        let server = server(version).on_event(of_context).build().unwrap();
        let client = client(version).build().unwrap();
        let mut watched = Pair::of(&client, &server);
        watched.server.on_event(of_connection).unwrap();
        watched.connect();
        assert!(general.lock().unwrap().is_empty());
        assert!(own.lock().unwrap().contains(&Event::HandshakeDone));
        Pair::of(&client, &server).connect();
        assert!(general.lock().unwrap().contains(&Event::HandshakeDone));
    }
}

#[test]
fn a_panic_of_an_observer_ends_the_connection_and_reaches_the_caller() {
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let kinds: [fn(&Event) -> bool; 3] = [
                |event| *event == Event::HandshakeStart,
                |event| matches!(event, Event::State(_)),
                |event| *event == Event::HandshakeDone,
            ];
            for (kind, chosen) in kinds.into_iter().enumerate() {
                let what = format!("{version} {role:?} {kind}");
                let observer = move |_: &ConnectionView<'_>, event: &Event| {
                    if chosen(event) {
                        fail("observer failed");
                    }
                };
                let (client, server) = (client(version), server(version));
                let mut pair = match role {
                    Role::Client => Pair::new(client.on_event(observer), server),
                    Role::Server => Pair::new(client, server.on_event(observer)),
                };
                assert_eq!(handshake_panics(&mut pair), "observer failed", "{what}");
                assert_dead(&mut pair, role, &what);
            }
        }
    }
}

/// The side of `role` refuses everything, and the other got a fatal alert.
fn assert_dead(pair: &mut Pair, role: Role, what: &str) {
    let (dead, other) = match role {
        Role::Client => (&mut pair.client, &mut pair.server),
        Role::Server => (&mut pair.server, &mut pair.client),
    };
    let refused = dead.handshake().map_err(|error| match error {
        greenling_tls::EngineError::Failed(error) => error,
        other => panic!("{what}: {other:?}"),
    });
    let (alert, text) = rejection(refused);
    assert_eq!(alert, Alert::INTERNAL_ERROR, "{what}");
    assert!(text.contains("panicked"), "{what}: {text}");
    dead.write(b"more").unwrap_err();
    dead.read(&mut [0; 1]).unwrap_err();
    carry(dead, other);
    match idle(other) {
        Err(Error::Peer(alert)) => {
            // What is no record is, to TLS 1.2 with keys, one that was tampered with.
            let alerts = [
                Alert::UNEXPECTED_MESSAGE,
                Alert::BAD_RECORD_MAC,
                Alert::INTERNAL_ERROR,
            ];
            assert!(alerts.contains(&alert), "{what}: {alert}");
        }
        // A client that has no answer yet sends its alert in a record of the version
        // that first hellos have, which a server that has read one does not expect.
        Err(Error::Ssl(_)) => assert_eq!(role, Role::Client, "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn messages_are_the_same_on_both_ends_and_no_data_is_among_them() {
    for version in VERSIONS {
        let sent: Log<Vec<u8>> = Log::default();
        let received: Log<Vec<u8>> = Log::default();
        let keep = |log: &Log<Vec<u8>>, direction| {
            let log = Arc::clone(log);
            move |connection: &ConnectionView<'_>, message: &Message<'_>| {
                assert_eq!(connection.server_name(), Some(NAME));
                assert!(!message.bytes().windows(8).any(|part| part == b"question"));
                if message.direction() == direction && message.content() == ContentType::Handshake {
                    log.lock().unwrap().push(message.bytes().to_vec());
                }
            }
        };
        let client = client(version).on_message(keep(&sent, Direction::Sent));
        let of_server = {
            let keep = keep_server(&received);
            server(version).on_message(keep)
        };
        Pair::new(client, of_server).connect().talk();
        let (sent, received) = (sent.lock().unwrap(), received.lock().unwrap());
        assert_eq!(*sent, *received, "{version}");
        assert_eq!(
            sent.first().map(|m| m[0]),
            Some(HandshakeType::CLIENT_HELLO.code())
        );
        assert_eq!(
            sent.last().map(|m| m[0]),
            Some(HandshakeType::FINISHED.code())
        );
    }
}

/// The name is not known before the ClientHello has been parsed.
fn keep_server(
    log: &Log<Vec<u8>>,
) -> impl Fn(&ConnectionView<'_>, &Message<'_>) + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |_, message| {
        assert!(!message.bytes().windows(8).any(|part| part == b"question"));
        if message.direction() == Direction::Received && message.content() == ContentType::Handshake
        {
            log.lock().unwrap().push(message.bytes().to_vec());
        }
    }
}

#[test]
fn a_message_does_not_print_its_bytes() {
    let printed: Log<String> = Log::default();
    let log = Arc::clone(&printed);
    let server = server(VERSIONS[1]).on_message(move |_, message| {
        log.lock().unwrap().push(format!("{message:?}"));
    });
    Pair::new(client(VERSIONS[1]), server).connect();
    let printed = printed.lock().unwrap();
    let ticket = printed
        .iter()
        .find(|text| text.contains("HandshakeType(4)"))
        .expect("a ticket");
    assert!(ticket.contains("length"), "{ticket}");
    assert!(!ticket.contains("bytes"), "{ticket}");
}

#[test]
fn a_panic_at_a_message_ends_the_connection_and_reaches_the_caller() {
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let observer = |_: &ConnectionView<'_>, message: &Message<'_>| {
                if message.handshake() == Some(HandshakeType::FINISHED) {
                    fail("not to be seen");
                }
            };
            let (client, server) = (client(version), server(version));
            let mut pair = match role {
                Role::Client => Pair::new(client.on_message(observer), server),
                Role::Server => Pair::new(client, server.on_message(observer)),
            };
            let what = format!("{version} {role:?}");
            assert_eq!(handshake_panics(&mut pair), "not to be seen", "{what}");
            let (dead, other) = match role {
                Role::Client => (&mut pair.client, &mut pair.server),
                Role::Server => (&mut pair.server, &mut pair.client),
            };
            dead.handshake().unwrap_err();
            carry(dead, other);
            peer_alert(idle(other));
        }
    }
}
