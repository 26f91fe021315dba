//! The names of authorities that a server sends (pyOpenSSL TestMemoryBIO, its tests of
//! the client CA list).

use greenling_tls::crypto::{Name, TestCa};
use greenling_tls::{ClientAuth, ContextBuilder};
use openssl::x509::X509;

use crate::support::{Pair, VERSIONS, client_builder, server_builder};

/// The common names that a client is told by the server that `configure` makes.
fn told(configure: impl Fn(ContextBuilder) -> ContextBuilder) -> Vec<String> {
    let told = VERSIONS.map(|version| {
        let server = server_builder(version).client_auth(ClientAuth::Optional);
        let server = configure(server).build().expect("a context");
        let client = client_builder(version).build().expect("a context");
        let mut pair = Pair::new(&server, &client);
        pair.connect();
        let names = pair.client.tls.with_engine(|engine| engine.peer_ca_names());
        let text = |name: &Name| name.common_name().expect("a common name");
        names.iter().map(text).collect::<Vec<String>>()
    });
    let [with_12, with_13] = told;
    assert_eq!(with_12, with_13);
    with_12
}

fn pem(authority: &TestCa) -> Vec<u8> {
    authority.root_pem().expect("PEM")
}

#[test]
fn the_client_is_told_whose_certificates_the_server_takes() {
    let [one, two] = ["one", "two"].map(|name| TestCa::new(name).expect("an authority"));
    let name = |authority: &TestCa| {
        let root = X509::from_pem(&pem(authority)).expect("a certificate");
        root.subject_name().to_owned().expect("memory")
    };
    // Those it trusts, all of them.
    assert_eq!(told(|server| server.trust_pem(pem(&one))), ["one"]);
    let both = [pem(&one), pem(&two)].concat();
    assert_eq!(
        told(|server| server.trust_pem(both.clone())),
        ["one", "two"]
    );
    // Others, if it says so, or none.
    let named = |server: ContextBuilder| server.trust_pem(pem(&one)).client_ca_names([name(&two)]);
    assert_eq!(told(named), ["two"]);
    let silent = |server: ContextBuilder| server.trust_pem(pem(&one)).client_ca_names([]);
    assert_eq!(told(silent), [""; 0]);
}
