//! A time limit and a kill in the middle of each crate's conversation: the
//! limit comes out of the crate as `TimedOut`, a kill unwinds through it, either
//! way the socket is closed and nothing is left behind, and the conversations of
//! others go on all the while.

mod resumed;
mod scene;

use crate::openssl_stream::{acceptor, connector};
use crate::tls_stacks::{accept, client_config, connect, server_config};
use crate::web::{Incoming, answer};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use greenling::net::TcpStream;
use greenling_tls::TlsStream;
use io_smtp::client::{SmtpClient, SmtpClientError};
use neighbours::Certified;
use neighbours::http::Green;
use neighbours::redis::Connection;
use scene::{Rest, Then, check, fall_silent};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use tungstenite::Message;
use ureq::Agent;

fn open(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).unwrap()
}

/// The kind of an I/O error that came out of a crate as it went in.
fn kind(error: io::Error) -> ErrorKind {
    error.kind()
}

/// A byte there and back; the second half of a conversation is another one.
fn ask(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut byte = [7];
    stream.write_all(&byte)?;
    stream.read_exact(&mut byte)?;
    assert_eq!(byte, [8]);
    Ok(())
}

fn answer_once(stream: &mut (impl Read + Write)) {
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    stream.write_all(&[byte[0] + 1]).unwrap();
}

#[test]
fn of_httparse() {
    check("limits::of_httparse", || {
        let start = |address| -> Rest {
            let stream = open(address);
            let exchange = |stream: &TcpStream| {
                let mut stream = stream;
                stream.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
                let (status, body) = Incoming::new(stream).response()?;
                assert_eq!((status, &body[..]), (200, &b"body"[..]));
                Ok::<(), io::Error>(())
            };
            exchange(&stream).unwrap();
            Box::new(move || exchange(&stream).map_err(kind))
        };
        let serve = |stream: TcpStream, then| {
            let mut incoming = Incoming::new(&stream);
            incoming.request().unwrap().unwrap();
            answer(&stream, b"body").unwrap();
            match then {
                Then::FallSilent => fall_silent(&stream),
                Then::GoOn => {
                    incoming.request().unwrap().unwrap();
                    answer(&stream, b"body").unwrap();
                }
            }
        };
        (start, serve)
    });
}

#[test]
fn of_tungstenite() {
    check("limits::of_tungstenite", || {
        let start = |address| -> Rest {
            let (mut socket, _) = tungstenite::client("ws://localhost/", open(address)).unwrap();
            Box::new(move || {
                let answer = socket
                    .send(Message::text("hello"))
                    .and_then(|()| socket.read());
                match answer {
                    Ok(message) => assert_eq!(message, Message::text("hello")),
                    Err(tungstenite::Error::Io(error)) => return Err(error.kind()),
                    Err(other) => panic!("{other}"),
                }
                Ok(())
            })
        };
        let serve = |stream: TcpStream, then| {
            let mut socket = tungstenite::accept(stream).unwrap();
            match then {
                Then::FallSilent => fall_silent(socket.get_ref()),
                Then::GoOn => {
                    let message = socket.read().unwrap();
                    socket.send(message).unwrap();
                }
            }
        };
        (start, serve)
    });
}

#[test]
fn of_rustls() {
    check("limits::of_rustls", || {
        let certified = Certified::new();
        let (server, client) = (server_config(&certified), client_config(&certified));
        let start = move |address| -> Rest {
            let mut stream = connect(&client, open(address));
            ask(&mut stream).unwrap();
            Box::new(move || ask(&mut stream).map_err(kind))
        };
        let serve = move |stream, then| {
            let mut stream = accept(&server, stream);
            answer_once(&mut stream);
            match then {
                Then::FallSilent => fall_silent(&stream.sock),
                Then::GoOn => answer_once(&mut stream),
            }
        };
        (start, serve)
    });
}

#[test]
fn of_openssl() {
    check("limits::of_openssl", || {
        let certified = Certified::new();
        let (server, client) = (acceptor(&certified), connector(&certified));
        let start = move |address| -> Rest {
            let mut stream = client.connect("localhost", open(address)).unwrap();
            ask(&mut stream).unwrap();
            Box::new(move || ask(&mut stream).map_err(kind))
        };
        let serve = move |stream, then| {
            let mut stream = server.accept(stream).unwrap();
            answer_once(&mut stream);
            match then {
                Then::FallSilent => fall_silent(stream.get_ref()),
                Then::GoOn => answer_once(&mut stream),
            }
        };
        (start, serve)
    });
}

/// For comparison, and since the crates run over it.
#[test]
fn of_our_tls() {
    check("limits::of_our_tls", || {
        let certified = Certified::new();
        let (server, client) = (certified.server(), certified.client());
        let start = move |address| -> Rest {
            let mut stream = TlsStream::connect(&client, "localhost", open(address)).unwrap();
            ask(&mut stream).unwrap();
            Box::new(move || ask(&mut stream).map_err(kind))
        };
        let serve = move |stream, then| {
            let mut stream = TlsStream::accept(&server, stream).unwrap();
            answer_once(&mut stream);
            match then {
                Then::FallSilent => fall_silent(stream.get_ref()),
                Then::GoOn => answer_once(&mut stream),
            }
        };
        (start, serve)
    });
}

