//! A server process that is told to stop.

use crate::support::{EVER, start};
use greenling::signal::{SIGINT, SIGTERM};
use greenling::time::sleep;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;
use tests::child;

/// The process that the tests start: a server with one handler that stays.
fn serve(part: &str) {
    let server = start(
        |server| {
            let server = server.workers(2).stop_on(&[SIGINT, SIGTERM]);
            match part {
                "patient" => server.drain_limit(EVER),
                _ => server.drain_limit(Duration::from_millis(50)),
            }
        },
        |mut stream, _, _| {
            stream.write_all(b"!")?;
            sleep(EVER);
            Ok::<(), std::io::Error>(())
        },
    );
    println!("\nlistening {}", server.address());
    let report = server.end();
    println!("\nkilled {}", report.total.killed);
    std::process::exit(0);
}

/// Such a process with a connection to it, and its output from then on.
fn started(test: &str, part: &str) -> (Child, TcpStream, impl BufRead) {
    let mut command = child::command(test, part);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    let address = line.trim().strip_prefix("listening ").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    (process, stream, output)
}

fn send(process: &Child, signal: Signal) {
    kill(Pid::from_raw(process.id().cast_signed()), signal).unwrap();
}

#[test]
fn the_first_signal_drains() {
    if child::is("hasty") {
        return serve("hasty");
    }
    let (mut process, _stream, mut output) = started("signals::the_first_signal_drains", "hasty");
    send(&process, Signal::SIGTERM);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("killed 1"), "{rest}");
    assert!(process.wait().unwrap().success());
}

#[test]
fn the_second_signal_exits() {
    if child::is("patient") {
        return serve("patient");
    }
    let (mut process, mut stream, _output) = started("signals::the_second_signal_exits", "patient");
    let address = stream.peer_addr().unwrap();
    send(&process, Signal::SIGINT);
    // It listens no more, so the first has been heard.
    crate::support::until(|| TcpStream::connect(address).is_err());
    assert!(process.try_wait().unwrap().is_none());
    send(&process, Signal::SIGTERM);
    assert_eq!(process.wait().unwrap().code(), Some(128 + SIGTERM));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}
