//! Many HTTPS requests over connections that end in every way there is.
//!
//! OS threads connect, make a random number of requests, check every answer,
//! and then end the connection in a way drawn by lot: properly, or by a cut in
//! the middle of a handshake, a request or an answer. Only what a thread did
//! not bring about itself counts as an error. Afterwards the server must hold
//! no more descriptors than before, and it must stop when asked to.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::machine::{self, Core, Footprint};
use benches::record::Record;
use benches::server::{Answer, Client, Ground, Server, TLS, connect_plain, connector};
use benches::who::Who;
use clap::Parser;
use fastrand::Rng;
use openssl::ssl::SslConnector;
use socket2::SockRef;

/// Many HTTPS requests over connections that are cut at random.
#[derive(Debug, Parser)]
struct Options {
    /// Requests to be answered [default: 200000, with --quick 2000].
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Client threads, each with one connection at a time.
    #[arg(long, value_name = "N", default_value_t = 32)]
    threads: u64,
    /// Where the random choices start.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only this contender; may be repeated [default: greenling].
    #[arg(long, value_name = "NAME")]
    who: Vec<Who>,
    /// A short smoke test.
    #[arg(long)]
    quick: bool,
}

/// How long the server may take to notice that all clients are gone.
const SETTLE_MAX: Duration = Duration::from_secs(40);

/// How long it may take to stop when asked to.
const STOP_MAX: Duration = Duration::from_secs(20);

/// Requests of one connection at most; a connection has half of them on average.
const REQUESTS_MAX: u64 = 40;

/// The case that failures are told with.
const CASE: &str = "soak";

fn main() -> ExitCode {
    let options = Options::parse();
    machine::raise_descriptor_limit();
    machine::pin(Core::Last);
    let mut record = Record::default();
    let mut chosen = options.who.clone();
    if chosen.is_empty() {
        chosen.push(Who::Greenling);
    }
    for who in chosen {
        if let Err(error) = run(&options, who, &mut record) {
            record.fail(CASE, who, error);
        }
    }
    record.finish()
}

fn run(options: &Options, who: Who, record: &mut Record) -> Result<(), Box<dyn Error>> {
    if !TLS.contains(&who) {
        return Err("it has no HTTPS".into());
    }
    let ground = Ground::new()?;
    let requests = if options.quick { 2_000 } else { 200_000 };
    let requests = options.requests.unwrap_or(requests);
    let server = Server::start(who, true, &ground)?;
    one(options, requests, who, server, &ground, record)
}

fn one(
    options: &Options,
    requests: u64,
    who: Who,
    server: Server,
    ground: &Ground,
    record: &mut Record,
) -> Result<(), Box<dyn Error>> {
    let attack = Attack {
        address: server.address(),
        connector: connector(ground)?,
        hello: client_hello(&connector(ground)?)?,
        // Only the example server has more pages than one.
        all_pages: who == Who::Greenling,
    };
    // What a server allocates once, it has allocated after this.
    let mut tally = attack.run(options, requests / 20, options.seed);
    let descriptors_before = settled(&server, 0)?;
    let before = Footprint::of(&server.pid())?.resident;
    tally.join(attack.run(options, requests, options.seed + 1));
    let descriptors = settled(&server, descriptors_before)?;
    let after = Footprint::of(&server.pid())?.resident;

    eprintln!(
        "{}: {} requests answered, ends of connections:",
        who.name(),
        tally.requests
    );
    for (end, count) in &tally.ends {
        eprintln!("{count:>9} {end:?}");
    }
    eprintln!(
        "{}: {} descriptors before and {descriptors} after, {} KB and {} KB resident",
        who.name(),
        descriptors_before,
        before >> 10,
        after >> 10
    );
    record.add(
        "soak-https-requests",
        who,
        "requests",
        tally.requests as f64,
    );
    record.add(
        "soak-https-errors",
        who,
        "errors",
        tally.errors.len() as f64,
    );
    record.add(
        "soak-https-rss-growth",
        who,
        "bytes",
        after as f64 - before as f64,
    );
    record.add(
        "soak-https-fd-growth",
        who,
        "fds",
        descriptors as f64 - descriptors_before as f64,
    );
    for error in tally.errors.iter().take(5) {
        record.fail(CASE, who, error);
    }
    if descriptors > descriptors_before {
        record.fail(CASE, who, "descriptors are left");
    }
    if who != Who::Greenling {
        // How the rivals take a SIGTERM is their business.
        return Ok(());
    }
    match server.terminate(STOP_MAX)? {
        Some(status) if status.success() => {}
        Some(status) => record.fail(CASE, who, format!("it ended with {status}")),
        None => record.fail(CASE, who, "it does not stop on SIGTERM"),
    }
    Ok(())
}

