//! Python's `ssl.MemoryBIO`, against ours: the same calls give the same results, and
//! a program that uses it speaks to us over a real connection. Python's side is in
//! `memory_bio.py`.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use greenling_tls::{
    AltName, ClientAuth, Context, ContextBuilder, MemoryBio, PemFiles, Role, Session, SslError,
    SslErrorKind, SslObject, TlsStream, Version,
};
use tests::tools;

use super::{Certificates, write_private};

const VERSIONS: [(&str, Version); 2] = [("TLSv1_2", Version::Tls12), ("TLSv1_3", Version::Tls13)];

/// Runs of random calls for each version, and calls in each.
const RUNS: u64 = 40;
const CALLS: usize = 40;

/// A server's and a client's builder for `version`.
fn builders(certificates: &Certificates, version: Version) -> (ContextBuilder, ContextBuilder) {
    let identity = PemFiles::new(certificates.file("cert.pem"), certificates.file("key.pem"))
        .load()
        .expect("files");
    let server = ContextBuilder::server()
        .versions(version..=version)
        .identity(identity);
    let client = ContextBuilder::client()
        .versions(version..=version)
        .trust_file(certificates.file("ca.pem"));
    (server, client)
}

fn python(python: &PathBuf, arguments: &[&str], certificates: &Certificates) -> Command {
    let mut command = Command::new(python);
    command
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/interop/memory_bio.py"
        ))
        .args(arguments)
        .arg(certificates.directory.path());
    command
}

/// One object with its buffers, and whether a call has failed for good: what is
/// answered from then on differs among Python's versions.
struct Side {
    tls: SslObject,
    incoming: MemoryBio,
    outgoing: MemoryBio,
    ended: bool,
    dead: bool,
}

impl Side {
    fn new(context: &Context) -> Side {
        let (incoming, outgoing) = (MemoryBio::new(), MemoryBio::new());
        let name = (context.role() == Role::Client).then_some("localhost");
        let tls = context.wrap_bio(&incoming, &outgoing, context.role(), name);
        Side {
            tls: tls.expect("an object"),
            incoming,
            outgoing,
            ended: false,
            dead: false,
        }
    }

    fn give(&self, data: &[u8]) {
        if !self.ended {
            self.incoming.write(data).expect("open");
        }
    }

    fn call(&mut self, action: &str, number: usize) -> String {
        if action == "end" {
            self.ended = true;
            self.incoming.write_eof();
            return "ended".to_owned();
        }
        if self.dead {
            return "dead".to_owned();
        }
        let result = match action {
            "read" => self.tls.read(number).map(|data| {
                let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
                format!("{} bytes, sum {sum}", data.len())
            }),
            "write" => {
                let data: Vec<u8> = (0..number).map(|i| (i * 7 + number) as u8).collect();
                self.tls.write(&data).map(|n| n.to_string())
            }
            _ => self.tls.unwrap().map(|()| "unwrapped".to_owned()),
        };
        result.unwrap_or_else(|error| match error.kind() {
            kind @ (SslErrorKind::WantRead | SslErrorKind::ZeroReturn) => kind.class().to_owned(),
            kind => {
                let reason = error.reason().expect("a reason");
                self.dead = reason != "PROTOCOL_IS_SHUTDOWN";
                format!("{} {reason}", kind.class())
            }
        })
    }

    fn tell(&self) -> String {
        format!(
            "in {} {}, out {}, pending {}",
            self.incoming.pending(),
            if self.incoming.eof() { "True" } else { "False" },
            self.outgoing.pending(),
            self.tls.pending()
        )
    }
}

/// Plays a script as `memory_bio.py` does.
fn play(script: &str, server: &Context, client: &Context) -> String {
    let mut sides = [Side::new(client), Side::new(server)];
    let mut log = String::new();
    for line in script.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (here, number) = (words[0] == "server", words[2].parse().expect("a number"));
        match words[1] {
            "new" => {
                sides = [Side::new(client), Side::new(server)];
                for _ in 0..4 {
                    for here in 0..2 {
                        // A wait is what there is to expect.
                        let _ = sides[here].tls.do_handshake();
                        let data = sides[here].outgoing.read(None);
                        sides[1 - here].give(&data);
                    }
                }
                log.push_str("new\n");
            }
            "carry" => {
                let data = sides[usize::from(here)].outgoing.read(number);
                let there = &sides[usize::from(!here)];
                there.give(&data);
                writeln!(log, "carried {}", there.tell()).expect("a string");
            }
            action => {
                let side = &mut sides[usize::from(here)];
                let result = side.call(action, number);
                writeln!(log, "{result} {}", side.tell()).expect("a string");
            }
        }
    }
    log
}

