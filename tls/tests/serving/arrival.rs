//! What happens before the handshake: hooks and the PROXY protocol.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenling::net::{TcpStream, UnixListener, UnixStream};
use greenling::time::timeout;
use greenling_tls::{Alert, Context, ContextBuilder, Error, ProxyProtocol, TlsListener, TlsStream};

use crate::support::{NAME, contexts, hello, join, rest, run, server_builder};

const V1: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\x02\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb\
    \x02\0\x04test";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn loopback() -> ProxyProtocol {
    ProxyProtocol::from_trusted(["127.0.0.0/8"]).expect("a network")
}

/// One that trusts nobody who can reach the tests.
fn elsewhere() -> ProxyProtocol {
    ProxyProtocol::from_trusted(["192.0.2.0/24"]).expect("a network")
}

fn bind(context: &Context) -> TlsListener {
    TlsListener::bind("127.0.0.1:0", context).expect("bind")
}

/// A client's socket and the stream that the listener makes of it.
fn meet(listener: &TlsListener) -> (TcpStream, TlsStream<TcpStream>) {
    let socket = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (stream, _) = listener.accept().expect("accept");
    (socket, stream)
}

/// As [`meet`], of a client that has sent `bytes`.
fn meet_after(listener: &TlsListener, bytes: &[u8]) -> (TcpStream, TlsStream<TcpStream>) {
    let (mut socket, stream) = meet(listener);
    socket.write_all(bytes).expect("room for a few bytes");
    (socket, stream)
}

#[test]
fn a_trusted_proxy_tells_whom_the_connection_is_for() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let listener = bind(&server).proxy_protocol(loopback());
        for (header, source) in [(V1, true), (V2, true), (V2_LOCAL, false)] {
            let (socket, stream) = meet_after(&listener, header);
            assert!(stream.proxied().is_none(), "nothing was read yet");
            let client = client.clone();
            let peer = run(move || {
                let mut stream = TlsStream::connect(&client, NAME, socket)?;
                stream.write_all(b"hello")?;
                stream.close()
            });
            let mut text = String::new();
            (&stream).read_to_string(&mut text).expect("data");
            assert_eq!(text, "hello");
            let told = stream.proxied().expect("a header");
            let expected = source.then(|| SocketAddr::from(([192, 0, 2, 7], 40000)));
            assert_eq!(told.source(), expected);
            assert_eq!(told.is_local(), header == V2_LOCAL);
            let named = told.tlv(2);
            assert_eq!(named, (header == V2).then_some(&b"test"[..]));
            drop(stream);
            join(peer).expect("the client's side");
        }
    });
}

/// Whether the header and the ClientHello come in one piece or are cut anywhere makes no
/// difference: the server answers the hello.
#[test]
fn a_header_may_be_cut_anywhere() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let listener = bind(&server).proxy_protocol(loopback());
        for header in [V1, V2] {
            let (_, hello) = hello(&client);
            let bytes = [header, &hello].concat();
            for cut in 0..header.len() + 7 {
                let (mut socket, stream) = meet_after(&listener, &bytes[..cut]);
                let serving = run(move || stream.handshake());
                greenling::schedule();
                socket.write_all(&bytes[cut..]).expect("room");
                let mut first = [0; 3];
                socket.read_exact(&mut first).expect("an answer");
                assert_eq!(first, *b"\x16\x03\x03", "cut at {cut}");
                drop(socket);
                assert!(join(serving).is_err(), "the client has gone");
            }
        }
    });
}

#[test]
fn who_is_not_trusted_is_refused_or_needs_no_header() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let listener = bind(&server).proxy_protocol(elsewhere());
        let (_, hello) = hello(&client);
        for bytes in [V1, V2, &hello] {
            let (socket, stream) = meet_after(&listener, bytes);
            let error = stream.handshake().expect_err("not from there");
            assert_eq!(error.io_kind(), io::ErrorKind::PermissionDenied, "{error}");
            assert!(rest(&socket).is_empty(), "not even an alert");
            // The reason is kept.
            assert_eq!(
                stream.handshake().unwrap_err().to_string(),
                error.to_string()
            );
            let read = (&stream).read(&mut [0; 1]).unwrap_err();
            assert_eq!(read.kind(), io::ErrorKind::PermissionDenied);
        }

        let listener = bind(&server).proxy_protocol(elsewhere().take_others());
        let (socket, stream) = meet(&listener);
        let peer = run(move || TlsStream::connect(&client, NAME, socket).map(drop));
        stream.handshake().expect("as without a proxy");
        assert!(stream.proxied().is_none());
        join(peer).expect("handshake");
        // A header from there is no TLS, and not believed.
        let (_socket, stream) = meet_after(&listener, V1);
        assert!(stream.handshake().is_err());
        assert!(stream.proxied().is_none());
    });
}

