//! What a tasklet's own stack has to hold, and what OpenSSL needs elsewhere.

use std::io::{Read, Write};
use std::rc::Rc;

use greenling::net::UnixStream;
use greenling::{Builder, Channel, JoinHandle, inspect, schedule};
use greenling_tls::{Blocking, ClientAuth, Context, ContextBuilder, TlsStream};
use greenling_tls::{Transport, Version};

use crate::support::{NAME, VERSIONS, client_builder, contexts, rsa, server_builder};

/// The smallest stack that there is.
const SMALLEST: usize = 32 * 1024;

/// Counts as part of a stack where its size is given.
const GUARD: usize = 64 * 1024;

fn small<T: 'static>(f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    on_stack(SMALLEST, f)
}

fn on_stack<T: 'static>(size: usize, f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    let builder = Builder::new().stack_size(size + GUARD);
    builder.spawn(f).expect("a stack")
}

fn socket_pair() -> (UnixStream, UnixStream) {
    let (a, b) = std::os::unix::net::UnixStream::pair().expect("socket pair");
    let watched = |socket| UnixStream::from_std(socket).expect("registered");
    (watched(a), watched(b))
}

/// Both sides in small tasklets: the handshake, a conversation, the goodbye.
fn converse<A, B>(server: &Context, client: &Context, ends: (A, B), size: usize)
where
    A: Transport + 'static,
    B: Transport + 'static,
{
    let (server, client) = (server.clone(), client.clone());
    let serving = on_stack(size, move || {
        let accepted = TlsStream::accept(&server, ends.0);
        let mut stream = accepted.map_err(|e| e.into_error()).expect("accept");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("read");
        stream.write_all(&all).expect("write");
        stream.close().expect("close");
    });
    let asking = on_stack(size, move || {
        let connected = TlsStream::connect(&client, NAME, ends.1);
        let mut stream = connected.map_err(|e| e.into_error()).expect("connect");
        let data = vec![7; 100_000];
        stream.write_all(&data).expect("write");
        stream.shutdown_write().expect("goodbye");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("read");
        assert!(all == data);
    });
    asking.join().expect("its stack is large enough");
    serving.join().expect("its stack is large enough");
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer makes frames larger")]
fn the_smallest_stack_is_enough_for_everything() {
    greenling::enter(|| {
        for version in VERSIONS {
            let (server, client) = contexts(version);
            converse(&server, &client, socket_pair(), SMALLEST);

            // RSA, and certificates on both sides.
            let identity = rsa();
            let pem = identity.chain_pem().expect("PEM");
            let server = ContextBuilder::server()
                .versions(version..=version)
                .identity(identity.clone())
                .client_auth(ClientAuth::Required)
                .trust_pem(pem.clone())
                .build()
                .expect("context");
            let client = ContextBuilder::client()
                .versions(version..=version)
                .identity(identity.clone())
                .trust_pem(pem.clone())
                .build()
                .expect("context");
            converse(&server, &client, socket_pair(), SMALLEST);
        }
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer makes frames larger")]
fn the_smallest_stack_is_enough_for_tls_in_tls() {
    greenling::enter(|| {
        let (server, client) = contexts(Version::Tls13);
        let (a, b) = socket_pair();
        let outer = server.clone();
        let serving = small(move || TlsStream::accept(&outer, a).expect("outer"));
        let outer = client.clone();
        let asking = small(move || TlsStream::connect(&outer, NAME, b).expect("outer"));
        let ends = (
            Blocking::full_duplex(serving.join().expect("no panic")),
            Blocking::full_duplex(asking.join().expect("no panic")),
        );
        // Two pumps, one above the other, in frames that are not optimised.
        let size = if cfg!(debug_assertions) { 2 } else { 1 } * SMALLEST;
        converse(&server, &client, ends, size);
    });
}

/// Callbacks run where OpenSSL does.
#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer makes frames larger")]
fn the_smallest_stack_is_enough_with_callbacks() {
    greenling::enter(|| {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(0));
        let counting = seen.clone();
        let server = server_builder(Version::Tls13)
            .on_keylog(move |_, _| {
                // More than the tasklet has.
                let deep = std::hint::black_box([1u8; 2 * SMALLEST]);
                *counting.lock().expect("not poisoned") += usize::from(deep[SMALLEST]);
            })
            .build()
            .expect("context");
        let client = client_builder(Version::Tls13).build().expect("context");
        converse(&server, &client, socket_pair(), SMALLEST);
        assert!(*seen.lock().expect("not poisoned") > 0);
    });
}

/// How many pages of their own stacks the two sides of a handshake have used.
#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer makes frames larger")]
fn a_handshake_uses_two_pages_of_the_tasklets_stack() {
    const PAGE: usize = 4096;
    // Unoptimised code keeps every temporary in its frame.
    let limit = if cfg!(debug_assertions) { 6 } else { 2 };
    let pem = rsa().chain_pem().expect("PEM");
    let rsa_server = ContextBuilder::server().identity(rsa().clone());
    let rsa_client = ContextBuilder::client().trust_pem(pem.clone());
    let rsa = (
        rsa_server.build().expect("context"),
        rsa_client.build().expect("context"),
    );
    for (server, client) in [contexts(Version::Tls13), rsa] {
        // A thread of its own has stacks that nobody has used.
        let thread = std::thread::spawn(move || {
            greenling::enter(move || {
                let (a, b) = socket_pair();
                let done = Rc::new(Channel::<()>::new());
                let spawn = |name: &str, f: Box<dyn FnOnce()>| {
                    let builder = Builder::new().name(name).stack_size(SMALLEST + GUARD);
                    builder.spawn(f).expect("a stack");
                };
                let finished = done.clone();
                spawn(
                    "server",
                    Box::new(move || {
                        let stream = TlsStream::accept(&server, a).expect("accept");
                        let _ = finished.receive();
                        drop(stream);
                    }),
                );
                let finished = done.clone();
                spawn(
                    "client",
                    Box::new(move || {
                        let stream = TlsStream::connect(&client, NAME, b).expect("connect");
                        let _ = finished.receive();
                        drop(stream);
                    }),
                );
                while done.balance() > -2 {
                    schedule();
                }
                let used: Vec<_> = inspect::tasklets()
                    .into_iter()
                    .filter(|info| info.stack_size > 0)
                    .filter_map(|info| Some((info.name?, info.stack_used)))
                    .collect();
                assert_eq!(used.len(), 2);
                used
            })
        });
        for (name, bytes) in thread.join().expect("no panic") {
            println!("{name}: {bytes} bytes of its own stack");
            assert!(bytes <= limit * PAGE, "{name}: {bytes}");
        }
    }
}
