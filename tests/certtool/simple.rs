//! What mk_simple_certs.py of the manual makes, and a connection by it.

use std::io::{Read, Write};
use std::net::TcpListener;

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslVerifyMode};
use tests::tools;

use crate::{Folder, assert_has};

#[test]
fn six_files_and_a_connection() {
    let Some(folder) = Folder::new("six_files_and_a_connection") else {
        return;
    };
    folder.certtool("simple --dir certs");
    for name in ["CA", "server", "client"] {
        assert_eq!(folder.mode(&format!("certs/{name}.pkey")), 0o600);
    }
    folder.openssl("verify -x509_strict -CAfile certs/CA.cert certs/server.cert certs/client.cert");
    assert_has(
        &folder.refused(3, "simple --dir certs"),
        &["certs/CA.pkey", "--force"],
    );

    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor
        .set_certificate_chain_file(folder.path("certs/server.cert"))
        .unwrap();
    acceptor
        .set_private_key_file(folder.path("certs/server.pkey"), SslFiletype::PEM)
        .unwrap();
    acceptor.set_ca_file(folder.path("certs/CA.cert")).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = acceptor.accept(socket).expect("a handshake");
        let mut word = [0; 5];
        stream.read_exact(&mut word).unwrap();
        let who = stream.ssl().peer_certificate().unwrap();
        stream
            .write_all(format!("{:?}", who.subject_name()).as_bytes())
            .unwrap();
        stream.shutdown().unwrap();
    });
    let line = format!(
        "s_client -connect 127.0.0.1:{port} -quiet -CAfile certs/CA.cert -verify_return_error \
         -verify_hostname localhost -cert certs/client.cert -key certs/client.pkey"
    );
    let mut client = folder.command(std::path::Path::new("openssl"), &line);
    let said = tools::run(&mut client, b"hello").text();
    server.join().expect("the server is content");
    assert_has(&said, &["Simple Client"]);
}
