//! The same on streams: a callback that waits holds up its own tasklet only, and
//! what ends it reaches whom it should.

use crate::support::*;
use greenling::net::{TcpListener, TcpStream};
use greenling::{Channel, JoinError, schedule, spawn};
use greenling_tls::{
    Alert, ClientAuth, ClientHello, Context, ContextBuilder, Error, Identity, IdentityRequest,
    PeerChain, PostHandshakeAuth, TlsStream,
};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Two ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// Waits for as many turns as it takes a socket of this thread to notice something.
fn wait_a_turn() {
    greenling::time::sleep(Duration::from_millis(1));
}

/// A server whose resolver waits, as for a remote store.
fn slow_door(chosen: Context, timeout: Duration) -> Context {
    ContextBuilder::server()
        .resolver(move |_: &ClientHello| {
            wait_a_turn();
            Ok::<_, Alert>(chosen.clone())
        })
        .handshake_timeout(timeout)
        .build()
        .unwrap()
}

#[test]
fn every_callback_may_wait_while_others_run() {
    greenling::enter(|| {
        let chosen = ContextBuilder::server()
            .trust_pem(ca().root_pem().unwrap())
            .client_auth(ClientAuth::Required)
            .identity_with(|request: &IdentityRequest| {
                wait_a_turn();
                let name = request.server_name().ok_or(Alert::UNRECOGNIZED_NAME)?;
                Ok::<_, Alert>(Some(ca().issue(&[name]).unwrap()))
            })
            .approve_peer(|_: &PeerChain| {
                wait_a_turn();
                Ok::<_, Alert>(())
            })
            .build()
            .unwrap();
        let door = slow_door(chosen, Duration::from_secs(60));
        let client = client()
            .identity_with(|_: &IdentityRequest| {
                wait_a_turn();
                Ok::<_, Alert>(Some(ca().issue_client("late").unwrap()))
            })
            .approve_peer(|_: &PeerChain| {
                wait_a_turn();
                Ok::<_, Alert>(())
            })
            .build()
            .unwrap();
        let under_way = Rc::new(RefCell::new((0, 0)));
        let mut all = Vec::new();
        for _ in 0..8 {
            let (near, far) = pair();
            let (door, client) = (door.clone(), client.clone());
            let counts = Rc::clone(&under_way);
            all.push(spawn(move || {
                {
                    let mut counts = counts.borrow_mut();
                    counts.0 += 1;
                    counts.1 = counts.1.max(counts.0);
                }
                let mut stream = TlsStream::accept(&door, far).unwrap();
                counts.borrow_mut().0 -= 1;
                assert!(stream.peer_certificate().is_some());
                let mut text = [0; 5];
                stream.read_exact(&mut text).unwrap();
                stream.write_all(&text).unwrap();
            }));
            all.push(spawn(move || {
                let mut stream = TlsStream::connect(&client, "host.test", near).unwrap();
                stream.write_all(b"hello").unwrap();
                let mut text = [0; 5];
                stream.read_exact(&mut text).unwrap();
                assert_eq!(&text, b"hello");
            }));
        }
        for tasklet in all {
            tasklet.join().unwrap();
        }
        assert_eq!(under_way.borrow().1, 8, "one after the other");
    });
}

#[test]
fn two_tasklets_on_one_stream_ask_once() {
    greenling::enter(|| {
        let chosen = server("host.test").build().unwrap();
        let questions = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&questions);
        let door = ContextBuilder::server()
            .resolver(move |_: &ClientHello| {
                count.fetch_add(1, Ordering::Relaxed);
                wait_a_turn();
                Ok::<_, Alert>(chosen.clone())
            })
            .build()
            .unwrap();
        let (near, far) = pair();
        let stream = Rc::new(TlsStream::start_accept(&door, far));
        let peer = spawn(move || {
            let mut stream =
                TlsStream::connect(&client().build().unwrap(), "host.test", near).unwrap();
            let mut text = [0; 5];
            stream.read_exact(&mut text).unwrap();
            stream.write_all(&text).unwrap();
        });
        let (reading, writing) = (Rc::clone(&stream), Rc::clone(&stream));
        let reader = spawn(move || {
            let mut text = [0; 5];
            (&*reading).read_exact(&mut text).unwrap();
            assert_eq!(&text, b"hello");
        });
        let writer = spawn(move || (&*writing).write_all(b"hello").unwrap());
        for tasklet in [peer, reader, writer] {
            tasklet.join().unwrap();
        }
        assert_eq!(questions.load(Ordering::Relaxed), 1);
    });
}

/// How a server of `context` and its client come out.
fn meet(context: Context) -> (Result<(), JoinError>, Result<(), Error>) {
    let (near, far) = pair();
    let serving = spawn(move || drop(TlsStream::accept(&context, far)));
    let client = client().build().unwrap();
    let refused = match TlsStream::connect(&client, "host.test", near) {
        Ok(stream) => stream.peek(&mut [0]).map(drop),
        Err(error) => Err(error.into_error()),
    };
    (serving.join(), refused)
}

