//! Real programs at the other end: netcat (OpenBSD's) and socat, as clients and
//! as servers, over TCP, UDP and Unix sockets.
//!
//! Each exchange is the same: the program sends what is on its standard input,
//! and writes what it receives to its standard output.

use greenling::net::{
    SplitStream, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use greenling::time::sleep;
use greenling::{JoinHandle, offload, spawn};
use std::io::{self, ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tests::isolated;
use tests::tools::{self, Finished};

const NETCAT: &str = "nc.openbsd";
const SOCAT: &str = "socat";

/// What the program sends, and what it receives, as datagrams.
const QUESTION: &str = "what the program sends";
const ANSWER: &str = "what it receives";

/// More than the buffers of both ends hold.
const SIZE: usize = 1 << 20;

fn long(text: &str) -> Vec<u8> {
    text.bytes().cycle().take(SIZE).collect()
}

/// Runs a program on a thread of the pool, with `input`.
fn start(program: PathBuf, arguments: &[&str], input: Vec<u8>) -> JoinHandle<Finished> {
    let mut command = Command::new(program);
    command.args(arguments);
    spawn(move || offload(move || tools::run(&mut command, &input)).unwrap())
}

/// Both directions of a stream at once, until both have ended.
fn exchange<S>(stream: S, split: fn(S) -> Halves<S>, program: JoinHandle<Finished>)
where
    S: SplitStream + 'static,
    for<'a> &'a S: Read + Write,
{
    let (mut reader, mut writer) = split(stream);
    let writing = spawn(move || writer.write_all(&long(ANSWER)).map(|()| writer));
    let mut received = Vec::new();
    reader.read_to_end(&mut received).unwrap();
    // Netcat stops sending when a Unix stream ends in the other direction.
    drop(writing.join().unwrap().unwrap());
    let finished = program.join().unwrap().success();
    assert!(received == long(QUESTION), "{} bytes", received.len());
    assert!(finished.stdout == long(ANSWER), "{}", finished.stdout.len());
}

type Halves<S> = (
    greenling::net::OwnedReadHalf<S>,
    greenling::net::OwnedWriteHalf<S>,
);

/// Tries again until the program is there.
fn until_there<T>(mut operation: impl FnMut() -> io::Result<T>) -> T {
    loop {
        match operation() {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionRefused | ErrorKind::NotFound
                ) =>
            {
                sleep(Duration::from_millis(5));
            }
            result => return result.unwrap(),
        }
    }
}

/// A port that nobody uses, and that the system gives to nobody before the
/// program has it: those it picks by itself are higher.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 1000) as u16 * 20;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let tcp = std::net::TcpListener::bind(("127.0.0.1", port));
        let udp = std::net::UdpSocket::bind(("127.0.0.1", port));
        if tcp.is_ok() && udp.is_ok() {
            return port;
        }
    }
}

#[test]
fn tcp_clients() {
    let listening = |program: PathBuf, arguments: fn(u16) -> Vec<String>| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let arguments = arguments(listener.local_addr().unwrap().port());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let program = start(program, &arguments, long(QUESTION));
        exchange(listener.accept().unwrap().0, TcpStream::split, program);
    };
    isolated(move || {
        if let Some(program) = tools::find("tcp_clients", NETCAT) {
            listening(program, |port| {
                vec!["-N".into(), "127.0.0.1".into(), port.to_string()]
            });
        }
        if let Some(program) = tools::find("tcp_clients", SOCAT) {
            listening(program, |port| {
                vec!["-t60".into(), "-".into(), format!("TCP:127.0.0.1:{port}")]
            });
        }
    });
}

#[test]
fn tcp_servers() {
    isolated(|| {
        let connect = |port: u16| until_there(|| TcpStream::connect(("127.0.0.1", port)));
        if let Some(program) = tools::find("tcp_servers", NETCAT) {
            let port = free_port();
            let arguments = ["-N", "-l", "127.0.0.1", &port.to_string()];
            let program = start(program, &arguments, long(QUESTION));
            exchange(connect(port), TcpStream::split, program);
        }
        if let Some(program) = tools::find("tcp_servers", SOCAT) {
            let port = free_port();
            let address = format!("TCP-LISTEN:{port},bind=127.0.0.1");
            let program = start(program, &["-t60", "-", &address], long(QUESTION));
            exchange(connect(port), TcpStream::split, program);
        }
    });
}

#[test]
fn unix_clients() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let text = path.to_str().unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let serve = |program| exchange(listener.accept().unwrap().0, UnixStream::split, program);
        if let Some(program) = tools::find("unix_clients", NETCAT) {
            serve(start(program, &["-N", "-U", text], long(QUESTION)));
        }
        if let Some(program) = tools::find("unix_clients", SOCAT) {
            let address = format!("UNIX-CONNECT:{text}");
            serve(start(program, &["-t60", "-", &address], long(QUESTION)));
        }
    });
}

#[test]
fn unix_servers() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let connect = |path: &PathBuf| until_there(|| UnixStream::connect(path));
        if let Some(program) = tools::find("unix_servers", NETCAT) {
            let path = path("netcat");
            let arguments = ["-N", "-l", "-U", path.to_str().unwrap()];
            let program = start(program, &arguments, long(QUESTION));
            exchange(connect(&path), UnixStream::split, program);
        }
        if let Some(program) = tools::find("unix_servers", SOCAT) {
            let path = path("socat");
            let address = format!("UNIX-LISTEN:{}", path.display());
            let program = start(program, &["-t60", "-", &address], long(QUESTION));
            exchange(connect(&path), UnixStream::split, program);
        }
    });
}

