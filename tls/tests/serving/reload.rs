//! Certificates exchanged while a server is busy.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use greenling::net::TcpStream;
use greenling_tls::crypto::Serial;
use greenling_tls::{Context, TlsListener, TlsStream};

use crate::support::{NAME, client_builder, join, run, server_builder};

const RELOADS: usize = 50;
/// Handshakes that are under way at each reload.
const UNDER_WAY: usize = 2;

/// Echoes on every connection until there are no more.
fn serve(listener: &Rc<TlsListener>) {
    let listener = listener.clone();
    run(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            run(move || {
                let mut bytes = [0; 16];
                // The load ends its connections as it likes; what went wrong it sees itself.
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
}

fn connect(client: &Context, address: SocketAddr) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(address).expect("connect");
    TlsStream::connect(client, NAME, socket).expect("no handshake fails")
}

fn ping(mut stream: &TlsStream<TcpStream>) {
    stream.write_all(b"ping").expect("still served");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("still served");
    assert_eq!(&answer, b"ping");
}

/// What tells one certificate from another.
fn serial(stream: &TlsStream<TcpStream>) -> Serial {
    let certificate = stream.peer_certificate().expect("a server has one");
    certificate.serial()
}

#[test]
fn certificates_are_exchanged_under_load() {
    greenling::enter(|| {
        let client = client_builder().build().expect("client");
        let fresh = || server_builder().build().expect("a new certificate");
        let listener = Rc::new(TlsListener::bind("127.0.0.1:0", &fresh()).expect("bind"));
        let address = listener.local_addr().expect("address");
        serve(&listener);

        let mut lasting = vec![connect(&client, address)];
        let mut latest = serial(&lasting[0]);
        let finished = Rc::new(Cell::new(0));
        for round in 0..RELOADS {
            let racing: Vec<_> = (0..UNDER_WAY)
                .map(|_| {
                    let (client, finished) = (client.clone(), finished.clone());
                    run(move || {
                        let stream = connect(&client, address);
                        ping(&stream);
                        finished.set(finished.get() + 1);
                        serial(&stream)
                    })
                })
                .collect();
            // So far that some have been accepted; how far differs from round to round.
            for _ in 0..round % 7 {
                greenling::schedule();
            }
            listener.set_context(&fresh()).expect("a server's");

            let stream = connect(&client, address);
            ping(&stream);
            let newest = serial(&stream);
            assert_ne!(
                newest, latest,
                "round {round}: new ones see the new certificate"
            );
            for serial in racing.into_iter().map(join) {
                assert!(serial == latest || serial == newest, "round {round}");
            }
            latest = newest;
            // The old ones live on, and are what they were.
            lasting.iter().for_each(ping);
            if round % 10 == 0 {
                lasting.push(stream);
            }
        }
        assert_eq!(finished.get(), RELOADS * UNDER_WAY);
        let serials: std::collections::BTreeSet<_> = lasting.iter().map(serial).collect();
        assert_eq!(serials.len(), lasting.len());
        listener.close();
    });
}

/// A ticket is worth nothing to the new context, so nobody goes on under a certificate that
/// was taken out of use.
#[test]
fn sessions_do_not_outlive_their_certificate() {
    greenling::enter(|| {
        let client = client_builder().session_cache(1).build().expect("client");
        let fresh = || server_builder().build().expect("a new certificate");
        let listener = TlsListener::bind("127.0.0.1:0", &fresh()).expect("bind");
        let address = listener.local_addr().expect("address");
        let visit = |expected: bool| {
            let client = client.clone();
            let visitor = run(move || {
                let stream = connect(&client, address);
                ping(&stream);
                stream.close().expect("goodbye");
                serial(&stream)
            });
            let (mut stream, _) = listener.accept().expect("accept");
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).expect("data");
            stream.write_all(&bytes).expect("room");
            assert_eq!(stream.session_reused(), expected);
            drop(stream);
            join(visitor)
        };
        let first = visit(false);
        assert_eq!(visit(true), first);
        listener.set_context(&fresh()).expect("a server's");
        let second = visit(false);
        assert_ne!(second, first);
        assert_eq!(visit(true), second);
    });
}
