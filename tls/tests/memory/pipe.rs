//! The pipe of asyncio and gruvi.

use std::sync::{Arc, Mutex};

use greenling_tls::{PipeState, Role, SslErrorKind, SslPipe, Version};

use crate::support::{NAME, VERSIONS, contexts};

/// What callbacks were told, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, what: &str) {
    log.lock().expect("no panic").push(what.to_owned());
}

fn noted(log: &Log) -> Vec<String> {
    log.lock().expect("no panic").clone()
}

fn pipes(version: Version) -> (SslPipe, SslPipe) {
    let (server, client) = contexts(version);
    (
        SslPipe::new(&server, Role::Server, None),
        SslPipe::new(&client, Role::Client, NAME),
    )
}

fn connect(server: &mut SslPipe, client: &mut SslPipe, log: &Log) {
    let told = log.clone();
    let hello = client
        .do_handshake(move |done| note(&told, if done.is_ok() { "client" } else { "failed" }))
        .expect("a hello");
    let told = log.clone();
    let nothing = server
        .do_handshake(move |_| note(&told, "server"))
        .expect("waits");
    assert!(nothing.is_empty() && server.need_ssldata() && client.need_ssldata());
    let mut up = hello.concat();
    while !(client.wrapped() && server.wrapped()) {
        assert_eq!(client.state(), PipeState::DoHandshake);
        let (down, _) = server.feed_ssldata(&up, false).expect("handshake");
        let (next, appdata) = client
            .feed_ssldata(&down.concat(), true)
            .expect("handshake");
        assert!(appdata.is_empty());
        up = next.concat();
        let (down, _) = server.feed_ssldata(&up, false).expect("handshake");
        up.clear();
        client.feed_ssldata(&down.concat(), false).expect("tickets");
    }
}

#[test]
fn plain_then_tls_then_plain_again() {
    for version in VERSIONS {
        let log = Log::default();
        let (mut server, mut client) = pipes(version);
        // Without TLS everything passes as it is.
        assert!(client.ssl_object().is_none() && !client.wrapped());
        let plain = client.feed_appdata(b"STARTTLS\r\n", 4).expect("plain");
        assert_eq!(plain, (vec![b"TTLS\r\n".to_vec()], 10));
        let plain = server.feed_ssldata(b"STARTTLS\r\n", false).expect("plain");
        assert_eq!(plain, (vec![], vec![b"STARTTLS\r\n".to_vec()]));
        assert_eq!(
            client.shutdown(|| {}).expect_err("no TLS").kind(),
            SslErrorKind::Value
        );

        connect(&mut server, &mut client, &log);
        // Who is first depends on the version.
        let mut told = noted(&log);
        told.sort();
        assert_eq!(told, ["client", "server"]);
        let again = client.do_handshake(|_| {}).expect_err("done already");
        assert_eq!(again.kind(), SslErrorKind::Value);

        let (ssldata, taken) = client.feed_appdata(b"..secret", 2).expect("room");
        assert_eq!(taken, 8);
        let wire = ssldata.concat();
        assert!(!wire.windows(6).any(|window| window == b"secret"));
        let (_, appdata) = server.feed_ssldata(&wire, false).expect("data");
        assert_eq!(appdata, [b"secret"]);
        assert!(server.need_ssldata());

        let told = log.clone();
        let goodbye = client
            .shutdown(move || note(&told, "ended"))
            .expect("a goodbye");
        assert_eq!(client.state(), PipeState::Shutdown);
        assert_eq!(
            client.shutdown(|| {}).expect_err("begun").kind(),
            SslErrorKind::Value
        );
        // A write is not taken now.
        assert_eq!(client.feed_appdata(b"late", 0).expect("none"), (vec![], 0));
        let (_, appdata) = server
            .feed_ssldata(&goodbye.concat(), false)
            .expect("an end");
        assert_eq!(appdata, [b""], "an empty piece is the peer's goodbye");
        let mut answer = server.shutdown(|| {}).expect("an answer").concat();
        assert_eq!(server.state(), PipeState::Unwrapped);
        answer.extend(b"plain");
        let (_, appdata) = client.feed_ssldata(&answer, false).expect("an end");
        assert_eq!(appdata, [b"plain"]);
        assert_eq!(client.state(), PipeState::Unwrapped);
        assert_eq!(noted(&log)[2..], ["ended"]);
        let plain = client.feed_appdata(b"QUIT", 0).expect("plain");
        assert_eq!(plain, (vec![b"QUIT".to_vec()], 4));
    }
}

