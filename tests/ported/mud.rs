//! The house with visitors that behave, and with some that don't.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{complaint, printed};

/// Longer than anything takes; a test that meets it has found a hang.
const WATCHDOG: Duration = Duration::from_secs(60);

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| tests::example::build("mud"))
}

/// A running server, killed when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(options: &[&str]) -> Server {
        let mut child = Command::new(program())
            .args(["--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it was just built");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("text");
        let address = line.trim_end().strip_prefix("listening ");
        let address = address.and_then(|address| address.parse().ok());
        Server {
            child,
            address: address.unwrap_or_else(|| panic!("not an address: {line:?}")),
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(WATCHDOG)).expect("not zero");
        stream.set_write_timeout(Some(WATCHDOG)).expect("not zero");
        Client {
            lines: BufReader::new(stream),
        }
    }

    /// A visitor with a name, in the hall.
    fn visit(&self, name: &str) -> Client {
        let mut client = self.connect();
        client.until("your name?");
        client.send(name);
        client.until(&format!("Hello, {name}!"));
        client.until("Ways out");
        client
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("it runs");
    }

    /// How it ended, and its complaints.
    fn wait(mut self) -> (ExitStatus, String) {
        let mut complaints = String::new();
        let stderr = self.child.stderr.as_mut().expect("piped");
        stderr.read_to_string(&mut complaints).expect("text");
        (self.child.wait().expect("a child"), complaints)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; a test that cares looks before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client {
    lines: BufReader<TcpStream>,
}

impl Client {
    fn send(&mut self, line: &str) {
        let line = format!("{line}\r\n");
        let sent = self.lines.get_mut().write_all(line.as_bytes());
        sent.expect("the server reads");
    }

    /// Reads up to a line with `text` in it, and returns that.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let start = all.len();
            let count = self.lines.read_line(&mut all).expect("text");
            assert!(count > 0, "ended without {text:?}: {all}");
            if all[start..].contains(text) {
                return all.split_off(start);
            }
        }
    }

    /// What comes up to the end of the connection; a reset is one, too.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        match self.lines.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(rest).expect("text")
    }

    /// Closes the connection so that the server gets a reset.
    fn reset(self) {
        let stream = socket2::Socket::from(self.lines.into_inner());
        stream.set_linger(Some(Duration::ZERO)).expect("a socket");
    }
}

#[test]
fn visitors_hear_each_other_in_the_same_room() {
    let server = Server::start(&[]);
    let mut ada = server.visit("Ada");
    let mut bob = server.visit("Bob");
    assert_eq!(bob.until("Here:"), "Here: Ada.\r\n");
    ada.until("Bob comes in.");
    bob.send("say hello, \x1b[2Jhouse");
    assert_eq!(ada.until("Bob:"), "Bob: hello, [2Jhouse\r\n");
    assert_eq!(bob.until("Bob:"), "Bob: hello, [2Jhouse\r\n");

    ada.send("go north");
    ada.until("You are in the garden");
    bob.until("Ada leaves.");
    bob.send("say anybody?");
    bob.until("Bob: anybody?");
    ada.send("say nobody");
    // Nothing of what Bob has said is before it.
    ada.until("Ways out");
    assert_eq!(ada.until("nobody"), "Ada: nobody\r\n");
    ada.send("go up");
    ada.until("no such way");
    ada.send("who");
    assert_eq!(ada.until("In the house"), "In the house: Ada, Bob.\r\n");
    ada.send("quit");
    assert_eq!(ada.rest(), "Good bye!\r\n");

    let mut other = server.connect();
    other.send("Bob");
    other.until("of that name");
    other.send("B0b!");
    other.until("1 to 16 letters");
    // Ada has gone for good when this is answered.
    other.send("Ada");
    other.until("Hello, Ada!");
}

