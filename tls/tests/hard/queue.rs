//! OpenSSL's queue of errors, before and after every public call.
//!
//! The queue belongs to the OS thread. What others left there must not change what
//! a call comes to, and no call may leave anything there itself. So each session
//! below runs twice: with an empty queue, which has to stay empty, and with an
//! error put there before each single call, after which the calls have to come to
//! the same.

use std::fmt::Display;
use std::io::{Read, Write};

use greenling_tls::{ClientAuth, Context, Engine, RingSizes, Session, TlsStream, Version};
use openssl::error::ErrorStack;
use openssl::x509::X509;

use crate::support::{End, NAME, VERSIONS, ca, carry, client_builder, link, server_builder};

/// Watches calls, and remembers what they came to.
struct Watch {
    poisons: bool,
    results: Vec<String>,
}

impl Watch {
    /// Makes a call whose value is of no interest.
    fn look<R>(&mut self, name: &str, call: impl FnOnce() -> R) -> R {
        let before = if self.poisons {
            let stack: ErrorStack = X509::from_pem(b"no certificate").expect_err("not PEM");
            stack.put();
            stack.errors().len()
        } else {
            0
        };
        let value = call();
        let left = ErrorStack::get();
        let foreign = |error: &openssl::error::Error| error.library() == Some("PEM routines");
        let (foreign, ours): (Vec<_>, Vec<_>) = left.errors().iter().partition(|e| foreign(e));
        assert!(ours.is_empty(), "{name} left {ours:?}");
        assert!(foreign.len() <= before, "{name} left {foreign:?}");
        value
    }