#[test]
fn a_callback_that_panics_refuses_and_its_caller_gets_the_panic() {
    greenling::enter(|| {
        let panics: [Context; 2] = [
            ContextBuilder::server()
                .resolver(|_: &ClientHello| -> Result<Context, Alert> { panic!("in the resolver") })
                .build()
                .unwrap(),
            ContextBuilder::server()
                .identity_with(|_: &IdentityRequest| -> Result<Option<Identity>, Alert> {
                    schedule();
                    panic!("in the key store")
                })
                .build()
                .unwrap(),
        ];
        for (context, text) in panics
            .into_iter()
            .zip(["in the resolver", "in the key store"])
        {
            let (server, client) = meet(context);
            match server {
                Err(JoinError::Panicked(payload)) => {
                    assert!(format!("{payload:?}").contains(text), "{payload:?}");
                }
                other => panic!("{other:?}"),
            }
            assert_alert(&client, Alert::INTERNAL_ERROR);
        }
    });
}

#[test]
fn who_is_killed_in_a_callback_refuses() {
    greenling::enter(|| {
        let door = ContextBuilder::server()
            .resolver(|_: &ClientHello| -> Result<Context, Alert> {
                greenling::schedule_remove();
                Err(Alert::UNRECOGNIZED_NAME)
            })
            .build()
            .unwrap();
        let (near, far) = pair();
        let serving = spawn(move || drop(TlsStream::accept(&door, far)));
        let victim = serving.tasklet();
        let peer = spawn(move || {
            let refused = TlsStream::connect(&client().build().unwrap(), "host.test", near);
            refused
                .map(drop)
                .map_err(greenling_tls::HandshakeError::into_error)
        });
        // Paused, it is in its callback.
        while !victim.is_paused() {
            wait_a_turn();
        }
        victim.kill().unwrap();
        assert_alert(&peer.join().unwrap(), Alert::INTERNAL_ERROR);
    });
}

#[test]
fn a_callback_that_takes_too_long_times_out_with_the_handshake() {
    greenling::enter(|| {
        let door = ContextBuilder::server()
            .resolver(|_: &ClientHello| -> Result<Context, Alert> {
                let never: Channel<()> = Channel::new();
                let late = never.receive().unwrap_err();
                assert!(late.to_string().contains("timed out"), "{late}");
                Err(Alert::UNRECOGNIZED_NAME)
            })
            .handshake_timeout(Duration::from_millis(30))
            .build()
            .unwrap();
        let (near, far) = pair();
        let peer = spawn(move || {
            TlsStream::connect(&client().build().unwrap(), "host.test", near).map(drop)
        });
        let error = TlsStream::accept(&door, far).unwrap_err().into_error();
        assert!(matches!(error, Error::TimedOut), "{error}");
        assert!(peer.join().unwrap().is_err());
    });
}

/// A server that judges its clients by `approve`, and a client that it has met.
fn judged(
    timeout: Duration,
    approve: impl Fn(&PeerChain) -> Result<(), Alert> + Send + Sync + 'static,
) -> (TlsStream<TcpStream>, greenling::JoinHandle<()>) {
    let context = server("a.test")
        .trust_pem(ca().root_pem().unwrap())
        .client_auth(ClientAuth::Required)
        .approve_peer(approve)
        .handshake_timeout(timeout)
        .build()
        .unwrap();
    let client = client().identity(ca().issue_client("alice").unwrap());
    let client = client.build().unwrap();
    let (near, far) = pair();
    let there = spawn(move || {
        let stream = TlsStream::start_connect(&client, "a.test", near);
        stream.offer_post_handshake_auth().unwrap();
        // Until it is cut off.
        let _ = (&stream).read(&mut [0; 8]);
    });
    (TlsStream::start_accept(&context, far), there)
}

#[test]
fn a_handshake_is_not_done_before_the_client_is_approved() {
    greenling::enter(|| {
        let (ours, there) = judged(Duration::from_secs(60), |_| {
            greenling::schedule_remove();
            Err(Alert::ACCESS_DENIED)
        });
        let ours = Rc::new(ours);
        let other = Rc::clone(&ours);
        let first = spawn(move || other.handshake());
        while !first.tasklet().is_paused() {
            wait_a_turn();
        }
        assert!(ours.is_established(), "as far as OpenSSL knows");
        let soon = Duration::from_millis(1);
        assert!(greenling::time::timeout(soon, || ours.handshake()).is_err());
        first.tasklet().insert().unwrap();
        for end in [first.join().unwrap(), ours.handshake()] {
            assert_rejected(&end, Alert::ACCESS_DENIED);
        }
        ours.abort();
        there.join().unwrap();
    });
}

#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC has no post-handshake authentication"
)]
fn a_question_of_a_later_handshake_has_its_own_time() {
    greenling::enter(|| {
        let timeout = Duration::from_secs(1);
        let (ours, there) = judged(timeout, |_| {
            wait_a_turn();
            Ok(())
        });
        ours.handshake().unwrap();
        greenling::time::sleep(timeout);
        let answer = ours.verify_client_post_handshake().unwrap();
        assert_eq!(answer, PostHandshakeAuth::Answered);
        ours.abort();
        there.join().unwrap();
    });
}
