//! Requests on streams that several tasklets use, and what a stream tells of its
//! socket.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::rc::Rc;

use greenling::net::{TcpListener, TcpStream};
use greenling::{schedule, spawn};
use greenling_tls::{ChannelBinding, ClientAuth, Error, PostHandshakeAuth, TlsStream, Version};

use crate::support::{NAME, ROOT, build, client_builder, server_builder};

type Green = TlsStream<TcpStream>;

/// Two streams over loopback, their handshakes not done.
fn sockets(identified: bool) -> (Green, Green) {
    let mut client = client_builder(Version::Tls13);
    if identified {
        client = client.identity(ROOT.issue("alice", |_| {}));
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let ours = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (theirs, _) = listener.accept().expect("accept");
    let server = build(server_builder(Version::Tls13));
    (
        TlsStream::start_accept(&server, theirs),
        TlsStream::start_connect(&build(client), NAME, ours),
    )
}

#[test]
fn a_client_is_verified_while_other_tasklets_read_and_write() {
    let (server, client) = sockets(true);
    client.offer_post_handshake_auth().expect("not begun");
    let data = vec![7; 300_000];
    let visitor = spawn(move || {
        let client = Rc::new(client);
        let writer = Rc::clone(&client);
        let sent = data.clone();
        let writing = spawn(move || (&mut &*writer).write_all(&sent).expect("write"));
        let mut got = Vec::new();
        (&mut &*client).read_to_end(&mut got).expect("read");
        writing.join().expect("no panic");
        client.close().expect("close");
        assert!(got == data);
    });
    let server = Rc::new(server);
    server.handshake().expect("handshake");
    server
        .set_client_auth(ClientAuth::Required)
        .expect("a server");
    let other = Rc::clone(&server);
    let writing = spawn(move || {
        (&mut &*other).write_all(&vec![7; 300_000]).expect("write");
        other.key_update(true).expect("TLS 1.3");
    });
    let mut got = vec![0; 300_000];
    let mut read = 0;
    // Keys change while the client's answer is under way behind its data.
    while server.verify_client_post_handshake().expect("offered") == PostHandshakeAuth::DataFirst {
        server.key_update(false).expect("TLS 1.3");
        let end = got.len().min(read + 20_000);
        read += (&mut &*server).read(&mut got[read..end]).expect("read");
    }
    (&mut &*server).read_exact(&mut got[read..]).expect("read");
    writing.join().expect("no panic");
    assert!(got.iter().all(|byte| *byte == 7));
    let peer = server.peer_identity().expect("verified");
    assert_eq!(peer.common_name(), Some("alice"));
    server.shutdown_write().expect("goodbye");
    visitor.join().expect("no panic");
}

#[test]
fn a_reader_that_waits_brings_the_answer_in() {
    let (server, client) = sockets(true);
    client.offer_post_handshake_auth().expect("not begun");
    let visitor = spawn(move || {
        let mut got = Vec::new();
        (&mut &client).read_to_end(&mut got).expect("read");
        (&mut &client).write_all(b"late").expect("write");
        client.close().expect("close");
        assert_eq!(got, b"welcome");
    });
    let server = Rc::new(server);
    server.handshake().expect("handshake");
    server
        .set_client_auth(ClientAuth::Required)
        .expect("a server");
    let reader = Rc::clone(&server);
    let reading = spawn(move || {
        let mut got = Vec::new();
        (&mut &*reader).read_to_end(&mut got).expect("read");
        got
    });
    // The client sends nothing but its answer, while the reader waits for data.
    schedule();
    let answer = server.verify_client_post_handshake().expect("offered");
    assert_eq!(answer, PostHandshakeAuth::Answered);
    let peer = server.peer_identity().expect("verified");
    assert_eq!(peer.common_name(), Some("alice"));
    (&mut &*server).write_all(b"welcome").expect("write");
    server.shutdown_write().expect("goodbye");
    visitor.join().expect("no panic");
    assert_eq!(reading.join().expect("no panic"), b"late");
}

#[test]
fn a_stream_tells_what_its_engine_and_its_socket_know() {
    let (server, client) = sockets(false);
    let addresses = |stream: &Green| {
        (
            stream.local_addr().expect("address"),
            stream.peer_addr().expect("address"),
        )
    };
    let (ours, theirs) = (addresses(&client), addresses(&server));
    assert_eq!((ours.0, ours.1), (theirs.1, theirs.0));
    let accepting = spawn(move || {
        server.handshake().expect("handshake");
        server
    });
    client.handshake().expect("handshake");
    let server = accepting.join().expect("no panic");
    assert_eq!(client.finished(), server.peer_finished());
    assert_eq!(client.peer_finished(), server.finished());
    assert_eq!(client.client_random(), server.client_random());
    assert_eq!(client.server_random(), server.server_random());
    assert_eq!(client.group(), server.group());
    assert_eq!(client.peer_signature(), server.own_signature());
    assert_eq!(server.client_ciphers(), client.supported_ciphers());
    assert!(
        server
            .shared_ciphers()
            .contains(&client.cipher().expect("a suite"))
    );
    assert!(client.ciphers().len() > client.supported_ciphers().len());
    let keys = |stream: &Green| stream.export_keying_material("EXPORTER-t", None, 9);
    assert_eq!(keys(&client).expect("keys"), keys(&server).expect("keys"));
    let binding = |stream: &Green| stream.channel_binding(ChannelBinding::TlsExporter);
    assert_eq!(
        binding(&client).expect("binding"),
        binding(&server).expect("binding")
    );
    client.verify_result().expect("verified");
    let chain = client.verified_chain().expect("verified");
    assert_eq!(chain.len(), 2);
    let own = server.own_certificate().expect("one");
    assert_eq!(client.peer_certificate_chain(), [own]);
    assert_eq!(
        client.peer_identity().expect("verified").common_name(),
        Some("server")
    );
    assert!(client.context().is_some() && server.context().is_some());
    assert!(client.has_extended_master_secret() && !client.secure_renegotiation_support());

    server.shutdown_write().expect("goodbye");
    assert_eq!((&mut &client).read(&mut [0; 1]).expect("the end"), 0);
    assert!(client.shutdown_state().received && server.shutdown_state().sent);
    assert!(!client.shutdown_state().sent);
}

#[test]
fn a_socket_that_is_shut_down_underneath_is_a_cut() {
    let (server, client) = sockets(false);
    let accepting = spawn(move || {
        server.handshake().expect("handshake");
        let cut = (&mut &server).read(&mut [0; 1]).expect_err("cut");
        assert!(matches!(Error::from(cut), Error::Truncated));
    });
    client.handshake().expect("handshake");
    client.sock_shutdown(Shutdown::Write).expect("shut down");
    accepting.join().expect("no panic");
}