/// Random calls, in favour of those that leave the connection usable.
fn random_script() -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    };
    let mut script = String::new();
    for _ in 0..RUNS {
        // Both read their tickets, whose length is not compared.
        script.push_str("both new 0\nclient read 1\n");
        for _ in 0..CALLS {
            let who = ["client", "server"][below(2)];
            let (action, number) = match below(20) {
                0..6 => ("read", [0, 1, 3, 1000, 16384, 20000][below(6)]),
                6..11 => ("write", [0, 1, 5, 100, 16384, 16385, 40000][below(7)]),
                11..15 => ("carry", 1_000_000),
                15..18 => ("carry", [1, 4, 5, 6, 30, 1000][below(6)]),
                18 => ("unwrap", 0),
                _ if below(3) == 0 => ("end", 0),
                _ => ("unwrap", 0),
            };
            writeln!(script, "{who} {action} {number}").expect("a string");
        }
    }
    script
}

#[test]
fn the_same_calls_have_the_same_results() {
    let Some(python3) = tools::find("Python's MemoryBIO", "python3") else {
        return;
    };
    let certificates = Certificates::new();
    let script = random_script();
    for (name, version) in VERSIONS {
        let (server, client) = builders(&certificates, version);
        let [server, client] = [server, client].map(|it| it.build().expect("a context"));
        let ours = play(&script, &server, &client);
        let mut command = python(&python3, &["play", name], &certificates);
        let done = tools::run(&mut command, script.as_bytes()).success();
        let theirs = String::from_utf8(done.stdout).expect("text");
        let calls: Vec<&str> = script.lines().collect();
        for (at, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
            let begin = calls[..=at]
                .iter()
                .rposition(|call| call.ends_with("new 0"));
            let before = &calls[begin.unwrap_or(0)..=at];
            assert_eq!(ours, theirs, "{name}, after {before:#?}");
        }
        assert_eq!(ours.lines().count(), theirs.lines().count());
        // The calls do lead into every kind of end.
        for end in [
            "SSLEOFError",
            "SSLZeroReturnError",
            "PROTOCOL_IS_SHUTDOWN",
            "unwrapped",
        ] {
            assert!(ours.contains(end), "no {end}");
        }
        assert!(ours.contains("APPLICATION_DATA_AFTER_CLOSE_NOTIFY"));
    }
}

/// Answers Python's messages, ends TLS, and answers in plain text. Returns the session.
fn answer(mut tls: impl Tls, resumed: bool) -> Option<Session> {
    tls.check(resumed);
    loop {
        let mut length = [0; 4];
        if !tls.read_whole(&mut length) {
            break;
        }
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        assert!(tls.read_whole(&mut message), "an early end");
        tls.write_whole(&message);
    }
    let session = tls.session();
    let (mut tcp, mut plain) = tls.end();
    while !plain.ends_with(b"\n") {
        let mut piece = [0; 100];
        let n = tcp.read(&mut piece).expect("plain text");
        assert!(n > 0, "an early end");
        plain.extend(&piece[..n]);
    }
    assert_eq!(plain, b"plain text\n");
    tcp.write_all(&plain.to_ascii_uppercase())
        .expect("an answer");
    session
}

/// A TLS connection over a plain socket.
trait Tls {
    /// What both sides agreed on, and who the other one is.
    fn check(&mut self, resumed: bool);
    /// Fills `buf`; `false` if the peer has ended instead.
    fn read_whole(&mut self, buf: &mut [u8]) -> bool;
    fn write_whole(&mut self, data: &[u8]);
    fn session(&self) -> Option<Session>;
    /// Ends TLS; returns the socket and what came behind the end.
    fn end(self) -> (TcpStream, Vec<u8>);
}

/// Whom Python's certificate names: "peer" is its client.
fn names(role: Role) -> String {
    let name = match role {
        Role::Client => "localhost",
        Role::Server => "peer",
    };
    name.to_owned()
}

impl Tls for TlsStream<TcpStream> {
    fn check(&mut self, resumed: bool) {
        assert_eq!(self.alpn_protocol().as_deref(), Some(b"echo".as_slice()));
        assert_eq!(self.server_name().as_deref(), Some("localhost"));
        assert_eq!(self.session_reused(), resumed);
        let role = self.with_engine(|engine| engine.role()).expect("idle");
        let peer = self.peer_identity().expect("verified");
        assert!(peer.dns_names().contains(&names(role)));
    }

    fn session(&self) -> Option<Session> {
        TlsStream::session(self)
    }

    fn read_whole(&mut self, buf: &mut [u8]) -> bool {
        let first = Read::read(self, &mut buf[..1]).expect("data");
        if first == 1 {
            self.read_exact(&mut buf[1..]).expect("data");
        }
        first == 1
    }

