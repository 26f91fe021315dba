//! Diffie-Hellman in finite fields, which is off unless asked for.

use greenling_tls::{Alert, ConfigErrorKind, ContextBuilder, Error, Version};

use super::support::*;

const SUITE: &str = "DHE-RSA-AES128-GCM-SHA256";
const SERVER_KEY_EXCHANGE: u8 = 12;

/// The group ffdhe2048 of RFC 7919.
const PARAMETERS: &str = "\
-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
";

/// A prime of 512 bits.
const WEAK: &str = "\
-----BEGIN DH PARAMETERS-----
MEYCQQDJhETKwqptVn2ZPpp7CDAYZ5Elhbs1bj8UA7cBHVXewu6Gn/fB9HE+Hx2w
yyA6G9tos805L+KrknAlJVXk/zCfAgEC
-----END DH PARAMETERS-----
";

fn dhe_client() -> ContextBuilder {
    client()
        .versions(Version::Tls12..=Version::Tls12)
        .ciphers12(SUITE)
}

/// The length in bits of the prime that the server has sent.
fn prime_bits(server: ContextBuilder) -> usize {
    let pair = Pair::connected(dhe_client(), server);
    assert_eq!(pair.client.cipher().unwrap().name(), SUITE);
    let exchange = message(&pair.server_sent, SERVER_KEY_EXCHANGE);
    usize::from(u16::from_be_bytes([exchange[0], exchange[1]])) * 8
}

#[test]
fn dhe_is_off_unless_it_is_asked_for() {
    let (told, _) = Pair::results(dhe_client(), rsa_server());
    assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE);
    assert_eq!(prime_bits(rsa_server().tmp_dh_auto()), 2048);
    assert_eq!(prime_bits(rsa_server().tmp_dh_pem(PARAMETERS)), 2048);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dh.pem");
    std::fs::write(&path, PARAMETERS).unwrap();
    assert_eq!(prime_bits(rsa_server().tmp_dh_file(path)), 2048);
}

#[test]
fn parameters_that_cannot_be_used_are_refused_with_their_file() {
    use ConfigErrorKind::{BadValue, Malformed, Rejected, Unreadable};
    for (builder, kind, subject) in [
        (
            rsa_server().tmp_dh_file("/nonexistent/dh"),
            Unreadable,
            "/nonexistent/dh",
        ),
        (rsa_server().tmp_dh_pem("nothing"), Malformed, "tmp_dh"),
        (rsa_server().tmp_dh_pem(WEAK), Rejected, "tmp_dh"),
        (client().tmp_dh_auto(), BadValue, "tmp_dh"),
    ] {
        match builder.build() {
            Err(Error::Config(error)) => {
                assert_eq!(error.kind(), kind, "{error}");
                assert_eq!(error.subject(), subject);
            }
            other => panic!("{other:?}"),
        }
    }
}