#[test]
fn a_trusted_proxy_without_a_whole_header_is_cut_off() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let (_, hello) = hello(&client);
        let listener = bind(&server).proxy_protocol(loopback());
        for bytes in [
            &hello[..],
            b"GET / HTTP/1.1\r\n\r\n",
            b"PROXY TCP4 nonsense\r\n",
        ] {
            let (socket, stream) = meet_after(&listener, bytes);
            let error = stream.handshake().expect_err("no header");
            assert_eq!(error.io_kind(), io::ErrorKind::InvalidData, "{error}");
            assert!(rest(&socket).is_empty());
        }
        let (socket, stream) = meet_after(&listener, &V1[..20]);
        drop(socket);
        let error = stream.handshake().expect_err("ended within");
        assert_eq!(error.io_kind(), io::ErrorKind::UnexpectedEof);
        // Who only looks whether the port is open is not worth a line in a log.
        let (socket, stream) = meet(&listener);
        drop(socket);
        assert!(matches!(stream.handshake(), Err(Error::ClosedBeforeHello)));
    });
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    greenling::enter(|| {
        let (server, _) = contexts();
        let patience = Duration::from_millis(20);
        let listener = bind(&server).proxy_protocol(loopback().timeout(patience));
        // The handshake's own limit holds here, too.
        let hasty = server_builder()
            .handshake_timeout(patience)
            .build()
            .expect("context");
        let hasty = bind(&hasty).proxy_protocol(loopback());
        for listener in [&listener, &hasty] {
            let (socket, stream) = meet_after(listener, &V2[..20]);
            assert!(matches!(stream.handshake(), Err(Error::TimedOut)));
            assert!(rest(&socket).is_empty());
            assert!(stream.handshake().is_err(), "part of the header is gone");
        }
    });
}

#[test]
fn a_hook_gives_back_what_it_has_read_of_tls() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let chosen = server.clone();
        let resolver = ContextBuilder::server()
            .resolver(move |_| Ok::<_, Alert>(chosen.clone()))
            .build()
            .expect("needs no identity");
        // The resolver's choice gets the same bytes once more.
        for context in [server, resolver] {
            let listener = bind(&context).before_handshake(|arrival| {
                let mut bytes = [0; 64];
                let mut socket = arrival.socket();
                socket.read_exact(&mut bytes[..2])?;
                assert_eq!(&bytes[..2], b"HI");
                // Two steps, in their order.
                let first = socket.read(&mut bytes[..1])?;
                arrival.unread(&bytes[..first]);
                let second = socket.read(&mut bytes)?;
                arrival.unread(&bytes[..second]);
                Ok(())
            });
            let (socket, stream) = meet_after(&listener, b"HI");
            let client = client.clone();
            let peer = run(move || TlsStream::connect(&client, NAME, socket).map(drop));
            stream.handshake().expect("no byte is lost");
            join(peer).expect("handshake");
        }
    });
}

#[test]
fn hooks_run_in_order_until_one_refuses() {
    greenling::enter(|| {
        let (server, _) = contexts();
        let ran = Arc::new(AtomicUsize::new(0));
        let count = |answer: io::Result<()>| {
            let ran = ran.clone();
            let kind = answer.err().map(|error| error.kind());
            move |_: &mut greenling_tls::Arrival<'_, TcpStream>| {
                ran.fetch_add(1, Ordering::Relaxed);
                kind.map_or(Ok(()), |kind| Err(kind.into()))
            }
        };
        let listener = bind(&server)
            .before_handshake(count(Ok(())))
            .before_handshake(count(Err(io::ErrorKind::QuotaExceeded.into())))
            .before_handshake(count(Ok(())));
        let (socket, stream) = meet(&listener);
        // Accepting alone runs nothing, and neither does giving up.
        assert!(stream.close().is_err(), "nothing to say goodbye to");
        assert_eq!(ran.load(Ordering::Relaxed), 0);
        drop((socket, stream));

        let (socket, stream) = meet(&listener);
        let error = stream.handshake().expect_err("refused");
        assert_eq!(error.io_kind(), io::ErrorKind::QuotaExceeded);
        assert_eq!(ran.load(Ordering::Relaxed), 2);
        assert!(rest(&socket).is_empty());
        assert!(stream.handshake().is_err());
        assert_eq!(ran.load(Ordering::Relaxed), 2, "never again");
    });
}

