//! Servers that we did not write, each against the whole table of
//! [`served`](super::served).

mod gnutls;
mod go;
mod nginx;
mod openssl;
mod python;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::hosts::Papers;
use super::served::{Server, Terms, Told, check, client, visit, wait_for};
use greenling_tls::{Error, Version};

/// A process that prints where it listens and what it sees.
struct Printing {
    child: Child,
    printed: Arc<Mutex<String>>,
    port: u16,
}

impl Printing {
    /// Starts `command`, and waits until a line says `listening` and then the port.
    fn start(command: &mut Command, listening: &str) -> Printing {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let printed = Arc::default();
        collect(child.stdout.take().expect("piped"), &printed);
        collect(child.stderr.take().expect("piped"), &printed);
        let mut server = Printing {
            child,
            printed,
            port: 0,
        };
        server.port = server.wait_for("where it listens", |printed| {
            let line = printed
                .lines()
                .find_map(|line| line.strip_prefix(listening))?;
            let digits = line.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        });
        server
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the server listens")
    }

    fn printed(&self) -> String {
        self.printed.lock().expect("no panic").clone()
    }

    /// What `find` makes of all that is printed, once it makes something of it.
    fn wait_for<R>(&self, what: &str, find: impl Fn(&str) -> Option<R>) -> R {
        wait_for(what, || self.printed(), find)
    }
}

/// Gathers the lines of `stream`, which ends with the process.
fn collect(stream: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = into.clone();
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let mut text = into.lock().expect("no panic");
            writeln!(text, "{}", String::from_utf8_lossy(&line)).expect("a string");
        }
    });
}

impl Drop for Printing {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
