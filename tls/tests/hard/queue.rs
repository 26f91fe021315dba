//! OpenSSL's queue of errors, before and after every public call.
//!
//! The queue belongs to the OS thread. What others left there must not change what
//! a call comes to, and no call may leave anything there itself. So each session
//! below runs twice: with an empty queue, which has to stay empty, and with an
//! error put there before each single call, after which the calls have to come to
//! the same.

use std::fmt::Display;
use std::io::{Read, Write};

use greenling_tls::{
    ChannelBinding, ClientAuth, Context, Engine, RingSizes, Role, Session, TlsStream, Version,
};
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

/// Calls that only look, whatever they answer.
macro_rules! look {
    ($watch:ident, $what:ident: $($name:ident),* $(,)?) => {
        $($watch.look(stringify!($name), || {
            let _ = $what.$name();
        });)*
    };
}

fn questions(watch: &mut Watch, engine: &Engine) {
    look!(watch, engine:
        pending, buffered, is_established, is_peer_closed, is_closed, deferral, role,
        in_pending, out_pending, out_free, read_request, rings, is_parked,
        session, is_session_reused, version, cipher, server_name, alpn_protocol,
        context, ciphers, supported_ciphers, client_ciphers, shared_ciphers, group,
        peer_signature, own_signature, own_certificate, compression,
        has_extended_master_secret, secure_renegotiation_support, is_renegotiating,
        total_renegotiations, state_string, state_code, shutdown_state, want_read,
        want_write, peer_certificate, peer_certificate_chain, verified_chain,
        refused_chain, verify_result, peer_identity, peer_ca_names, num_tickets,
        is_post_handshake_auth_pending, finished, peer_finished, client_random,
        server_random, export_master_key, options, dtls, srtp_profile,
        ocsp_response, psk_identity,
    );
    watch.look("failure", || engine.failure().is_some());
    watch.look("app_data", || engine.app_data::<u8>());
    watch.look("has_room_for", || engine.has_room_for(100));
    let _ = watch.make("export_keying_material", || {
        engine.export_keying_material("EXPORTER-test", None, 16)
    });
}

/// Settings that change nothing for what follows, or come too late.
fn settings(watch: &mut Watch, engine: &mut Engine, context: &Context) {
    let _ = watch.make("set_context", || engine.set_context(context));
    let _ = watch.make("set_num_tickets", || engine.set_num_tickets(2));
    let _ = watch.make("set_client_auth", || {
        engine.set_client_auth(ClientAuth::Optional)
    });
    let _ = watch.make("set_verify_depth", || engine.set_verify_depth(10));
    let _ = watch.make("set_alpn", || engine.set_alpn(["h2"]));
    let _ = watch.make("set_hostname", || engine.set_hostname(NAME));
    let identity = match engine.role() {
        Role::Server => ca().issue(&[NAME]),
        Role::Client => ca().issue_client("me"),
    };
    let identity = identity.expect("certificate");
    let _ = watch.make("set_identity", || engine.set_identity(&identity));
    watch.look("set_options", || engine.set_options(0));
    watch.look("clear_options", || engine.clear_options(0));
    for kind in [
        ChannelBinding::TlsUnique,
        ChannelBinding::TlsServerEndPoint,
        ChannelBinding::TlsExporter,
    ] {
        let _ = watch.make("channel_binding", || engine.channel_binding(kind));
    }
    let _ = watch.make("write_early_data", || engine.write_early_data(b"x"));
    let _ = watch.make("read_early_data", || engine.read_early_data(&mut [0]));
    watch.look("question", || engine.question().is_some());
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

fn engines(watch: &mut Watch, contexts: &(Context, Context), rings: RingSizes) -> (Engine, Engine) {
    let (server, client) = contexts;
    let _ = watch.make("Engine::new", || {
        Engine::new(client, Some("no name"), rings)
    });
    let server = watch.make("Engine::new", || Engine::new(server, None, rings));
    let client = watch.make("Engine::new", || Engine::new(client, Some(NAME), rings));
    let (mut server, mut client) = (server.expect("engine"), client.expect("engine"));
    settings(watch, &mut server, &contexts.0);
    settings(watch, &mut client, &contexts.1);
    watch.look("Engine::offer_post_handshake_auth", || {
        client.offer_post_handshake_auth();
    });
    (server, client)
}

#[test]
#[cfg_attr(feature = "aws-lc", ignore = "AWS-LC cannot all of it")]
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
                settings(watch, &mut server, &contexts.0);
                settings(watch, &mut client, &contexts.1);
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
    look!(watch, stream:
        is_established, pending, buffered, alpn_protocol, server_name, version, cipher,
        peer_certificate, session, session_reused, state_string, context, ciphers,
        supported_ciphers, client_ciphers, shared_ciphers, group, peer_signature,
        own_signature, own_certificate, peer_certificate_chain, verified_chain,
        refused_chain, peer_identity, peer_ca_names, compression,
        secure_renegotiation_support, has_extended_master_secret, is_renegotiating,
        total_renegotiations, shutdown_state, num_tickets, options, finished,
        peer_finished, client_random, server_random, export_master_key,
        is_post_handshake_auth_pending, verify_result, state_code, ocsp_response,
        psk_identity,
    );
    #[cfg(feature = "greenling")]
    look!(watch, stream: proxied);
    let _ = watch.make("TlsStream::export_keying_material", || {
        stream.export_keying_material("EXPORTER-test", None, 16)
    });
    let _ = watch.make("TlsStream::channel_binding", || {
        stream.channel_binding(ChannelBinding::TlsExporter)
    });
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
    let _ = watch.make("TlsStream::key_update", || stream.key_update(true));
    let _ = watch.make("TlsStream::new_session_ticket", || {
        stream.new_session_ticket()
    });
    let _ = watch.make("TlsStream::renegotiate", || stream.renegotiate());
    let _ = watch.make("TlsStream::set_num_tickets", || stream.set_num_tickets(2));
    let _ = watch.make("TlsStream::set_options", || stream.set_options(0));
    let _ = watch.make("TlsStream::clear_options", || stream.clear_options(0));
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
