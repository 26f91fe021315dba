//! The `openssl` command as the other side, over sockets of the loopback.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use greenling_tls::{Context, TlsStream};

/// `openssl s_server`, killed when it is dropped.
pub(crate) struct SServer {
    child: Child,
    address: String,
}

impl SServer {
    pub(crate) fn start(arguments: &[&str]) -> SServer {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl s_server");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned))
            .expect("an address");
        SServer { child, address }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("connect")
    }
}

impl Drop for SServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `openssl s_client` prints of a connection to a server of `context`, and what
/// `look` finds in the server's stream.
pub(crate) fn s_client<R: Send + 'static>(
    context: Context,
    arguments: &[&str],
    look: impl FnOnce(&TlsStream<TcpStream>) -> R + Send + 'static,
) -> (String, R) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = TlsStream::accept(&context, socket).expect("handshake");
        let found = look(&stream);
        let mut rest = Vec::new();
        // It may end with a goodbye or without.
        let _ = stream.read_to_end(&mut rest);
        found
    });
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &address])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("openssl s_client");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, server.join().expect("server"))
}
