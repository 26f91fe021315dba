//! rustls, in this process, through the tables of `tests/interop`: a client of our two
//! hosts, and a server of our client. Part of the package `neighbours`, which has it
//! as a dependency.

#[expect(dead_code, reason = "the other part is for other processes")]
mod hosts;
mod served;
#[expect(dead_code, reason = "the other part is for other processes")]
mod table;

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use greenling_tls::{Error, Version};
use hosts::{Hosts, PROTOCOLS, Papers};
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore,
    ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use served::{Server, Terms, Told};
use table::{Ask, Client, Printed, Visit};

fn version(version: Version) -> &'static SupportedProtocolVersion {
    match version {
        Version::Tls12 => &rustls::version::TLS12,
        _ => &rustls::version::TLS13,
    }
}

fn version_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "?",
    }
}

fn protocols(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn roots(papers: &Papers) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(&papers.root()).expect("PEM");
    roots.add(root).expect("an anchor");
    roots
}

fn identity(papers: &Papers, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let identity = papers.identity(name);
    let chain = identity.chain_pem().expect("PEM");
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>();
    let key = identity.export_private_key_pem().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(&key).expect("PEM");
    (chain.expect("PEM"), key)
}

/// Sessions of one host for all: what rustls itself would not do.
#[derive(Debug)]
struct OneForAll(ClientSessionMemoryCache);

fn nobody() -> ServerName<'static> {
    ServerName::try_from("one.test").expect("a name")
}

impl ClientSessionStore for OneForAll {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(nobody(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&nobody())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(nobody(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&nobody())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&nobody());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(nobody(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&nobody())
    }
}

struct RustlsClient;

impl RustlsClient {
    /// One connection, with the sessions of `config`.
    fn visit(hosts: &Hosts, config: ClientConfig, visit: Visit) -> io::Result<Printed> {
        let name = match visit.name {
            // An address is verified and not sent.
            "" => "127.0.0.1",
            name => name,
        };
        let name = ServerName::try_from(name).expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let socket = TcpStream::connect(hosts.address())?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        // An end without a goodbye would be an error.
        stream.read_to_string(&mut answer)?;
        let connection = &stream.conn;
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        for own in [
            format!(" version={} ", version_name(connection.protocol_version())),
            format!(" resumed={} ", if resumed { "yes" } else { "no" }),
        ] {
            assert!(answer.contains(&own), "{own:?} is not in {answer:?}");
        }
        Ok(answer)
    }

    fn ask(hosts: &Hosts, ask: &Ask) -> Printed {
        // The store knows which verifier and which certificates a session is of, so all
        // visits have the same of both.
        let papers = &hosts.papers;
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder
            .with_protocol_versions(&[version(ask.version)])
            .expect("versions")
            .with_root_certificates(roots(papers));
        let mut config = match ask.last().certificate {
            "" => builder.with_no_client_auth(),
            name => {
                let (chain, key) = identity(papers, name);
                builder.with_client_auth_cert(chain, key).expect("a key")
            }
        };
        if ask.alpn {
            config.alpn_protocols = protocols(&["pop3", "http/1.1"]);
        }
        config.resumption =
            Resumption::store(Arc::new(OneForAll(ClientSessionMemoryCache::new(4))));
        let mut printed = Printed::new();
        for visit in &ask.visits {
            printed = Self::visit(hosts, config.clone(), *visit)
                .unwrap_or_else(|error| format!("refused: {error}"));
        }
        printed
    }
}

impl Client for RustlsClient {
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        asks.iter().map(|ask| Self::ask(hosts, ask)).collect()
    }
}

#[test]
fn a_rustls_client_finds_two_hosts_and_no_way_in_between() {
    table::check(&RustlsClient, 21);
}

/// A server on a thread, until it has accepted a connection that says nothing.
struct RustlsServer {
    port: u16,
    printed: Arc<Mutex<String>>,
}

impl RustlsServer {
    fn start(papers: &Papers, terms: &Terms) -> RustlsServer {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = if terms.demand {
            let roots = Arc::new(roots(papers));
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let (chain, key) = identity(papers, terms.certificate);
        let mut config = builder.with_single_cert(chain, key).expect("an identity");
        config.alpn_protocols = protocols(&PROTOCOLS);
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let port = listener.local_addr().expect("an address").port();
        let printed = Arc::<Mutex<String>>::default();
        let log = printed.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).expect("a connection");
                let stream = StreamOwned::new(connection, socket.expect("a connection"));
                if let Err(error) = answer(stream) {
                    let mut log = log.lock().expect("no panic");
                    fmt::Write::write_fmt(&mut *log, format_args!("{error}\n")).expect("a string");
                }
            }
        });
        RustlsServer { port, printed }
    }
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        line.clear();
    }
    let connection = &stream.conn;
    let text =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let told = hosts::line(
        "rustls",
        match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => Version::Tls12,
            _ => Version::Tls13,
        },
        &text(connection.alpn_protocol()),
        connection.server_name().unwrap_or_default(),
        connection.handshake_kind() == Some(HandshakeKind::Resumed),
        // The verifier has let nobody else in.
        connection.peer_certificates().map_or("", |_| "alice"),
    );
    write!(stream, "HTTP/1.0 200 OK\r\n\r\n{told}\n")?;
    stream.conn.send_close_notify();
    stream.flush()
}

impl Server for RustlsServer {
    type Socket = TcpStream;

    fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the server listens")
    }

    fn told(&self, page: &str) -> Told {
        Told::from_line(page)
    }

    fn printed(&self) -> String {
        self.printed.lock().expect("no panic").clone()
    }

    fn refuses(&self, fetched: &Result<String, Error>) -> bool {
        matches!(fetched, Err(Error::Peer(_)))
    }
}

#[test]
fn a_rustls_server_sees_what_we_offer() {
    served::check(RustlsServer::start);
}
