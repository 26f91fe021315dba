//! Application protocols: lists and a function that chooses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use greenling_tls::{Alert, AlpnChoice, ConnectionView, ContextBuilder, Error};

use super::support::*;

fn client() -> ContextBuilder {
    super::support::client().alpn(["h2", "http/1.1"])
}

/// What the client ends up with.
fn chosen(server: ContextBuilder) -> Option<Vec<u8>> {
    let pair = Pair::connected(client(), server);
    pair.client.alpn_protocol().map(<[u8]>::to_vec)
}

#[test]
fn the_servers_list_decides_and_a_lenient_server_goes_on_without() {
    assert_eq!(
        chosen(server().alpn(["http/1.1", "h2"])).unwrap(),
        b"http/1.1"
    );
    assert_eq!(chosen(server()), None);
    let (told, _) = Pair::results(client(), server().alpn(["smtp"]));
    assert_eq!(alert(told), Alert::NO_APPLICATION_PROTOCOL);
    assert_eq!(chosen(server().alpn(["smtp"]).alpn_lenient()), None);
    // A client that does not take part is served in any case.
    Pair::connected(super::support::client(), server().alpn(["smtp"]));
}

#[test]
fn a_function_may_decide_instead() {
    type Choose = fn(ConnectionView<'_>, &[&[u8]]) -> AlpnChoice;
    let last: Choose = |_, offered| AlpnChoice::Select(offered.last().unwrap().to_vec());
    assert_eq!(
        chosen(server().alpn(["h2"]).alpn_select(last)).unwrap(),
        b"http/1.1"
    );
    let none: Choose = |_, _| AlpnChoice::NoOverlap;
    assert_eq!(chosen(server().alpn_select(none)), None);
    for refuse in [(|_, _| AlpnChoice::Refuse) as Choose, |_, _| {
        AlpnChoice::Select(b"not offered".to_vec())
    }] {
        let (told, _) = Pair::results(client(), server().alpn_select(refuse));
        assert_eq!(alert(told), Alert::NO_APPLICATION_PROTOCOL);
    }
    match client().alpn_select(none).build() {
        Err(Error::Config(error)) => assert_eq!(error.subject(), "alpn_select"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_function_knows_which_name_was_asked_for() {
    let by_name = |connection: ConnectionView<'_>, _: &[&[u8]]| match connection.server_name() {
        Some(NAME) => AlpnChoice::Select(b"h2".to_vec()),
        _ => AlpnChoice::Refuse,
    };
    assert_eq!(chosen(server().alpn_select(by_name)).unwrap(), b"h2");
}

#[test]
fn a_function_that_panics_refuses() {
    let server = server()
        .alpn_select(|_, _| std::panic::resume_unwind(Box::new("no choice")))
        .build()
        .unwrap();
    let mut pair = Pair::new(&client().build().unwrap(), &server);
    let caught = catch_unwind(AssertUnwindSafe(|| pair.handshake()));
    let payload = caught.expect_err("the panic is not swallowed");
    assert_eq!(payload.downcast_ref(), Some(&"no choice"));
    let (told, _) = pair.handshake();
    assert_eq!(alert(told), Alert::NO_APPLICATION_PROTOCOL);
}
