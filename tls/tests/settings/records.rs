//! The sizes of records.

use greenling_tls::{ConfigErrorKind, ContextBuilder, Error, Version};

use super::support::*;

/// The lengths of the records that carry 20000 bytes to the client.
fn lengths(client: ContextBuilder, server: ContextBuilder) -> Vec<usize> {
    let mut pair = Pair::connected(client, server);
    let before = pair.server_sent.len();
    pair.serve(&[7; 20_000]);
    let records = records(&pair.server_sent[before..]);
    assert!(records.iter().all(|(kind, _)| *kind == DATA));
    records.iter().map(|(_, content)| content.len()).collect()
}

#[test]
fn records_are_as_large_as_the_protocol_allows_unless_told_otherwise() {
    for version in [Version::Tls12, Version::Tls13] {
        let client = || client().versions(version..=version);
        assert_eq!(lengths(client(), server()).len(), 2);

        let small = lengths(client(), server().max_send_fragment(1000));
        assert_eq!(small.len(), 20, "{version}");
        assert!(small.iter().all(|n| (1000..1100).contains(n)), "{small:?}");

        // The client's wish, which the server grants.
        let asked = lengths(client().max_fragment_length(512), server());
        assert_eq!(asked.len(), 40, "{version}");
        assert!(asked.iter().all(|n| *n < 600), "{asked:?}");
    }
}

#[test]
fn padding_hides_the_lengths_of_records_in_tls_1_3() {
    let mut pair = Pair::connected(client(), server().record_padding(256));
    for length in [1, 100, 200] {
        let before = pair.server_sent.len();
        pair.serve(&vec![7; length]);
        let sent = records(&pair.server_sent[before..]);
        let [(DATA, content)] = sent.as_slice() else {
            panic!("{sent:?}");
        };
        // The tag of the cipher is not padded.
        assert_eq!(content.len(), 256 + 16, "{length}");
    }
}

#[test]
fn sizes_that_do_not_exist_are_refused() {
    for builder in [
        client().max_send_fragment(511),
        client().max_send_fragment(16_385),
        client().max_send_fragment(usize::MAX),
        client().max_fragment_length(500),
        server().max_fragment_length(512),
        client().record_padding(16_385),
    ] {
        match builder.build() {
            Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::BadValue),
            other => panic!("{other:?}"),
        }
    }
}
