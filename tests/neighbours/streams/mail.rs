//! The `imap` crate over plain sockets and over TLS, against a scripted server.

use greenling::net::TcpStream;
use greenling_tls::TlsStream;
use neighbours::{Certified, Midway, Server, crowd};
use std::io::{BufRead, BufReader, Read, Write};
use tests::isolated;

/// Two messages for each user; a long one, which comes as a literal.
fn message(user: &str, number: usize) -> String {
    let body = format!("message {number} for {user}\r\n").repeat(number * 200);
    format!("Subject: no. {number} of {user}\r\n\r\n{body}")
}

/// As much of an IMAP server (RFC 9051) as the client below asks for.
fn serve(stream: impl Read + Write) {
    let mut stream = BufReader::new(stream);
    let mut user = String::new();
    stream.get_mut().write_all(b"* OK ready\r\n").unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace();
        let (tag, command) = (words.next().unwrap(), words.next().unwrap());
        let mut answer = Vec::new();
        match command {
            "LOGIN" => user = words.next().unwrap().trim_matches('"').to_owned(),
            "SELECT" => answer.extend(b"* 2 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n"),
            "SEARCH" => answer.extend(b"* SEARCH 1 2\r\n"),
            "FETCH" => {
                for number in 1..=2 {
                    let message = message(&user, number);
                    let length = message.len();
                    let head = format!("* {number} FETCH (RFC822 {{{length}}}\r\n");
                    answer.extend([head.as_bytes(), message.as_bytes(), b")\r\n"].concat());
                }
            }
            "LOGOUT" => answer.extend(b"* BYE until next time\r\n"),
            _ => panic!("no such command: {line}"),
        }
        answer.extend(format!("{tag} OK done\r\n").as_bytes());
        stream.get_mut().write_all(&answer).unwrap();
        if command == "LOGOUT" {
            return;
        }
    }
}

fn converse(number: usize, stream: impl Read + Write, midway: &Midway) {
    let user = format!("user{number}");
    let mut client = imap::Client::new(stream);
    client.read_greeting().unwrap();
    let mut session = client
        .login(&user, "secret")
        .map_err(|(error, _)| error)
        .unwrap();
    let mailbox = session.select("INBOX").unwrap();
    assert_eq!(mailbox.exists, 2);
    midway.meet();
    assert_eq!(session.search("ALL").unwrap().len(), 2);
    let fetched = session.fetch("1:2", "RFC822").unwrap();
    assert_eq!(fetched.len(), 2);
    for (at, got) in fetched.iter().enumerate() {
        let expected = message(&user, at + 1);
        assert!(got.body() == Some(expected.as_bytes()), "{number}");
    }
    session.logout().unwrap();
}

#[test]
fn a_hundred_mailboxes() {
    isolated(|| {
        let server = Server::start(serve);
        let address = server.address();
        crowd(100, move |number, midway| {
            converse(number, TcpStream::connect(address).unwrap(), midway);
        });
        assert_eq!(server.finish(), 100);
    });
}

#[test]
fn mailboxes_over_tls() {
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |stream| {
            serve(TlsStream::accept(&context, stream).unwrap());
        });
        let address = server.address();
        let context = certified.client();
        crowd(40, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let stream = TlsStream::connect(&context, "localhost", stream).unwrap();
            converse(number, stream, midway);
        });
        assert_eq!(server.finish(), 40);
    });
}
