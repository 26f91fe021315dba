//! Peers that ask for new keys again and again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use greenling_tls::{Alert, Engine, Error, Event, Version};

use crate::support::{Pair, carry, client, idle, peer_alert, rejection, server};

/// Sends key updates, each in a record of its own.
fn update_keys(from: &mut Engine, to: &mut Engine, count: u32) {
    for _ in 0..count {
        from.key_update(false).expect("key update");
        from.handshake().expect("sent at once");
    }
    carry(from, to);
}

#[test]
fn thirty_two_key_updates_are_allowed_and_one_more_ends_the_connection() {
    let mut pair = Pair::new(client(Version::Tls13), server(Version::Tls13)).connect();
    for _ in 0..3 {
        update_keys(&mut pair.client, &mut pair.server, 32);
        idle(&mut pair.server).unwrap();
        // Data in between: the count begins anew.
        pair.talk();
    }
    update_keys(&mut pair.client, &mut pair.server, 33);
    pair.client.write(b"too late").unwrap();
    carry(&mut pair.client, &mut pair.server);
    let (alert, text) = rejection(idle(&mut pair.server));
    assert_eq!(alert, Alert::UNEXPECTED_MESSAGE);
    assert!(text.contains("more than 32 times"), "{text}");
    // Nothing more is taken from the peer.
    rejection(idle(&mut pair.server));
    carry(&mut pair.server, &mut pair.client);
    assert_eq!(
        peer_alert(idle(&mut pair.client)),
        Alert::UNEXPECTED_MESSAGE
    );
}

#[test]
fn clients_limit_their_servers_too_and_the_work_stops_at_the_limit() {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&seen);
    let client = client(Version::Tls13)
        .key_update_limit(Some(3))
        .on_message(move |_, message| {
            if message.handshake() == Some(greenling_tls::HandshakeType::KEY_UPDATE) {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
    let mut pair = Pair::new(client, server(Version::Tls13)).connect();
    update_keys(&mut pair.server, &mut pair.client, 100);
    let (_, text) = rejection(idle(&mut pair.client));
    assert!(text.contains("more than 3 times"), "{text}");
    assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 4);
}

#[test]
fn an_observer_that_panics_at_the_alert_does_not_save_the_connection() {
    let server = server(Version::Tls13).on_event(|_, event| {
        if matches!(event, Event::Alert { .. }) {
            panic!("at the alert");
        }
    });
    let mut pair = Pair::new(client(Version::Tls13), server).connect();
    update_keys(&mut pair.client, &mut pair.server, 33);
    let end = catch_unwind(AssertUnwindSafe(|| idle(&mut pair.server)));
    assert!(end.is_err(), "the panic goes on");
    let (alert, _) = rejection(idle(&mut pair.server));
    assert_eq!(alert, Alert::UNEXPECTED_MESSAGE);
}

#[test]
fn the_limit_can_be_lifted() {
    let server = server(Version::Tls13).key_update_limit(None);
    let mut pair = Pair::new(client(Version::Tls13), server).connect();
    update_keys(&mut pair.client, &mut pair.server, 100);
    idle(&mut pair.server).unwrap();
    pair.talk();
}

#[test]
fn renegotiations_without_data_are_limited_where_they_are_allowed() {
    let client = client(Version::Tls12)
        .allow_renegotiation()
        .key_update_limit(None);
    let server = server(Version::Tls12)
        .allow_renegotiation()
        .key_update_limit(Some(2));
    let mut pair = Pair::new(client, server).connect();
    // The first handshake does not count, nor what came before the data.
    for _ in 0..2 {
        renegotiate(&mut pair).unwrap();
        renegotiate(&mut pair).unwrap();
        pair.talk();
    }
    renegotiate(&mut pair).unwrap();
    renegotiate(&mut pair).unwrap();
    let (alert, text) = rejection(renegotiate(&mut pair));
    assert_eq!(alert, Alert::UNEXPECTED_MESSAGE);
    assert!(text.contains("more than 2 times"), "{text}");
    carry(&mut pair.server, &mut pair.client);
    peer_alert(idle(&mut pair.client));
}

/// A handshake that the client begins; what the server says of it.
fn renegotiate(pair: &mut Pair) -> Result<(), Error> {
    pair.client.renegotiate().expect("allowed");
    loop {
        let done = pair.client.handshake().is_ok();
        carry(&mut pair.client, &mut pair.server);
        idle(&mut pair.server)?;
        carry(&mut pair.server, &mut pair.client);
        if done {
            return idle(&mut pair.client);
        }
    }
}