#[test]
fn a_hook_that_panics_or_is_killed_ends_the_connection() {
    greenling::enter(|| {
        let (server, _) = contexts();
        let listener = bind(&server).before_handshake(|arrival| {
            let mut byte = [0];
            arrival.socket().read_exact(&mut byte)?;
            resume_unwind(Box::new(byte[0]))
        });
        let (socket, stream) = meet_after(&listener, b"x");
        let panic = catch_unwind(AssertUnwindSafe(|| stream.handshake()));
        assert_eq!(panic.unwrap_err().downcast_ref(), Some(&b'x'));
        assert!(rest(&socket).is_empty());
        assert!(matches!(stream.handshake(), Err(Error::Local(_))));

        // While one tasklet runs the hook another waits, and learns of the end.
        let (socket, stream) = meet(&listener);
        let stream = Rc::new(stream);
        let both = [(); 2].map(|()| {
            let stream = stream.clone();
            run(move || stream.handshake())
        });
        greenling::schedule();
        let [first, second] = both;
        first.tasklet().kill().expect("alive");
        assert!(first.join().unwrap_err().is_killed());
        assert!(matches!(join(second), Err(Error::Local(_))));
        assert!(rest(&socket).is_empty());
    });
}

#[test]
fn a_slow_hook_takes_no_place_among_the_handshakes() {
    greenling::enter(|| {
        let (server, client) = contexts();
        let listener = bind(&server).proxy_protocol(loopback()).max_handshakes(1);
        let (_mute, slow) = meet(&listener);
        let slow = run(move || slow.handshake());
        greenling::schedule();
        let (socket, stream) = meet_after(&listener, V1);
        let peer = run(move || TlsStream::connect(&client, NAME, socket).map(drop));
        let served = timeout(Duration::from_secs(60), || stream.handshake());
        served.expect("not held up").expect("handshake");
        join(peer).expect("handshake");
        assert!(!slow.is_finished());
        slow.tasklet().kill().expect("alive");
    });
}

#[test]
fn a_stream_that_must_not_wait_does_not_run_the_hook() {
    greenling::enter(|| {
        let (server, _) = contexts();
        let listener = bind(&server).proxy_protocol(loopback());
        let (_socket, stream) = meet_after(&listener, V1);
        stream.set_nonblocking(true);
        assert!(matches!(stream.handshake(), Err(Error::Local(_))));
        assert!(stream.proxied().is_none());
    });
}

/// A listener of another kind, and a proxy that is told apart by the path it has to know.
#[test]
fn over_a_unix_socket_behind_a_proxy() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("socket");
    greenling::enter(|| {
        let (server, client) = contexts();
        let unix = UnixListener::bind(&path).expect("bind");
        let proxies = loopback();
        let listener = TlsListener::over(unix, &server).expect("a server's context");
        let listener = listener.before_handshake(move |arrival| {
            let header = proxies.read(arrival.socket())?;
            arrival.set_proxied(header);
            Ok(())
        });
        let mut socket = UnixStream::connect(&path).expect("connect");
        socket.write_all(V2).expect("room");
        let peer = run(move || TlsStream::connect(&client, NAME, socket).map(|s| s.close()));
        let (stream, _) = listener.accept().expect("accept");
        assert_eq!((&stream).read(&mut [0; 1]).expect("orderly end"), 0);
        assert!(
            stream
                .proxied()
                .is_some_and(|header| header.source().is_some())
        );
        drop(stream);
        join(peer).expect("handshake").expect("goodbye");
    });
}

/// The handshake's limit counts from its first step. A client that sends a byte now and then
/// does not get another term for each.
#[test]
fn a_client_that_drips_its_hello_is_given_up() {
    greenling::enter(|| {
        let (_, client) = contexts();
        let patience = Duration::from_millis(30);
        let hasty = server_builder().handshake_timeout(patience);
        let listener = bind(&hasty.build().expect("context"));
        let (_, hello) = hello(&client);
        let (mut socket, stream) = meet(&listener);
        let dripping = run(move || {
            for byte in hello {
                greenling::time::sleep(Duration::from_millis(1));
                socket.write_all(&[byte]).expect("room");
            }
        });
        // The hello alone takes ten times as long.
        assert!(matches!(stream.handshake(), Err(Error::TimedOut)));
        assert!(!dripping.is_finished());
        dripping.tasklet().kill().expect("alive");
    });
}
