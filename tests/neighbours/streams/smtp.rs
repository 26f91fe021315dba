//! The `io-smtp` crate against a scripted server: in plain, and changing to TLS on
//! the way by STARTTLS.

use greenling::net::TcpStream;
use greenling_tls::{Context, TlsStream};
use io_smtp::client::{SmtpClient, SmtpClientStd};
use io_smtp::rfc5321::{SmtpDomain, SmtpLocalPart, SmtpMailbox};
use neighbours::{Certified, Midway, Server, crowd};
use send_wrapper::SendWrapper;
use std::io::{self, BufRead, BufReader, Read, Write};
use tests::isolated;

/// Long, and with lines that begin by a dot, which are sent with another one.
fn message(number: usize) -> String {
    let body = format!("line of {number}\r\n.hidden\r\n..\r\n").repeat(1000);
    format!("Subject: no. {number}\r\n\r\n{body}")
}

/// What was delivered: from whom, to whom, and the message.
type Mail = (String, Vec<String>, String);

/// Whether the client asks for TLS, or has said goodbye.
enum End {
    StartTls,
    Quit,
}

/// As much of an SMTP server (RFC 5321) as the client below asks for.
fn serve(stream: &mut (impl Read + Write), mails: &mut Vec<Mail>) -> End {
    let mut stream = BufReader::new(stream);
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let line = line_of(&mut stream);
        let (command, rest) = line.split_at(line.find([' ', ':']).unwrap_or(line.len()));
        let answer = match command {
            "EHLO" => "250-localhost\r\n250-STARTTLS\r\n250 8BITMIME",
            "MAIL" => {
                from = rest.replace(" FROM:", "");
                "250 fine"
            }
            "RCPT" => {
                to.push(rest.replace(" TO:", ""));
                "250 fine"
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n").unwrap();
                let mut text = String::new();
                loop {
                    let line = line_of(&mut stream);
                    if line == "." {
                        break;
                    }
                    text += line.strip_prefix('.').unwrap_or(&line);
                    text += "\r\n";
                }
                mails.push((from.clone(), std::mem::take(&mut to), text));
                "250 delivered"
            }
            "STARTTLS" => {
                stream.get_mut().write_all(b"220 go on\r\n").unwrap();
                return End::StartTls;
            }
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n").unwrap();
                return End::Quit;
            }
            _ => panic!("no such command: {line}"),
        };
        let answer = format!("{answer}\r\n");
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}

fn line_of(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert!(line.ends_with("\r\n"), "{line}");
    line.truncate(line.len() - 2);
    line
}

fn greet(mut stream: &TcpStream) {
    stream.write_all(b"220 localhost ready\r\n").unwrap();
}

fn mailbox(name: &str) -> SmtpMailbox<'static> {
    SmtpMailbox {
        local_part: SmtpLocalPart(name.to_owned().into()),
        domain: SmtpDomain("localhost".into()).into(),
    }
}

fn converse(number: usize, client: &mut SmtpClientStd, midway: &Midway) {
    let from = mailbox(&format!("sender{number}"));
    let to = ["one", "two"].map(|name| mailbox(name).into()).to_vec();
    let lines = client.ehlo(SmtpDomain("localhost".into()).into()).unwrap();
    assert!(lines.iter().any(|line| line == "STARTTLS"));
    midway.meet();
    let message = message(number).into_bytes();
    client
        .send(from.into(), to, message, Default::default())
        .unwrap();
    client.quit().unwrap();
}

fn check(mails: &[Mail]) {
    let [(from, to, text)] = mails else {
        panic!("{} mails", mails.len());
    };
    let number = from.strip_prefix("<sender").unwrap();
    let number = number.strip_suffix("@localhost>").unwrap();
    assert_eq!(*to, ["<one@localhost>", "<two@localhost>"]);
    assert!(*text == message(number.parse().unwrap()), "{number}");
}

/// `Send`, as `io-smtp` asks; it panics on another thread.
struct Wrapped<S>(SendWrapper<S>);

impl<S: Read> Read for Wrapped<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<S: Write> Write for Wrapped<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(crate) fn client(stream: impl Read + Write + 'static) -> SmtpClientStd {
    SmtpClientStd::new(Wrapped(SendWrapper::new(stream)))
}

#[test]
fn a_hundred_mails() {
    isolated(|| {
        let server = Server::start(|mut stream| {
            greet(&stream);
            let mut mails = Vec::new();
            assert!(matches!(serve(&mut stream, &mut mails), End::Quit));
            check(&mails);
        });
        let address = server.address();
        crowd(100, move |number, midway| {
            let mut client = client(TcpStream::connect(address).unwrap());
            client.greeting().unwrap();
            converse(number, &mut client, midway);
        });
        assert_eq!(server.finish(), 100);
    });
}

#[test]
fn mails_that_change_to_tls() {
    fn upgraded(stream: TcpStream, context: &Context) -> SmtpClientStd {
        // The client keeps its stream: a second handle of it goes on.
        let mut plain = client(stream.try_clone().unwrap());
        plain.greeting().unwrap();
        plain.ehlo(SmtpDomain("localhost".into()).into()).unwrap();
        assert_eq!(plain.starttls().unwrap(), [], "nothing was injected");
        client(TlsStream::connect(context, "localhost", stream).unwrap())
    }
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |mut stream| {
            greet(&stream);
            let mut mails = Vec::new();
            assert!(matches!(serve(&mut stream, &mut mails), End::StartTls));
            let mut stream = TlsStream::accept(&context, stream).unwrap();
            assert!(matches!(serve(&mut stream, &mut mails), End::Quit));
            check(&mails);
        });
        let address = server.address();
        let context = certified.client();
        crowd(40, move |number, midway| {
            let mut client = upgraded(TcpStream::connect(address).unwrap(), &context);
            converse(number, &mut client, midway);
        });
        assert_eq!(server.finish(), 40);
    });
}
