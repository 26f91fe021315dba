//! The `openssl` crate's blocking `SslStream`: it reads and writes from beneath
//! C frames, which lie on the tasklet's stack.

use greenling::net::TcpStream;
use greenling::time::timeout;
use greenling::{Channel, spawn};
use greenling_tls::TlsStream;
use neighbours::{Certified, Server, crowd};
use openssl::pkey::PKey;
use openssl::ssl::{ErrorCode, HandshakeError, SslAcceptor, SslConnector, SslMethod, SslStream};
use openssl::x509::X509;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;
use tests::isolated;
use tests::sockets::pair;

pub(crate) fn acceptor(certified: &Certified) -> SslAcceptor {
    let (chain, key, _) = certified.pem();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    let key = PKey::private_key_from_pem(&key).unwrap();
    builder.set_private_key(&key).unwrap();
    let certificates = X509::stack_from_pem(&chain).unwrap();
    builder.set_certificate(&certificates[0]).unwrap();
    builder.build()
}

pub(crate) fn connector(certified: &Certified) -> SslConnector {
    let (_, _, root) = certified.pem();
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    let root = X509::from_pem(&root).unwrap();
    builder.cert_store_mut().add_cert(root).unwrap();
    builder.build()
}

fn echo<S: Read + Write>(mut stream: S) {
    let mut buffer = [0; 1000];
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => return,
            count => stream.write_all(&buffer[..count]).unwrap(),
        }
    }
}

#[test]
fn both_ends_on_stacks_of_the_usual_size() {
    isolated(|| {
        let certified = Certified::new();
        let accepts = acceptor(&certified);
        let server = Server::start(move |stream| echo(accepts.accept(stream).unwrap()));
        let address = server.address();
        let connects = connector(&certified);
        crowd(60, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let mut stream = connects.connect("localhost", stream).unwrap();
            midway.meet();
            for round in 0..20 {
                let sent = vec![(number + round) as u8; 777];
                stream.write_all(&sent).unwrap();
                let mut got = vec![0; 777];
                stream.read_exact(&mut got).unwrap();
                assert_eq!(got, sent);
            }
            stream.shutdown().unwrap();
        });
        assert_eq!(server.finish(), 60);
    });
}

#[test]
fn clients_of_our_tls() {
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |stream| {
            echo(TlsStream::accept(&context, stream).unwrap());
        });
        let address = server.address();
        let connects = connector(&certified);
        crowd(40, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            let mut stream = connects.connect("localhost", stream).unwrap();
            midway.meet();
            let sent = vec![number as u8; 5000];
            stream.write_all(&sent).unwrap();
            let mut got = vec![0; 5000];
            stream.read_exact(&mut got).unwrap();
            assert_eq!(got, sent);
            stream.shutdown().unwrap();
        });
        assert_eq!(server.finish(), 40);
    });
}

/// A connected pair of its streams.
fn connected(certified: &Certified) -> (SslStream<TcpStream>, SslStream<TcpStream>) {
    let (ours, theirs) = pair();
    let accepts = acceptor(certified);
    let accepting = spawn(move || accepts.accept(theirs).unwrap());
    let connected = connector(certified).connect("localhost", ours).unwrap();
    (connected, accepting.join().unwrap())
}

/// What a kill raises passes C as a value: the `openssl` crate catches it in its
/// callbacks, and raises it again behind the C frames.
#[test]
fn a_kill_beneath_its_frames_unwinds_past_them() {
    isolated(|| {
        let certified = Certified::new();
        let (mut ours, mut theirs) = connected(&certified);
        let reader = spawn(move || ours.read(&mut [0]).map(|_| ()));
        greenling::schedule();
        reader.tasklet().kill().unwrap();
        assert!(reader.join().unwrap_err().is_killed());
        // The socket is closed without a `close_notify`.
        let ended = theirs.ssl_read(&mut [0]).unwrap_err();
        assert_ne!(ended.code(), ErrorCode::ZERO_RETURN);
    });
}

#[test]
fn a_time_limit_leaves_it_usable() {
    isolated(|| {
        let certified = Certified::new();
        let (mut ours, mut theirs) = connected(&certified);
        let mut buffer = [0; 5];
        let late = timeout(Duration::from_millis(5), || ours.read(&mut buffer));
        let error = late.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        theirs.write_all(b"still").unwrap();
        ours.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"still");
    });
}

/// Writes wait while there is a gate; what is read is not held up.
#[derive(Debug)]
struct Gated {
    stream: TcpStream,
    writes: usize,
    gate: Channel<()>,
}

impl Read for Gated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes > 1 {
            self.gate.receive().map_err(io::Error::from)?;
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why `greenling_tls` exists: OpenSSL's error queue belongs to the OS thread.
/// While one tasklet waits beneath OpenSSL to send its alert, another one whose
/// read ends finds the first one's error in the queue, and takes it away.
#[test]
fn errors_of_one_connection_turn_up_in_another() {
    isolated(|| {
        let certified = Certified::new();
        let (mut healthy, mut peer) = connected(&certified);
        // Behind the session tickets, which are a piece of handshake.
        peer.write_all(b"!").unwrap();
        healthy.read_exact(&mut [0]).unwrap();
        let (ours, theirs) = pair();
        let accepts = acceptor(&certified);
        let server = spawn(move || accepts.accept(theirs).map(|_| ()).map_err(|_| ()));
        let gate = Channel::new();
        let stream = Gated {
            stream: ours,
            writes: 0,
            gate: gate.clone(),
        };
        let distrusts = connector(&Certified::new());
        let failing = spawn(move || distrusts.connect("localhost", stream).unwrap_err());
        // It waits in its second write, the alert.
        while gate.balance() == 0 {
            greenling::schedule();
        }
        let late = timeout(Duration::from_millis(5), || healthy.ssl_read(&mut [0]));
        let error = late.unwrap_err().into_inner().unwrap_err();
        assert_eq!(error.code(), ErrorCode::SSL, "its own would be SYSCALL");
        assert!(
            error.to_string().contains("certificate verify failed"),
            "{error}"
        );
        gate.send(()).unwrap();
        let HandshakeError::Failure(robbed) = failing.join().unwrap() else {
            panic!("it failed in OpenSSL");
        };
        assert_eq!(robbed.error().code(), ErrorCode::SYSCALL, "its own was SSL");
        assert_eq!(server.join().unwrap(), Err(()));
    });
}
