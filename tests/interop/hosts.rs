//! Two hosts of ours behind one address, for clients that we did not write.
//!
//! `a.test` takes TLS 1.2 and 1.3 and asks for no certificate. `b.test` takes TLS 1.3
//! only and demands a certificate of our authority. Who names no host gets the first.
//! Each answers a request with one line about the connection, see [`line`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, ClientAuth, ClientHello, Context, ContextBuilder, Identity, TlsListener, TlsStream,
    Transport, Version,
};
use tempfile::TempDir;

/// What both hosts speak, in the order of their preference.
pub(crate) const PROTOCOLS: [&str; 2] = ["http/1.1", "pop3"];

/// Authorities, certificates and keys, as files `NAME.pem` and `NAME.key`.
pub(crate) struct Papers {
    directory: TempDir,
    ca: TestCa,
}

impl Papers {
    /// Of our authority: servers `a.test`, with 127.0.0.1, and `b.test`, and the client
    /// `alice`; its certificate is `ca.pem`. Of another one: the client `mallory`, and
    /// `stranger`, a server that says it were `a.test`.
    pub(crate) fn new() -> Papers {
        let papers = Papers {
            directory: tempfile::tempdir().expect("a directory"),
            ca: TestCa::new("interop").expect("an authority"),
        };
        let (ca, other) = (&papers.ca, TestCa::new("other").expect("an authority"));
        papers.write("ca.pem", &ca.root_pem().expect("PEM"));
        papers.keep("a.test", ca.issue(&["a.test", "127.0.0.1"]));
        papers.keep("b.test", ca.issue(&["b.test"]));
        papers.keep("alice", ca.issue_client("alice"));
        papers.keep("mallory", other.issue_client("mallory"));
        papers.keep("stranger", other.issue(&["a.test", "127.0.0.1"]));
        papers
    }

    fn write(&self, name: &str, content: &[u8]) {
        write_private(&self.file(name), content);
    }

    fn keep(&self, name: &str, identity: Result<Identity, greenling_tls::Error>) {
        let identity = identity.expect("a certificate");
        self.write(&format!("{name}.pem"), &identity.chain_pem().expect("PEM"));
        let key = identity.export_private_key_pem().expect("PEM");
        self.write(&format!("{name}.key"), &key);
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The path of a file as text.
    pub(crate) fn path(&self, name: &str) -> String {
        self.file(name)
            .into_os_string()
            .into_string()
            .expect("UTF-8")
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let files = (
            self.file(&format!("{name}.pem")),
            self.file(&format!("{name}.key")),
        );
        Identity::from_pem_files(files.0, files.1).expect("files")
    }

    /// What our authority's certificates are verified by.
    pub(crate) fn root(&self) -> Vec<u8> {
        self.ca.root_pem().expect("PEM")
    }
}

/// Writes a file that others cannot read.
pub(crate) fn write_private(path: &Path, content: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .expect("written");
}

/// Both hosts, on a thread of their own until this is dropped.
pub(crate) struct Hosts {
    pub(crate) papers: Papers,
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hosts {
    pub(crate) fn start() -> Hosts {
        let papers = Papers::new();
        let door = door(&papers);
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            greenling::enter(|| {
                let listener = TlsListener::bind((Ipv4Addr::LOCALHOST, 0), &door).expect("bound");
                let address = listener.local_addr().expect("an address");
                sender.send(address.port()).expect("somebody waits");
                while let Ok((stream, _)) = listener.accept() {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    // A refused client is judged by what it says itself.
                    greenling::spawn(move || drop(answer(&stream)));
                }
            });
        });
        let port = receiver.recv().expect("a port");
        Hosts {
            papers,
            port,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener; if it is gone, so is what there is to wake.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the hosts have panicked");
        }
    }
}

/// The context that chooses the host.
fn door(papers: &Papers) -> Context {
    let host = |name| {
        ContextBuilder::server()
            .identity(papers.identity(name))
            .alpn(PROTOCOLS)
            // curl takes no tickets of TLS 1.2.
            .session_cache(100)
    };
    let a = host("a.test").build().expect("a context");
    let b = host("b.test")
        .versions(Version::Tls13..=Version::Tls13)
        .trust_pem(papers.root())
        .client_auth(ClientAuth::Required)
        .build()
        .expect("a context");
    ContextBuilder::server()
        .resolver(move |hello: &ClientHello| match hello.server_name() {
            Some("a.test") | None => Ok(a.clone()),
            Some("b.test") => Ok(b.clone()),
            Some(_) => Err(Alert::UNRECOGNIZED_NAME),
        })
        .build()
        .expect("a context")
}

/// Reads a request and answers it with the line of the connection.
fn answer<T: Transport>(stream: &TlsStream<T>) -> Result<(), greenling_tls::Error> {
    stream.handshake()?;
    let mut reader = BufReader::new(stream.take(10_000));
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 && !head.trim().is_empty() {
        head.clear();
    }
    let told = told(stream);
    let mut writer = stream;
    write!(
        writer,
        "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{told}\n",
        told.len() + 1
    )?;
    stream.close()
}

/// What this end of `stream` sees of the connection.
fn told<T: Transport>(stream: &TlsStream<T>) -> String {
    let own = stream.own_certificate().expect("a server has one");
    let names = own
        .as_x509()
        .subject_alt_names()
        .expect("servers have names");
    let host = names.iter().find_map(|name| name.dnsname());
    let version = stream.version().expect("the handshake is over");
    let alpn = stream.alpn_protocol().unwrap_or_default();
    let client = stream.peer_identity();
    let client = client.as_ref().and_then(|peer| peer.dns_names().first());
    line(
        host.expect("a DNS name"),
        version,
        std::str::from_utf8(&alpn).expect("ours are text"),
        &stream.server_name().unwrap_or_default(),
        stream.session_reused(),
        client.map_or("", String::as_str),
    )
}

/// The line of a connection; what is missing is empty.
pub(crate) fn line(
    host: &str,
    version: Version,
    alpn: &str,
    sni: &str,
    resumed: bool,
    client: &str,
) -> String {
    let resumed = if resumed { "yes" } else { "no" };
    format!(
        "told host={host} version={version} alpn={alpn} sni={sni} resumed={resumed} client={client} end"
    )
}