#[test]
fn abstract_names() {
    isolated(|| {
        let Some(program) = tools::find("abstract_names", SOCAT) else {
            return;
        };
        let name = |of: &str| {
            let name = format!("greenling-{of}-{}", std::process::id());
            (UnixAddr::from_abstract_name(&name).unwrap(), name)
        };
        let (at, name_of_ours) = name("ours");
        let listener = UnixListener::bind_addr(&at).unwrap();
        let address = format!("ABSTRACT-CONNECT:{name_of_ours}");
        let client = start(program.clone(), &["-t60", "-", &address], long(QUESTION));
        exchange(listener.accept().unwrap().0, UnixStream::split, client);
        // Not by the same name: while a child that another test has just forked
        // has our listener, too, connections would wait there and be reset.
        let (at, name_of_socats) = name("socat");
        let address = format!("ABSTRACT-LISTEN:{name_of_socats}");
        let server = start(program, &["-t60", "-", &address], long(QUESTION));
        let stream = until_there(|| UnixStream::connect_addr(&at));
        exchange(stream, UnixStream::split, server);
    });
}

/// The program has written the answer, or the answer and what ended it.
fn check(program: JoinHandle<Finished>, expected: &str) {
    let finished = program.join().unwrap().success();
    assert_eq!(String::from_utf8_lossy(&finished.stdout), expected);
}

/// How socat is told that a datagram was the last.
fn last_of(text: &str) -> String {
    format!("readbytes={}", text.len())
}

#[test]
fn udp_clients() {
    isolated(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port().to_string();
        let serve = |program| {
            let mut buffer = [0; 99];
            let (size, peer) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], QUESTION.as_bytes());
            socket.send_to(ANSWER.as_bytes(), peer).unwrap();
            check(program, ANSWER);
        };
        if let Some(program) = tools::find("udp_clients", NETCAT) {
            // It ends after one packet.
            let arguments = ["-u", "-W1", "127.0.0.1", &port];
            serve(start(program, &arguments, QUESTION.into()));
        }
        if let Some(program) = tools::find("udp_clients", SOCAT) {
            let address = format!("UDP:127.0.0.1:{port},{}", last_of(ANSWER));
            serve(start(program, &["-t60", "-", &address], QUESTION.into()));
        }
    });
}

#[test]
fn udp_servers() {
    isolated(|| {
        let ask = |port: u16| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(("127.0.0.1", port)).unwrap();
            let mut buffer = [0; 99];
            // What nobody received comes back as an error.
            let size = until_there(|| {
                socket.send(ANSWER.as_bytes())?;
                socket.recv(&mut buffer)
            });
            assert_eq!(&buffer[..size], QUESTION.as_bytes());
            socket
        };
        if let Some(program) = tools::find("udp_servers", NETCAT) {
            let port = free_port();
            // It ends after two packets.
            let arguments = ["-u", "-l", "-W2", "127.0.0.1", &port.to_string()];
            let program = start(program, &arguments, QUESTION.into());
            ask(port).send(b", the end").unwrap();
            check(program, &format!("{ANSWER}, the end"));
        }
        if let Some(program) = tools::find("udp_servers", SOCAT) {
            let port = free_port();
            let address = format!("UDP-LISTEN:{port},bind=127.0.0.1,{}", last_of(ANSWER));
            let program = start(program, &["-t60", "-", &address], QUESTION.into());
            ask(port);
            check(program, ANSWER);
        }
    });
}

#[test]
fn unix_datagram_clients() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server");
        let text = path.to_str().unwrap();
        let socket = UnixDatagram::bind(&path).unwrap();
        let serve = |program| {
            let mut buffer = [0; 99];
            let (size, peer) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], QUESTION.as_bytes());
            socket.send_to_addr(ANSWER.as_bytes(), &peer).unwrap();
            check(program, ANSWER);
        };
        if let Some(program) = tools::find("unix_datagram_clients", NETCAT) {
            let arguments = ["-u", "-U", "-W1", text];
            serve(start(program, &arguments, QUESTION.into()));
        }
        if let Some(program) = tools::find("unix_datagram_clients", SOCAT) {
            let own = folder.path().join("socat");
            let last = last_of(ANSWER);
            let address = format!("UNIX-CLIENT:{text},type=2,bind={},{last}", own.display());
            serve(start(program, &["-t60", "-", &address], QUESTION.into()));
        }
    });
}

#[test]
fn unix_datagram_servers() {
    isolated(|| {
        let Some(program) = tools::find("unix_datagram_servers", SOCAT) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let address = format!(
            "UNIX-RECVFROM:{},{}",
            path("server").display(),
            last_of(ANSWER)
        );
        let program = start(program, &["-t60", "-", &address], QUESTION.into());
        let socket = UnixDatagram::bind(path("client")).unwrap();
        until_there(|| socket.send_to(ANSWER.as_bytes(), path("server")));
        let mut buffer = [0; 99];
        let (size, from) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..size], QUESTION.as_bytes());
        assert_eq!(from.as_pathname(), Some(&*path("server")));
        check(program, ANSWER);
    });
}