/// Half a line and a reset, a line without an end, and one who says nothing.
#[test]
fn rude_visitors_harm_nobody() {
    let server = Server::start(&["--drain", "0"]);
    let silent = server.connect();
    let mut ada = server.visit("Ada");

    let mut rude = server.visit("Rude");
    ada.until("Rude comes in.");
    rude.lines
        .get_mut()
        .write_all(b"say half a li")
        .expect("sent");
    rude.reset();
    ada.until("Rude leaves.");

    let mut endless = server.visit("Endless");
    ada.until("Endless comes in.");
    // The server hangs up long before it has all of it.
    let _ = endless.lines.get_mut().write_all(&vec![b'x'; 1 << 20]);
    ada.until("Endless leaves.");
    endless.rest();

    let mut unnamed = server.connect();
    let _ = unnamed.lines.get_mut().write_all(&vec![b'y'; 1 << 20]);
    unnamed.rest();

    ada.send("who");
    assert_eq!(ada.until("In the house"), "In the house: Ada.\r\n");
    server.signal(Signal::SIGTERM);
    let goodbye = silent.rest();
    assert!(goodbye.starts_with("Welcome!"), "{goodbye}");
}

/// One who asks for more and more and reads nothing is cut off; meanwhile the
/// others have their turns.
#[test]
fn a_visitor_that_does_not_read_is_cut_off() {
    let server = Server::start(&[]);
    let mut ada = server.visit("Ada");
    let mut deaf = server.visit("Deaf");
    ada.until("Deaf comes in.");
    let questions = b"look\n".repeat(10_000);
    // Ends with an error when the server has had enough.
    let writer = std::thread::spawn(
        move || {
            while deaf.lines.get_mut().write_all(&questions).is_ok() {}
        },
    );
    ada.send("say still here");
    ada.until("Ada: still here");
    ada.until("Deaf leaves.");
    writer.join().expect("it ends");
}

#[test]
fn who_says_nothing_for_too_long_has_to_go() {
    let server = Server::start(&["--idle-timeout", "0.2"]);
    let mut client = server.connect();
    client.until("your name?");
    // A byte now and then is no line.
    client.lines.get_mut().write_all(b"A").expect("sent");
    assert_eq!(client.rest(), "You have fallen asleep. Good night!\r\n");
}

#[test]
fn a_full_house_sends_visitors_away() {
    let server = Server::start(&["--max-visitors", "1"]);
    let ada = server.visit("Ada");
    let away = server.connect().rest();
    assert_eq!(away, "The house is full. Come back later.\r\n");
    drop(ada);
    // It takes a moment until the house has seen that Ada is gone.
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < WATCHDOG, "still full");
        let mut next = server.connect();
        let mut line = String::new();
        next.lines.read_line(&mut line).expect("text");
        if line.starts_with("Welcome!") {
            break;
        }
        assert!(line.starts_with("The house is full."), "{line}");
    }
}

#[test]
fn signals_let_everybody_out() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = Server::start(&["--drain", "1000"]);
        let ada = server.visit("Ada");
        let unnamed = server.connect();
        let address = server.address;
        // The second has been admitted for certain once a third one is.
        drop(server.visit("Third"));
        server.signal(signal);
        assert!(ada.rest().ends_with("The house closes. Good night!\r\n"));
        assert!(
            unnamed
                .rest()
                .ends_with("The house closes. Good night!\r\n")
        );
        let (status, complaints) = server.wait();
        assert_eq!((status.code(), complaints.as_str()), (Some(0), ""));
        assert!(TcpStream::connect(address).is_err());
    }
}

/// Who neither reads nor goes away is cut off at the end of the drain time.
#[test]
fn the_drain_time_has_an_end() {
    let server = Server::start(&["--drain", "0"]);
    let ada = server.visit("Ada");
    server.signal(Signal::SIGTERM);
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    drop(ada);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("bound").to_string();
    let complaint = complaint(program(), &["--listen", &address], "");
    let expected = format!("mud: can't listen at {address}: ");
    assert!(complaint.starts_with(&expected), "{complaint}");
}

#[test]
fn the_help_says_how_to_connect() {
    let help = printed(program(), &["--help"], "");
    assert!(help.contains("telnet or netcat"), "{help}");
    assert!(help.contains("--listen <ADDR>"), "{help}");
}