#[test]
fn of_imap() {
    check("limits::of_imap", || {
        let start = |address| -> Rest {
            let mut client = imap::Client::new(open(address));
            client.read_greeting().unwrap();
            let mut session = client
                .login("me", "secret")
                .map_err(|(error, _)| error)
                .unwrap();
            Box::new(move || match session.noop() {
                Err(imap::Error::Io(error)) => Err(error.kind()),
                other => other.map_err(|error| panic!("{error}")),
            })
        };
        let serve = |stream: TcpStream, then| {
            (&stream).write_all(b"* OK ready\r\n").unwrap();
            let mut lines = BufReader::new(&stream).lines();
            for command in ["LOGIN", "NOOP"] {
                let line = lines.next().unwrap().unwrap();
                let tag = line.split(' ').next().unwrap();
                assert!(line.contains(command));
                (&stream)
                    .write_all(format!("{tag} OK done\r\n").as_bytes())
                    .unwrap();
                if then == Then::FallSilent {
                    return fall_silent(&stream);
                }
            }
        };
        (start, serve)
    });
}

#[test]
fn of_io_smtp() {
    check("limits::of_io_smtp", || {
        let start = |address| -> Rest {
            let mut client = crate::smtp::client(open(address));
            client.greeting().unwrap();
            Box::new(move || match client.noop() {
                Err(SmtpClientError::Io(error)) => Err(error.kind()),
                other => other.map_err(|error| panic!("{error}")),
            })
        };
        let serve = |stream: TcpStream, then| {
            (&stream).write_all(b"220 ready\r\n").unwrap();
            if then == Then::FallSilent {
                return fall_silent(&stream);
            }
            let line = BufReader::new(&stream).lines().next().unwrap();
            assert_eq!(line.unwrap(), "NOOP");
            (&stream).write_all(b"250 done\r\n").unwrap();
        };
        (start, serve)
    });
}

#[test]
fn of_ureq() {
    check("limits::of_ureq", || {
        let start = |address| -> Rest {
            let green = Green::new(None);
            let agent = Agent::with_parts(Default::default(), green.clone(), green);
            let get = move || {
                let mut response = agent.get(format!("http://{address}/")).call()?;
                assert_eq!(response.body_mut().read_to_string()?, "body");
                Ok::<(), ureq::Error>(())
            };
            get().unwrap();
            Box::new(move || match get() {
                Err(ureq::Error::Io(error)) => Err(error.kind()),
                other => other.map_err(|error| panic!("{error}")),
            })
        };
        let serve = |stream: TcpStream, then| {
            let mut incoming = Incoming::new(&stream);
            while incoming.request().unwrap().is_some() {
                answer(&stream, b"body").unwrap();
                if then == Then::FallSilent {
                    return fall_silent(&stream);
                }
            }
        };
        (start, serve)
    });
}

#[test]
fn of_redis() {
    check("limits::of_redis", || {
        let start = |address| -> Rest {
            let mut connection = Connection::new(open(address));
            let mut ping = move || redis::cmd("PING").exec(&mut connection);
            ping().unwrap();
            Box::new(move || match ping() {
                // It does not hand its I/O errors out.
                Err(error) if error.is_timeout() => Err(ErrorKind::TimedOut),
                other => other.map_err(|error| panic!("{error}")),
            })
        };
        let serve = |stream: TcpStream, then| {
            let mut request = [0; b"*1\r\n$4\r\nPING\r\n".len()];
            for _ in 0..2 {
                (&stream).read_exact(&mut request).unwrap();
                (&stream).write_all(b"+PONG\r\n").unwrap();
                if then == Then::FallSilent {
                    return fall_silent(&stream);
                }
            }
        };
        (start, serve)
    });
}

#[test]
fn of_flate2() {
    check("limits::of_flate2", || {
        let start = |address| -> Rest {
            let mut lines = BufReader::new(GzDecoder::new(open(address))).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "first");
            Box::new(move || {
                assert_eq!(lines.next().unwrap().map_err(kind)?, "second");
                Ok(())
            })
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"first\n").unwrap();
        gzip.flush().unwrap();
        let half = gzip.get_ref().len();
        gzip.write_all(b"second\n").unwrap();
        let bytes = gzip.finish().unwrap();
        let serve = move |stream: TcpStream, then| {
            (&stream).write_all(&bytes[..half]).unwrap();
            match then {
                Then::FallSilent => fall_silent(&stream),
                Then::GoOn => (&stream).write_all(&bytes[half..]).unwrap(),
            }
        };
        (start, serve)
    });
}
