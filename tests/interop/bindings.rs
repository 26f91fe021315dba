//! What both ends derive from one connection, as `openssl s_client` and Python
//! tell it: exported keys, channel bindings, sessions.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::{self, JoinHandle};

use greenling_tls::{ChannelBinding, ContextBuilder, Session, TlsStream, Version};
use tests::tools;

use super::Certificates;

const VERSIONS: [(&str, Version); 2] = [("1_2", Version::Tls12), ("1_3", Version::Tls13)];

/// Serves one connection on a thread.
fn serve<R: Send + 'static>(
    certificates: &Certificates,
    version: Version,
    f: impl FnOnce(TlsStream<TcpStream>) -> R + Send + 'static,
) -> (u16, JoinHandle<R>) {
    let identity = certificates.ca.issue(&["localhost"]).expect("identity");
    let context = ContextBuilder::server()
        .versions(version..=version)
        .identity(identity)
        .build()
        .expect("context");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = listener.local_addr().expect("address").port();
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("accept");
        f(TlsStream::accept(&context, socket).expect("handshake"))
    });
    (port, thread)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn openssl_exports_the_same_material_and_master_key() {
    let certificates = Certificates::new();
    for (option, version) in VERSIONS {
        let Some(openssl) = tools::find("s_client exporter", "openssl") else {
            return;
        };
        let (port, serving) = serve(&certificates, version, |mut stream| {
            let material = stream
                .export_keying_material("EXPORTER-interop", None, 33)
                .expect("keys");
            // The client's part is to print.
            stream.read_to_end(&mut Vec::new()).expect("read");
            let master = stream.export_master_key().expect("a master key");
            (hex(&material), hex(&master))
        });
        let mut command = Command::new(openssl);
        command
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
            .args([
                "-keymatexport",
                "EXPORTER-interop",
                "-keymatexportlen",
                "33",
            ])
            .arg(format!("-tls{option}"));
        let text = tools::run(&mut command, b"").text();
        let (material, master) = serving.join().expect("no panic");
        let printed = format!("Keying material: {}", material.to_uppercase());
        assert!(text.contains(&printed), "{printed}\n{text}");
        if version == Version::Tls12 {
            let printed = format!("Master-Key: {}", master.to_uppercase());
            assert!(text.contains(&printed), "{printed}\n{text}");
        }
    }
}

#[test]
fn python_finds_the_same_channel_bindings_and_suite() {
    let certificates = Certificates::new();
    for (name, version) in VERSIONS {
        let Some(python) = tools::find("Python's channel bindings", "python3") else {
            return;
        };
        let (port, serving) = serve(&certificates, version, |mut stream| {
            let mut told = String::new();
            stream.read_to_string(&mut told).expect("read");
            let unique = stream.channel_binding(ChannelBinding::TlsUnique);
            let end_point = stream.channel_binding(ChannelBinding::TlsServerEndPoint);
            let cipher = stream.cipher().expect("a suite");
            stream.close().expect("close");
            let ours = [
                unique.map_or_else(|_| String::new(), |bytes| hex(&bytes)),
                hex(&end_point.expect("defined")),
                cipher.name().to_owned(),
                cipher.version().to_owned(),
                cipher.bits().to_string(),
            ];
            (told, ours)
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/bindings.py");
        let mut command = Command::new(python);
        command
            .args([script, &port.to_string(), &format!("TLSv{name}")])
            .arg(certificates.file("ca.pem"));
        tools::run(&mut command, b"").success();
        let (told, ours) = serving.join().expect("no panic");
        let told: Vec<&str> = told.lines().collect();
        assert_eq!(told, ours);
        assert_eq!(told[0].is_empty(), version == Version::Tls13);
    }
}

#[test]
fn openssl_reads_an_exported_session_and_we_read_its() {
    let certificates = Certificates::new();
    let Some(openssl) = tools::find("exported sessions", "openssl") else {
        return;
    };
    let version = Version::Tls12;
    let client = ContextBuilder::client()
        .versions(version..=version)
        .trust_pem(certificates.ca.root_pem().expect("PEM"))
        .build()
        .expect("context");
    let (port, serving) = serve(&certificates, version, |mut stream| {
        stream.read_to_end(&mut Vec::new()).expect("read");
        stream.close().expect("close");
    });
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
    let stream = TlsStream::connect(&client, "localhost", socket).expect("handshake");
    let session = stream.session().expect("a ticket came");
    stream.close().expect("close");
    serving.join().expect("no panic");

    let convert = |input: &[u8], from: &str, to: &str| {
        let mut command = Command::new(&openssl);
        command.args(["sess_id", "-inform", from, "-outform", to, "-text"]);
        tools::run(&mut command, input).success()
    };
    let exported = session.export().expect("DER");
    let done = convert(&exported, "DER", "PEM");
    let text = done.text();
    let id = format!("Session-ID: {}", hex(session.id()).to_uppercase());
    assert!(text.contains(&id), "{id}\n{text}");
    let hint = session.ticket_lifetime_hint().expect("a ticket");
    let hint = format!("lifetime hint: {} (seconds)", hint.as_secs());
    assert!(text.contains(&hint), "{hint}\n{text}");
    assert!(text.contains("Protocol  : TLSv1.2"), "{text}");

    let mut command = Command::new(&openssl);
    command.args(["sess_id", "-inform", "DER", "-outform", "DER"]);
    let back = tools::run(&mut command, &exported).success().stdout;
    let again = Session::import(&client, Some("localhost"), &back).expect("a session");
    assert_eq!(again.id(), session.id());
}
