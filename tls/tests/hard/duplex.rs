//! One reader and one writer on one stream, as much as goes through, with new keys
//! and tickets in between.
//!
//! `GREENLING_DUPLEX_MB` says how many megabytes go each way; a thousand and more
//! are for release builds:
//!
//! ```sh
//! GREENLING_DUPLEX_MB=1024 cargo test --release -p greenling-tls --test hard duplex -- --nocapture
//! ```

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenling::net::TcpStream;
use greenling::{JoinHandle, spawn};
use greenling_tls::{Context, Role, TlsStream, Version};
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslMethod};
use openssl::x509::X509;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketType, bind, connect, listen, socket};

use crate::support::{NAME, Random, ca, contexts};

/// What the sockets hold. Linux doubles it.
const BUFFER: usize = 4096;

/// The largest piece that is written at once.
const PIECE: usize = 100_000;

/// New keys or a ticket after so many pieces.
const PIECES_PER_CHANGE: usize = 7;

fn total() -> u64 {
    let megabytes = std::env::var("GREENLING_DUPLEX_MB");
    megabytes.map_or(8, |n| n.parse().expect("a number")) << 20
}

/// Fills `buf` with what stands at `offset` of the stream `seed`: the numbers of
/// the words, mixed.
fn fill(buf: &mut [u8], seed: u64, offset: u64) {
    let mut word = offset / 8;
    let mut skip = usize::try_from(offset % 8).expect("below 8");
    let mut rest = buf;
    while !rest.is_empty() {
        let bytes = ((word ^ seed << 56) + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_le_bytes();
        let n = rest.len().min(8 - skip);
        let (now, later) = rest.split_at_mut(n);
        now.copy_from_slice(&bytes[skip..skip + n]);
        (rest, skip, word) = (later, 0, word + 1);
    }
}

/// What happened on the way.
#[derive(Debug, Default)]
struct Changes {
    key_updates: Cell<u32>,
    tickets: Cell<u32>,
}

type Stream = Rc<TlsStream<TcpStream>>;

/// Writes the stream `seed`, with new keys and, as a server, tickets in between.
fn writer(stream: &Stream, role: Role, seed: u64, total: u64) -> JoinHandle<Changes> {
    let stream = stream.clone();
    spawn(move || {
        let mut random = Random::new(seed);
        let mut piece = vec![0; PIECE];
        let changes = Changes::default();
        let mut sent = 0;
        for count in 1.. {
            let left = usize::try_from(total - sent).unwrap_or(PIECE);
            if left == 0 {
                break;
            }
            // Small ones and large ones.
            let limit = [40, 3000, PIECE][random.below(3)];
            let len = (1 + random.below(limit)).min(left);
            fill(&mut piece[..len], seed, sent);
            (&*stream).write_all(&piece[..len]).expect("write");
            sent += len as u64;
            if count % PIECES_PER_CHANGE == 0 {
                change(&stream, role, &mut random, &changes);
            }
        }
        stream.shutdown_write().expect("goodbye");
        changes
    })
}

/// One of them may be refused, because the other side's wish for new keys or an
/// earlier ticket is not answered yet.
fn change(stream: &Stream, role: Role, random: &mut Random, changes: &Changes) {
    let ask_peer = random.below(2) == 0;
    let ticket = role == Role::Server && random.below(3) == 0;
    let (result, count) = if ticket {
        let result = stream.with_engine(|engine| engine.new_session_ticket());
        (result, &changes.tickets)
    } else {
        let result = stream.with_engine(|engine| engine.key_update(ask_peer));
        (result, &changes.key_updates)
    };
    let done = result.expect("the engine is not in use").is_ok();
    count.set(count.get() + u32::from(done));
}

/// Reads the stream `seed` to its end in pieces of all sizes.
fn reader(stream: &Stream, seed: u64, total: u64) -> JoinHandle<()> {
    let stream = stream.clone();
    spawn(move || {
        let mut random = Random::new(!seed);
        let (mut buf, mut expected) = (vec![0; PIECE], vec![0; PIECE]);
        let mut got = 0;
        loop {
            let len = 1 + random.below(PIECE);
            let n = (&*stream).read(&mut buf[..len]).expect("read");
            if n == 0 {
                break;
            }
            fill(&mut expected[..n], seed, got);
            assert!(buf[..n] == expected[..n], "damaged behind byte {got}");
            got += n as u64;
        }
        assert_eq!(got, total);
    })
}

fn shrink(socket: impl AsFd) {
    sockopt::set_socket_send_buffer_size(&socket, BUFFER).expect("setsockopt");
    sockopt::set_socket_recv_buffer_size(&socket, BUFFER).expect("setsockopt");
}

/// Two ends of a connection whose sockets hold little from the beginning.
fn narrow_pair() -> (std::net::TcpStream, std::net::TcpStream) {
    let make = || {
        let made = socket(AddressFamily::INET, SocketType::STREAM, None).expect("socket");
        shrink(&made);
        made
    };
    let (listener, ours) = (make(), make());
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    bind(&listener, &any).expect("bind");
    listen(&listener, 1).expect("listen");
    let listener = std::net::TcpListener::from(listener);
    connect(&ours, &listener.local_addr().expect("address")).expect("connect");
    let ours = std::net::TcpStream::from(ours);
    let (theirs, _) = listener.accept().expect("accept");
    shrink(&theirs);
    for stream in [&ours, &theirs] {
        stream.set_nodelay(true).expect("setsockopt");
    }
    (ours, theirs)
}

/// Hangs fail.
fn limit(stream: &TlsStream<TcpStream>) {
    stream.set_read_timeout(Some(Duration::from_secs(60)));
    stream.set_write_timeout(Some(Duration::from_secs(60)));
}

fn report(what: &str, total: u64, began: Instant, changes: &[&Changes]) {
    let seconds = began.elapsed().as_secs_f64();
    let megabytes = total >> 20;
    let updates: u32 = changes.iter().map(|c| c.key_updates.get()).sum();
    let tickets: u32 = changes.iter().map(|c| c.tickets.get()).sum();
    println!(
        "{what}, {}: {megabytes} MB each way in {seconds:.1} s, {updates} new keys, \
         {tickets} tickets",
        openssl::version::version()
    );
}

#[test]
fn greenling_on_both_ends() {
    let total = total();
    let (server, client) = contexts(Version::Tls13);
    greenling::enter(move || {
        let began = Instant::now();
        let (ours, theirs) = narrow_pair();
        let theirs = TcpStream::from_std(theirs).expect("registered");
        let ours = TcpStream::from_std(ours).expect("registered");
        let accepting = spawn(move || TlsStream::accept(&server, theirs).expect("handshake"));
        let ours = Rc::new(TlsStream::connect(&client, NAME, ours).expect("handshake"));
        let theirs = Rc::new(accepting.join().expect("no panic"));
        let first = ours.session().map(|session| format!("{session:?}"));
        assert!(first.is_some());
        limit(&ours);
        limit(&theirs);
        let readers = [reader(&ours, 1, total), reader(&theirs, 2, total)];
        let at_server = writer(&theirs, Role::Server, 1, total);
        let at_client = writer(&ours, Role::Client, 2, total);
        for reader in readers {
            reader.join().expect("every byte in its place");
        }
        let at_server = at_server.join().expect("all is written");
        let at_client = at_client.join().expect("all is written");
        assert!(at_server.tickets.get() > 0 || cfg!(feature = "aws-lc"));
        assert!(at_server.key_updates.get() > 0);
        assert!(at_client.key_updates.get() > 0);
        report("Greenling", total, began, &[&at_server, &at_client]);
    });
}

/// A server that sends back what it reads and blocks in each of its writes until
/// all of it has gone.
fn blocking_echo(context: SslContext, socket: std::net::TcpStream) {
    let ssl = Ssl::new(&context).expect("memory");
    let mut stream = openssl::ssl::SslStream::new(ssl, socket).expect("memory");
    stream.accept().expect("the peer's handshake");
    let mut buf = vec![0; 16 * 1024];
    loop {
        let n = stream.ssl_read(&mut buf).unwrap_or(0);
        if n == 0 {
            break;
        }
        stream.write_all(&buf[..n]).expect("the peer's write");
    }
    stream.shutdown().expect("the peer's goodbye");
}

/// The contexts of a server that is not ours and of a client that is.
fn foreign_server() -> (SslContext, Context) {
    let identity = ca().issue(&[NAME]).expect("certificate");
    let chain = identity.chain_pem().expect("PEM");
    let key = identity.export_private_key_pem().expect("PEM");
    let mut builder = SslContext::builder(SslMethod::tls()).expect("context");
    let leaf = X509::from_pem(&chain).expect("certificate");
    builder.set_certificate(&leaf).expect("certificate");
    let key = PKey::private_key_from_pem(&key).expect("key");
    builder.set_private_key(&key).expect("key");
    (builder.build(), contexts(Version::Tls13).1)
}

#[test]
fn against_an_echo_that_blocks_in_write() {
    let total = total();
    let (server, client) = foreign_server();
    let (ours, theirs) = narrow_pair();
    let echo = std::thread::spawn(move || blocking_echo(server, theirs));
    greenling::enter(move || {
        let began = Instant::now();
        let ours = TcpStream::from_std(ours).expect("registered");
        let ours = Rc::new(TlsStream::connect(&client, NAME, ours).expect("handshake"));
        limit(&ours);
        let reader = reader(&ours, 3, total);
        let changes = writer(&ours, Role::Client, 3, total);
        reader.join().expect("every byte in its place");
        let changes = changes.join().expect("all is written");
        assert!(changes.key_updates.get() > 0);
        report("blocking echo", total, began, &[&changes]);
    });
    echo.join().expect("the echo came to its end");
}