#[test]
fn application_data_waits_for_the_handshake() {
    let (_, mut client) = pipes(Version::Tls13);
    let hello = client.do_handshake(|_| {}).expect("a hello");
    assert_eq!(hello.len(), 1);
    assert_eq!(client.feed_appdata(b"early", 0).expect("none"), (vec![], 0));
    assert!(client.need_ssldata());
}

#[test]
fn many_records_arrive_as_pieces() {
    let log = Log::default();
    let (mut server, mut client) = pipes(Version::Tls13);
    connect(&mut server, &mut client, &log);
    let data = vec![7; 100_000];
    let (ssldata, taken) = client.feed_appdata(&data, 0).expect("no bound");
    assert_eq!(taken, data.len());
    let (_, appdata) = server.feed_ssldata(&ssldata.concat(), false).expect("data");
    assert!(appdata.len() > 1);
    assert!(appdata.concat() == data);
}

#[test]
fn an_end_without_goodbye_is_an_error_and_one_with_it_is_not() {
    let log = Log::default();
    let (mut server, mut client) = pipes(Version::Tls13);
    connect(&mut server, &mut client, &log);
    let goodbye = client.shutdown(|| {}).expect("a goodbye").concat();
    server.feed_ssldata(&goodbye, false).expect("an end");
    server.feed_eof().expect("an orderly end");
    assert_eq!(
        client.feed_eof().expect_err("cut").kind(),
        SslErrorKind::Eof
    );
}

#[test]
fn a_failed_handshake_is_told_once_and_leaves_an_alert_to_send() {
    let log = Log::default();
    let (server, client) = contexts(Version::Tls13);
    let mut server = SslPipe::new(&server, Role::Server, None);
    let mut client = SslPipe::new(&client, Role::Client, "other.example");
    server.do_handshake(|_| {}).expect("waits");
    let told = log.clone();
    let hello = client
        .do_handshake(move |done| {
            let error = done.expect_err("another name");
            note(&told, error.kind().class());
        })
        .expect("a hello");
    let (flight, _) = server
        .feed_ssldata(&hello.concat(), false)
        .expect("a flight");
    let error = client
        .feed_ssldata(&flight.concat(), false)
        .expect_err("refused");
    assert_eq!(error.verify_code(), Some(62));
    assert_eq!(noted(&log), ["SSLCertVerificationError"]);
    let alert = client.take_ssldata().concat();
    assert!(!alert.is_empty());
    let error = server.feed_ssldata(&alert, false).expect_err("an alert");
    let reason = error.reason().expect("a reason").into_owned();
    assert!(reason.ends_with("ALERT_BAD_CERTIFICATE"), "{reason}");
}

#[test]
fn only_the_handshake_leaves_data_for_the_next_call() {
    let (mut server, mut client) = pipes(Version::Tls13);
    server.do_handshake(|_| {}).expect("waits");
    let hello = client.do_handshake(|_| {}).expect("a hello").concat();
    let (flight, _) = server.feed_ssldata(&hello, false).expect("a flight");
    let (finished, _) = client.feed_ssldata(&flight.concat(), true).expect("done");
    let (data, _) = client.feed_appdata(b"at once", 0).expect("room");
    let both = [finished.concat(), data.concat()].concat();
    let (_, appdata) = server.feed_ssldata(&both, true).expect("done");
    assert!(server.wrapped() && appdata.is_empty());
    let (_, appdata) = server.feed_ssldata(b"", false).expect("data");
    assert_eq!(appdata, [b"at once"]);
}
