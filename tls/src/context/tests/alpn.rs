//! Application protocols.

use super::*;
use crate::error::Alert;

#[test]
fn the_server_picks_the_first_of_its_own_that_the_client_offers() {
    let (_ca, client, server) = certified();
    let server = server.alpn(["h2", "http/1.1"]).build().unwrap();
    let client = client.alpn(["http/1.0", "http/1.1", "h2"]).build().unwrap();
    let pair = Pair::new(&client, "localhost", &server).connect();
    assert_eq!(pair.client.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(pair.server.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
}

#[test]
fn without_a_common_protocol_the_client_is_refused_with_the_right_alert() {
    let (_ca, client, server) = certified();
    let server = server.alpn(["h2"]).build().unwrap();
    let client = client.alpn(["http/1.1"]).build().unwrap();
    let (client, server) = Pair::new(&client, "localhost", &server).handshake();
    assert!(
        matches!(client, Err(Error::Peer(Alert::NO_APPLICATION_PROTOCOL))),
        "client: {client:?}"
    );
    assert!(matches!(server, Err(Error::Ssl(_))), "server: {server:?}");
}

#[test]
fn a_lenient_server_goes_on_without_a_protocol() {
    let (_ca, client, server) = certified();
    let server = server.alpn(["h2"]).alpn_lenient().build().unwrap();
    let client = client.alpn(["http/1.1"]).build().unwrap();
    let pair = Pair::new(&client, "localhost", &server).connect();
    assert_eq!(pair.client.ssl().selected_alpn_protocol(), None);
}

#[test]
fn a_client_without_alpn_is_served() {
    let (_ca, client, server) = certified();
    let server = server.alpn(["h2"]).build().unwrap();
    let pair = Pair::new(&client.build().unwrap(), "localhost", &server).connect();
    assert_eq!(pair.server.ssl().selected_alpn_protocol(), None);
}
