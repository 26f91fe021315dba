//! The example `h2_server` against curl and h2load, hyper's client against Python.

use crate::pair::{collect, fetch};
use greenling::block_on;
use hyper::StatusCode;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tests::tools;

/// How long the server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server, killed when dropped.
struct Server {
    child: Child,
    secure: u16,
    plain: u16,
}

impl Server {
    fn start() -> Server {
        let mut child = Command::new(tests::example::build("h2_server"))
            .args(["--listen", "127.0.0.1:0", "--plain", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut server = Server {
            child,
            secure: 0,
            plain: 0,
        };
        let port = |scheme: &str| {
            let line = receiver.recv_timeout(START_LIMIT).expect("a line");
            let port = line.strip_prefix(&format!("listening {scheme}://127.0.0.1:"));
            port.and_then(|port| port.parse().ok()).expect("an address")
        };
        (server.secure, server.plain) = (port("https"), port("http"));
        server
    }

    fn secure(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.secure)
    }

    fn plain(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.plain)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; a test that cares looks before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What curl says of `url`: the version and status, then the body.
fn curl(arguments: &[&str], url: &str, input: &[u8]) -> (String, Vec<u8>) {
    let curl = tools::find("h2_server", "curl").expect("looked for before");
    let mut command = Command::new(curl);
    command
        .args(["--silent", "--show-error", "--insecure", "--noproxy", "*"])
        .args(["--write-out", "%{stderr}%{http_version} %{http_code}"])
        .args(arguments)
        .arg(url);
    let finished = tools::run(&mut command, input).success();
    (
        String::from_utf8_lossy(&finished.stderr).into_owned(),
        finished.stdout,
    )
}

/// Each way to speak to it, with the version that this must lead to.
fn ways(server: &Server) -> [(&'static str, &'static str, String); 4] {
    [
        ("--http2", "2", server.secure("")),
        ("--http1.1", "1.1", server.secure("")),
        ("--http2-prior-knowledge", "2", server.plain("")),
        ("--http1.1", "1.1", server.plain("")),
    ]
}

#[test]
fn curl_speaks_every_version() {
    if tools::find("h2_server and curl", "curl").is_none() {
        return;
    }
    let server = Server::start();
    for (option, version, base) in ways(&server) {
        let get = |path: &str| curl(&[option], &format!("{base}{path}"), b"");
        let ok = format!("{version} 200");
        assert_eq!(get("/hello"), (ok.clone(), b"Hello, world!".to_vec()));
        assert_eq!(get("/squares/10"), (ok.clone(), b"385".to_vec()));
        let (status, count) = get("/visits");
        assert_eq!(status, ok);
        assert!(String::from_utf8(count).unwrap().parse::<u64>().unwrap() > 0);
        let (status, bytes) = get("/bytes/10000000");
        assert_eq!((status, bytes.len()), (ok.clone(), 10_000_000));
        assert_eq!(get("/sleep/5").0, ok);
        assert_eq!(get("/nothing").0, format!("{version} 404"));
        assert_eq!(get("/bytes/many").0, format!("{version} 400"));

        let body: Vec<u8> = (0..10_000_000u32).map(|index| (index / 3) as u8).collect();
        let echoed = curl(
            &[option, "--data-binary", "@-"],
            &format!("{base}/echo"),
            &body,
        );
        assert!(echoed == (ok, body), "{option} {base}: not the same");
    }
}

#[test]
fn h2load_with_many_streams_at_a_time() {
    let Some(h2load) = tools::find("h2_server and h2load", "h2load") else {
        return;
    };
    let server = Server::start();
    let loads = [
        // Requests, connections, streams at a time.
        (
            ["-n", "2000", "-c", "4", "-m", "100"],
            server.secure("/hello"),
        ),
        (
            ["-n", "400", "-c", "4", "-m", "100"],
            server.secure("/sleep/20"),
        ),
        (
            ["-n", "200", "-c", "2", "-m", "100"],
            server.plain("/bytes/100000"),
        ),
        (
            ["-n", "400", "-c", "4", "-m", "50"],
            server.secure("/squares/20"),
        ),
    ];
    for (options, url) in loads {
        let text = tools::run(Command::new(&h2load).args(options).arg(&url), b"").text();
        let all = format!("{} succeeded, 0 failed, 0 errored", options[1]);
        assert!(text.contains(&all), "{url}: {text}");
        assert!(
            text.contains(&format!("status codes: {} 2xx", options[1])),
            "{text}"
        );
    }
}

#[test]
fn sigterm_lets_requests_finish_and_refuses_new_ones() {
    let Some(curl) = tools::find("h2_server and its shutdown", "curl") else {
        return;
    };
    for option in ["--http2", "--http1.1"] {
        let mut server = Server::start();
        let mut request = Command::new(&curl)
            .args(["--silent", "--show-error", "--insecure", "--noproxy", "*"])
            // The trace says when the request has been sent.
            .args([option, "--trace-ascii", "-", "--output", "/dev/null"])
            .arg(server.secure("/sleep/1000"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let trace = BufReader::new(request.stdout.take().unwrap());
        let mut lines = trace.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("Send header")), "{option}");
        // It is on its way, or there: what has arrived is answered.
        std::thread::spawn(move || lines.for_each(drop));
        let mut plain = TcpStream::connect(("127.0.0.1", server.plain)).unwrap();
        plain
            .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut first = String::new();
        BufReader::new(&plain).read_line(&mut first).unwrap();
        assert_eq!(first, "HTTP/1.1 200 OK\r\n");

        let pid = nix::unistd::Pid::from_raw(server.child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert!(request.wait().unwrap().success(), "{option}");
        assert!(server.child.wait().unwrap().success(), "{option}");
        assert!(TcpStream::connect(("127.0.0.1", server.plain)).is_err());
    }
}

/// Kills a child when dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn hypers_client_fetches_from_pythons_server() {
    let Some(python) = tools::find("hyper's client and Python", "python3") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let page: Vec<u8> = (0..3_000_000u32).map(|index| (index / 5) as u8).collect();
    std::fs::write(directory.path().join("page"), &page).unwrap();
    let mut server = Command::new(python);
    server
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .arg("--directory")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = Ending(server.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ...
    let port = line
        .split_whitespace()
        .nth(5)
        .and_then(|port| port.parse::<u16>().ok());
    let address = (
        "127.0.0.1",
        port.unwrap_or_else(|| panic!("not an address: {line}")),
    );
    tests::isolated(move || {
        // It speaks HTTP/1.0, which is a connection for each request.
        for (path, status) in [("/page", StatusCode::OK), ("/none", StatusCode::NOT_FOUND)] {
            let stream = greenling::net::TcpStream::connect(address).unwrap();
            let (mut sender, driver) = fetch(stream, false);
            let answer = block_on(sender.get(path)).unwrap().unwrap();
            assert_eq!(answer.status(), status);
            let body = block_on(collect(answer)).unwrap().unwrap();
            assert_eq!(body == page, status == StatusCode::OK);
            drop(sender);
            driver.join().unwrap().unwrap();
        }
    });
}