    /// Makes a call and remembers whether it succeeded, and how it failed if not.
    fn make<R, E: Display>(
        &mut self,
        name: &str,
        call: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let result = self.look(name, call);
        let outcome = match &result {
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        self.results.push(format!("{name}: {outcome}"));
        result
    }
}

/// Plays the same with and without errors of others.
fn twice(play: impl Fn(&mut Watch)) {
    let [clean, poisoned] = [false, true].map(|poisons| {
        let mut watch = Watch {
            poisons,
            results: Vec::new(),
        };
        drop(ErrorStack::get());
        play(&mut watch);
        watch.results
    });
    assert_eq!(clean, poisoned);
}

/// A server that may ask for certificates, and a client that has one.
fn contexts(version: Version) -> (Context, Context) {
    let server = server_builder(version)
        .client_auth(ClientAuth::Optional)
        .trust_pem(ca().root_pem().expect("PEM"));
    let client = client_builder(version).identity(ca().issue_client("me").expect("certificate"));
    (
        server.build().expect("context"),
        client.build().expect("context"),
    )
}

fn questions(watch: &mut Watch, engine: &Engine) {
    watch.look("Engine::pending", || engine.pending());
    watch.look("Engine::is_established", || engine.is_established());
    watch.look("Engine::is_peer_closed", || engine.is_peer_closed());
    watch.look("Engine::is_closed", || engine.is_closed());
    watch.look("Engine::failure", || engine.failure().is_some());
    watch.look("Engine::deferral", || engine.deferral());
    watch.look("Engine::role", || engine.role());
    watch.look("Engine::app_data", || engine.app_data::<u8>());
    watch.look("Engine::in_pending", || engine.in_pending());
    watch.look("Engine::out_pending", || engine.out_pending());
    watch.look("Engine::out_free", || engine.out_free());
    watch.look("Engine::has_room_for", || engine.has_room_for(100));
    watch.look("Engine::read_request", || engine.read_request());
    watch.look("Engine::rings", || engine.rings());
    watch.look("Engine::is_parked", || engine.is_parked());
    watch.look("Engine::session", || engine.session().is_some());
    watch.look("Engine::is_session_reused", || engine.is_session_reused());
    watch.look("Engine::version", || engine.version());
    watch.look("Engine::cipher", || engine.cipher());
    watch.look("Engine::server_name", || engine.server_name().is_some());
    watch.look("Engine::alpn_protocol", || engine.alpn_protocol().is_some());
    watch.look("Engine::state_string", || engine.state_string());
    watch.look("Engine::peer_certificate", || engine.peer_certificate());
}

/// Asks for everything that can be asked for, whether it is the time for it or not.
fn requests(watch: &mut Watch, engine: &mut Engine, session: Option<&Session>) {
    questions(watch, engine);
    let _ = watch.make("Engine::key_update", || engine.key_update(true));
    let _ = watch.make("Engine::new_session_ticket", || engine.new_session_ticket());
    let _ = watch.make("Engine::renegotiate", || engine.renegotiate());
    let _ = watch.make("Engine::verify_client_post_handshake", || {
        engine.verify_client_post_handshake()
    });
    watch.look("Engine::park", || engine.park());
    watch.look("Engine::set_rings", || engine.set_rings(RingSizes::RECORD));
    let _ = watch.make("Engine::set_app_data", || engine.set_app_data(7u8));
    if let Some(session) = session {
        let _ = watch.make("Engine::set_session", || engine.set_session(session));
    }
    questions(watch, engine);
}

/// Moves plaintext and ciphertext as far as they go.
fn transfers(watch: &mut Watch, me: &mut Engine, peer: &mut Engine) {
    let mut buf = [0; 500];
    let _ = watch.make("Engine::handshake", || me.handshake());
    let _ = watch.make("Engine::peek", || me.peek(&mut buf));
    let _ = watch.make("Engine::write", || me.write(&[5; 100]));
    let _ = watch.make("Engine::read", || me.read(&mut buf));
    watch.look("Engine::out_data, consume_out, in_space, commit_in", || {
        carry(me, peer, 100)
    });
    let mut wire = [0; 8000];
    let n = watch.look("Engine::drain", || me.drain(&mut wire));
    watch.look("Engine::feed", || assert_eq!(peer.feed(&wire[..n]), n));
}

fn engines(
    watch: &mut Watch,
    (server, client): &(Context, Context),
    rings: RingSizes,
) -> (Engine, Engine) {
    let _ = watch.make("Engine::new", || {
        Engine::new(client, Some("no name"), rings)
    });
    let server = watch.make("Engine::new", || Engine::new(server, None, rings));
    let client = watch.make("Engine::new", || Engine::new(client, Some(NAME), rings));
    let (server, mut client) = (server.expect("engine"), client.expect("engine"));
    watch.look("Engine::offer_post_handshake_auth", || {
        client.offer_post_handshake_auth();
    });
    (server, client)
}

#[test]
fn calls_of_engines_in_every_state() {
    for version in VERSIONS {
        let contexts = contexts(version);
        twice(|watch| {
            // A session to offer later.
            let mut kept: Option<Session> = None;
            for _ in 0..2 {
                let (mut server, mut client) = engines(watch, &contexts, RingSizes::default());
                // From fresh to established, and on.
                for _ in 0..5 {
                    requests(watch, &mut client, kept.as_ref());
                    transfers(watch, &mut client, &mut server);
                    requests(watch, &mut server, None);
                    transfers(watch, &mut server, &mut client);
                }
                assert!(client.is_established() && server.is_established());
                kept = client.session();
                // Half closed, then closed.
                let _ = watch.make("Engine::shutdown", || server.shutdown());
                for _ in 0..3 {
                    transfers(watch, &mut server, &mut client);
                    requests(watch, &mut client, None);
                    transfers(watch, &mut client, &mut server);
                    requests(watch, &mut server, None);
                }
                let _ = watch.make("Engine::shutdown", || client.shutdown());
                transfers(watch, &mut client, &mut server);
                requests(watch, &mut client, None);
                watch.look("Engine::take_unread", || server.take_unread());
                watch.look("drop", || drop((server, client)));
            }
        });
    }
}

#[test]
fn calls_of_engines_that_have_failed() {
    for version in VERSIONS {
        let contexts = contexts(version);
        twice(|watch| {
            for garbage in [
                &b"\x16\x03\x01\x00\x05hello"[..],
                b"GET / HTTP/1.1\r\n\r\n",
                b"",
            ] {
                let (server, client) = engines(watch, &contexts, RingSizes::default());
                let (_, mut elsewhere) = engines(watch, &contexts, RingSizes::default());
                for mut engine in [server, client] {
                    let _ = watch.make("Engine::shutdown", || engine.shutdown());
                    watch.look("Engine::feed", || engine.feed(garbage));
                    watch.look("Engine::close_in", || engine.close_in());
                    for _ in 0..2 {
                        transfers(watch, &mut engine, &mut elsewhere);
                        requests(watch, &mut engine, None);
                        let _ = watch.make("Engine::shutdown", || engine.shutdown());
                    }
                    watch.look("Engine::as_ssl_ptr", || engine.as_ssl_ptr());
                    watch.look("Engine::network_bio_ptr", || engine.network_bio_ptr());
                    watch.look("Engine::ignore_truncation", || engine.ignore_truncation());
                    watch.look("drop", || drop(engine));
                }
            }
        });
    }
}

/// Everything about a stream that can be asked, and set to what it is.
fn about(watch: &mut Watch, stream: &TlsStream<End>) {
    watch.look("TlsStream::is_established", || stream.is_established());
    watch.look("TlsStream::pending", || stream.pending());
    watch.look("TlsStream::buffered", || stream.buffered());
    watch.look("TlsStream::alpn_protocol", || stream.alpn_protocol());
    watch.look("TlsStream::server_name", || stream.server_name());
    watch.look("TlsStream::version", || stream.version());
    watch.look("TlsStream::cipher", || stream.cipher());
    watch.look("TlsStream::peer_certificate", || stream.peer_certificate());
    watch.look("TlsStream::session", || stream.session().is_some());
    watch.look("TlsStream::session_reused", || stream.session_reused());
    watch.look("TlsStream::state_string", || stream.state_string());
    watch.look("TlsStream::get_ref", || stream.get_ref().incoming().ended);
    watch.look("TlsStream::fmt", || format!("{stream:?}"));
    watch.look("TlsStream::set_read_timeout", || {
        stream.set_read_timeout(None)
    });
    watch.look("TlsStream::set_write_timeout", || {
        stream.set_write_timeout(None)
    });
    watch.look("TlsStream::set_handshake_timeout", || {
        stream.set_handshake_timeout(None);
    });
    watch.look("TlsStream::set_nonblocking", || {
        stream.set_nonblocking(true)
    });
}

/// Moves what can be moved.
fn moves(watch: &mut Watch, stream: &TlsStream<End>) {
    let mut buf = [0; 300];
    about(watch, stream);
    let _ = watch.make("TlsStream::handshake", || stream.handshake());
    let _ = watch.make("TlsStream::peek", || stream.peek(&mut buf));
    let _ = watch.make("TlsStream::read", || (&mut &*stream).read(&mut buf));
    let _ = watch.make("TlsStream::write", || (&mut &*stream).write(&[6; 200]));
    let _ = watch.make("TlsStream::flush", || (&mut &*stream).flush());
    if stream.is_established() {
        // Torn by a handshake that is not done, it would refuse all that follows.
        let _ = watch.make("TlsStream::write_all", || {
            (&mut &*stream).write_all(&[6; 70_000])
        });
    }
    let _ = watch.look("TlsStream::with_engine", || {
        stream.with_engine(|engine| engine.key_update(false).is_ok())
    });
    about(watch, stream);
}

fn streams(
    watch: &mut Watch,
    (server, client): &(Context, Context),
) -> (TlsStream<End>, TlsStream<End>) {
    let (a, b) = link();
    let server = watch.look("TlsStream::start_accept", || {
        TlsStream::start_accept(server, a)
    });
    let client = watch.look("TlsStream::start_connect", || {
        TlsStream::start_connect(client, NAME, b)
    });
    server.set_nonblocking(true);
    client.set_nonblocking(true);
    (server, client)
}

#[test]
fn calls_of_streams_in_every_state() {
    for version in VERSIONS {
        let contexts = contexts(version);
        twice(|watch| {
            for end in 0..4 {
                let (server, client) = streams(watch, &contexts);
                for _ in 0..4 {
                    moves(watch, &client);
                    moves(watch, &server);
                }
                assert!(client.is_established() && server.is_established());
                match end {
                    0 => {
                        let _ = watch.make("TlsStream::close", || server.close());
                    }
                    1 => {
                        let _ = watch.make("TlsStream::shutdown_write", || server.shutdown_write());
                        let _ = watch.make("TlsStream::unwrap", || server.unwrap());
                    }
                    2 => watch.look("TlsStream::abort", || server.abort()),
                    _ => {
                        let _ = watch.make("TlsStream::into_engine", || server.into_engine());
                    }
                }
                for _ in 0..3 {
                    moves(watch, &client);
                }
                let _ = watch.make("TlsStream::ignore_truncation", || {
                    client.ignore_truncation()
                });
                let _ = watch.make("TlsStream::into_plain", || client.into_plain());
            }
        });
    }
}

#[test]
fn handshakes_that_fail() {
    for version in VERSIONS {
        let (server, client) = contexts(version);
        twice(|watch| {
            for garbage in [
                &b"\x16\x03\x01\x00\x05hello"[..],
                b"GET / HTTP/1.1\r\n\r\n",
                b"",
            ] {
                let (a, b) = link();
                a.incoming().data.extend(garbage);
                let failed = watch.look("TlsStream::accept", || {
                    b.shutdown_own_side();
                    TlsStream::accept(&server, a).expect_err("garbage")
                });
                watch.results.push(failed.to_string());
                watch.look("drop", || drop(failed));
                let (a, b) = link();
                a.incoming().data.extend(garbage);
                b.shutdown_own_side();
                let failed = watch.look("TlsStream::connect", || {
                    TlsStream::connect(&client, NAME, a).expect_err("garbage")
                });
                watch.results.push(failed.to_string());
                let transport = watch.look("into_transport", || failed.into_transport());
                drop(transport);
            }
        });
    }
}