/// The descriptors of the server once they are no more than `wanted`, or have
/// not changed for a while.
fn settled(server: &Server, wanted: usize) -> io::Result<usize> {
    let begin = Instant::now();
    let mut last = machine::open_descriptors(&server.pid())?;
    let mut same_for = 0;
    while last > wanted && same_for < 20 && begin.elapsed() < SETTLE_MAX {
        machine::pause(Duration::from_millis(100));
        let now = machine::open_descriptors(&server.pid())?;
        same_for = if now == last { same_for + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// close_notify, then FIN.
    Proper,
    /// FIN without close_notify.
    Truncated,
    /// A reset between two requests.
    Reset,
    /// A part of a request, then FIN.
    HalfRequest,
    /// A part of a request, then a reset.
    HalfRequestReset,
    /// A request, and a reset instead of reading its answer.
    UnreadAnswer,
    /// Only FIN to the server's side; the client would still read.
    HalfClosed,
    /// A part of a ClientHello, then FIN; no TLS connection at all.
    HalfHello,
    /// A ClientHello, then a reset; the server is in the middle of its flight.
    HelloReset,
    /// Bytes that are not TLS.
    Garbage,
    /// Nothing at all.
    Silent,
}

impl End {
    const AFTER_REQUESTS: [End; 7] = [
        End::Proper,
        End::Truncated,
        End::Reset,
        End::HalfRequest,
        End::HalfRequestReset,
        End::UnreadAnswer,
        End::HalfClosed,
    ];
    const WITHOUT_TLS: [End; 4] = [End::HalfHello, End::HelloReset, End::Garbage, End::Silent];
}

/// What the threads did.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    ends: BTreeMap<End, u64>,
    /// What no thread brought about itself.
    errors: Vec<String>,
}

impl Tally {
    fn join(&mut self, other: Tally) {
        self.requests += other.requests;
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.errors.extend(other.errors);
    }
}

/// What all threads need.
struct Attack {
    address: SocketAddr,
    connector: SslConnector,
    /// A whole ClientHello.
    hello: Vec<u8>,
    all_pages: bool,
}

impl Attack {
    fn run(&self, options: &Options, requests: u64, seed: u64) -> Tally {
        let left = AtomicU64::new(requests);
        let mut tally = Tally::default();
        std::thread::scope(|scope| {
            let work = |thread: u64| {
                let left = &left;
                move || self.thread(left, Rng::with_seed(seed.wrapping_mul(1 << 20) + thread))
            };
            let threads: Vec<_> = (0..options.threads)
                .map(|thread| scope.spawn(work(thread)))
                .collect();
            for thread in threads {
                match thread.join() {
                    Ok(one) => tally.join(one),
                    Err(_) => tally.errors.push("a client thread panicked".into()),
                }
            }
        });
        tally
    }

    fn thread(&self, left: &AtomicU64, mut rng: Rng) -> Tally {
        let mut tally = Tally::default();
        // A server that is down would fail every connection: stop early then.
        while left.load(Ordering::Relaxed) > 0 && tally.errors.len() < 10 {
            // One connection in eight never becomes a TLS connection.
            let outcome = if rng.u8(..8) == 0 {
                self.without_tls(&mut rng)
            } else {
                self.with_requests(left, &mut rng, &mut tally.requests)
            };
            match outcome {
                Ok(end) => *tally.ends.entry(end).or_default() += 1,
                Err(error) => tally.errors.push(error.to_string()),
            }
        }
        tally
    }

    fn with_requests(
        &self,
        left: &AtomicU64,
        rng: &mut Rng,
        requests: &mut u64,
    ) -> io::Result<End> {
        let mut client = Client::connect(&self.connector, self.address)?;
        for _ in 0..rng.u64(1..=REQUESTS_MAX) {
            let answered = self.exchange(&mut client, rng)?;
            *requests += answered;
            let take = |left: u64| Some(left.saturating_sub(answered));
            // The closure always gives a value, so this cannot fail.
            let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        }
        let end = End::AFTER_REQUESTS[rng.usize(..End::AFTER_REQUESTS.len())];
        self.end(end, client, rng)?;
        Ok(end)
    }

    /// Some requests with their answers checked; returns how many.
    fn exchange(&self, client: &mut Client, rng: &mut Rng) -> io::Result<u64> {
        let kind = if self.all_pages {
            rng.u8(..10)
        } else {
            rng.u8(..7)
        };
        match kind {
            0 => {
                // Pipelined.
                let count = rng.u64(2..=5);
                let one = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
                client.send(one.repeat(count as usize).as_bytes())?;
                for _ in 0..count {
                    expect(client.answer()?, b"Hello, world!")?;
                }
                Ok(count)
            }
            1..=6 => {
                expect(client.get("/hello")?, b"Hello, world!")?;
                Ok(1)
            }
            7 => {
                let length = rng.usize(..100_000);
                let answer = client.get(&format!("/bytes/{length}"))?;
                if answer.status != 200 || answer.body.len() != length {
                    return Err(unexpected(answer.status, answer.body.len()));
                }
                Ok(1)
            }
            _ => {
                let length = rng.usize(..50_000);
                let body: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
                let head =
                    format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
                client.send(head.as_bytes())?;
                client.send(&body)?;
                expect(client.answer()?, &body)?;
                Ok(1)
            }
        }
    }

    /// Ends a TLS connection. What fails from here on was brought about.
    fn end(&self, end: End, mut client: Client, rng: &mut Rng) -> io::Result<()> {
        let request = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nX-Padding: padding\r\n\r\n";
        match end {
            End::Proper => return client.close(),
            End::Truncated => {}
            End::Reset => reset_on_close(client.socket())?,
            End::HalfRequest => client.send(&request[..rng.usize(1..request.len())])?,
            End::HalfRequestReset => {
                client.send(&request[..rng.usize(1..request.len())])?;
                reset_on_close(client.socket())?;
            }
            End::UnreadAnswer => {
                let path = if self.all_pages {
                    "/bytes/10000000"
                } else {
                    "/hello"
                };
                client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
                reset_on_close(client.socket())?;
            }
            _ => {
                client.socket().shutdown(Shutdown::Write)?;
                // Whatever the server still says, it must end what it says.
                let mut socket = client.socket();
                drain(&mut socket)?;
            }
        }
        Ok(())
    }

    /// A connection that never gets as far as a request.
    fn without_tls(&self, rng: &mut Rng) -> io::Result<End> {
        let end = End::WITHOUT_TLS[rng.usize(..End::WITHOUT_TLS.len())];
        let mut socket = connect_plain(self.address)?;
        match end {
            End::HalfHello => socket.write_all(&self.hello[..rng.usize(1..self.hello.len())])?,
            End::HelloReset => {
                socket.write_all(&self.hello)?;
                reset_on_close(&socket)?;
            }
            End::Garbage => {
                let length = rng.usize(1..2000);
                let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(length).collect();
                socket.write_all(&bytes)?;
            }
            _ => {}
        }
        Ok(end)
    }
}

fn expect(answer: Answer, body: &[u8]) -> io::Result<()> {
    if answer.status == 200 && answer.body == body {
        Ok(())
    } else {
        Err(unexpected(answer.status, answer.body.len()))
    }
}

fn unexpected(status: u16, length: usize) -> io::Error {
    io::Error::other(format!(
        "unexpected answer: status {status}, {length} bytes"
    ))
}

/// Makes the close of `socket` a reset (socket(7), SO_LINGER of zero).
fn reset_on_close(socket: &TcpStream) -> io::Result<()> {
    SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Reads to the end; a reset is an end, silence is an error.
fn drain(socket: &mut &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let text = "the server keeps a connection that the client has shut down";
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The bytes that a client of `connector` sends first.
fn client_hello(connector: &SslConnector) -> io::Result<Vec<u8>> {
    use openssl::ssl::HandshakeError;
    match connector.connect("localhost", Recorder(Vec::new())) {
        Err(HandshakeError::WouldBlock(middle)) => Ok(middle.get_ref().0.clone()),
        Err(HandshakeError::SetupFailure(error)) => Err(io::Error::other(error)),
        _ => Err(io::Error::other("a handshake with nobody went on")),
    }
}

/// Keeps what is written; nothing ever comes to be read.
#[derive(Debug)]
struct Recorder(Vec<u8>);

impl Read for Recorder {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