    fn write_whole(&mut self, data: &[u8]) {
        self.write_all(data).expect("written");
    }

    fn end(self) -> (TcpStream, Vec<u8>) {
        self.unwrap().expect("both said goodbye")
    }
}

/// Our object, pumped as a Python program would.
struct Pumped {
    side: Side,
    tcp: TcpStream,
}

impl Pumped {
    fn until_done<T>(&mut self, mut call: impl FnMut(&mut SslObject) -> Result<T, SslError>) -> T {
        loop {
            let result = call(&mut self.side.tls);
            let data = self.side.outgoing.read(None);
            self.tcp.write_all(&data).expect("sent");
            match result {
                Ok(value) => return value,
                Err(error) => assert_eq!(error.kind(), SslErrorKind::WantRead, "{error}"),
            }
            let mut received = [0; 5000];
            match self.tcp.read(&mut received).expect("data") {
                0 => self.side.incoming.write_eof(),
                n => self.side.give(&received[..n]),
            }
        }
    }
}

impl Tls for Pumped {
    fn check(&mut self, resumed: bool) {
        self.until_done(SslObject::do_handshake);
        let tls = &self.side.tls;
        assert_eq!(tls.selected_alpn_protocol().as_deref(), Some("echo"));
        assert_eq!(tls.session_reused(), resumed);
        let peer = tls.getpeercert().expect("done").expect("shown");
        let name = AltName::Dns(names(tls.context().role()));
        assert!(peer.subject_alt_name.contains(&name));
    }

    fn session(&self) -> Option<Session> {
        self.side.tls.session()
    }

    fn read_whole(&mut self, buf: &mut [u8]) -> bool {
        let mut filled = 0;
        while filled < buf.len() {
            match self.until_done(|tls| tls.read_into(&mut buf[filled..])) {
                0 => return false,
                n => filled += n,
            }
        }
        true
    }

    fn write_whole(&mut self, data: &[u8]) {
        assert_eq!(self.until_done(|tls| tls.write(data)), data.len());
    }

    fn end(mut self) -> (TcpStream, Vec<u8>) {
        self.until_done(SslObject::unwrap);
        (self.tcp, self.side.incoming.read(None))
    }
}

/// Accepts one TCP connection and answers on it, on either side of TLS.
fn serve(
    listener: &TcpListener,
    context: &Context,
    pumped: bool,
    session: Option<&Session>,
) -> Option<Session> {
    let (tcp, _) = listener.accept().expect("Python");
    let resumed = session.is_some();
    if pumped {
        let mut side = Side::new(context);
        if let (Role::Client, Some(session)) = (context.role(), session) {
            side.tls.set_session(session).expect("the same name");
        }
        return answer(Pumped { side, tcp }, resumed);
    }
    let tls = match context.role() {
        Role::Server => TlsStream::start_accept(context, tcp),
        Role::Client => TlsStream::start_connect(context, "localhost", tcp),
    };
    if let (Role::Client, Some(session)) = (context.role(), session) {
        tls.set_session(session).expect("the same name");
    }
    tls.handshake().expect("a handshake");
    answer(tls, resumed)
}

#[test]
fn a_program_that_uses_it_is_on_the_other_end() {
    let Some(python3) = tools::find("Python's MemoryBIO", "python3") else {
        return;
    };
    let certificates = Certificates::new();
    let peer = certificates.ca.issue_client("peer").expect("a certificate");
    std::fs::write(
        certificates.file("client.pem"),
        peer.chain_pem().expect("PEM"),
    )
    .expect("written");
    let key = peer.export_private_key_pem().expect("PEM");
    write_private(&certificates.file("client-key.pem"), &key);
    for (name, version) in VERSIONS {
        let (server, client) = builders(&certificates, version);
        let server = server
            .trust_file(certificates.file("ca.pem"))
            .client_auth(ClientAuth::Required)
            .alpn(["echo"])
            .build()
            .expect("a context");
        let client = client
            .identity(peer.clone())
            .alpn(["echo"])
            .build()
            .expect("a context");
        for (role, ours) in [("client", &server), ("server", &client)] {
            for pumped in [false, true] {
                // Python connects, whichever side of TLS it is.
                let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                let port = listener.local_addr().expect("bound").port().to_string();
                let context = ours.clone();
                let answering = std::thread::spawn(move || {
                    let session = serve(&listener, &context, pumped, None);
                    assert!(session.is_some());
                    serve(&listener, &context, pumped, session.as_ref());
                });
                let mut command = python(&python3, &["talk", role, &port, name], &certificates);
                let done = tools::run(&mut command, b"").success();
                assert!(done.text().contains("all checks passed"), "{}", done.text());
                answering.join().expect("no panic");
            }
        }
    }
}
