//! Engines that give their rings back while they wait.

use greenling_tls::{EngineError, RingSizes, Version, Want};

use crate::support::{VERSIONS, carry, engines, pattern, shake_hands};

#[test]
fn a_record_cut_after_each_of_its_first_bytes_survives_parking() {
    for version in VERSIONS {
        let (mut server, mut client) = engines(version, RingSizes::default());
        shake_hands(&mut server, &mut client);
        let mut buf = [0; 200];
        assert!(client.read(&mut buf).is_err(), "takes the tickets");
        for cut in 1..=6 {
            assert!(client.park(), "nothing is under way");
            client.write(b"a question").expect("write");
            carry(&mut client, &mut server, usize::MAX);
            assert_eq!(server.read(&mut buf).expect("the question"), 10);
            assert!(server.park());

            // The beginning of a record arrives; OpenSSL takes it out of the ring.
            client.write(&pattern(150)).expect("write");
            assert_eq!(carry(&mut client, &mut server, cut), cut);
            assert!(matches!(
                server.read(&mut buf),
                Err(EngineError::Want(Want::Read))
            ));
            assert_eq!(server.in_pending(), 0);
            // The rings may go; the bytes that OpenSSL holds must not.
            assert!(server.park());
            assert!(server.is_parked());
            carry(&mut client, &mut server, usize::MAX);
            assert_eq!(server.read(&mut buf).expect("the record"), 150);
            assert_eq!(buf[..150], pattern(150)[..]);

            server.write(b"an answer").expect("write");
            carry(&mut server, &mut client, usize::MAX);
            assert_eq!(client.read(&mut buf).expect("the answer"), 9);
        }
    }
}

#[test]
fn rings_stay_while_something_is_in_them() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    client.write(b"x").expect("write");
    assert!(!client.park(), "unsent");
    carry(&mut client, &mut server, 3);
    assert!(!server.park(), "unread");
    carry(&mut client, &mut server, usize::MAX);
    assert_eq!(server.read(&mut [0; 5]).expect("byte"), 1);
    assert!(server.park());
    // The end of input is remembered by the rings.
    server.close_in();
    assert!(!server.park());
}

#[test]
fn rings_stay_once_a_pointer_to_them_was_given_away() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    assert!(client.read(&mut [0; 1]).is_err(), "takes the tickets");
    assert!(!server.network_bio_ptr().is_null());
    assert!(!server.park());
    assert!(!server.as_ssl_ptr().is_null());
    assert!(!server.set_rings(RingSizes::BULK));
    assert!(client.park());
}

#[test]
fn rings_can_be_exchanged_between_records() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    assert!(client.read(&mut [0; 1]).is_err(), "takes the tickets");
    assert!(client.set_rings(RingSizes::BULK));
    let data = pattern(60_000);
    let mut sent = 0;
    while sent < data.len() && client.has_room_for(data.len() - sent) {
        sent += client.write(&data[sent..]).expect("write");
    }
    assert!(sent >= 48 * 1024, "three records fit: {sent}");
    assert!(!client.set_rings(RingSizes::RECORD), "they are full");
    let mut got = Vec::new();
    let mut buf = [0; 4096];
    while got.len() < sent {
        carry(&mut client, &mut server, usize::MAX);
        if let Ok(n) = server.read(&mut buf) {
            got.extend_from_slice(&buf[..n]);
        }
    }
    assert_eq!(got, data[..sent]);
    assert!(client.set_rings(RingSizes::RECORD));
}

/// What a connection without rings is asked for is done or refused as with them.
#[test]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC takes one key update after another"
)]
fn requests_of_a_parked_connection_are_answered() {
    let (mut server, mut client) = engines(Version::Tls13, RingSizes::default());
    shake_hands(&mut server, &mut client);
    client.write(b"in two parts").expect("write");
    carry(&mut client, &mut server, 3);
    // The last that OpenSSL did was to wait for input, which is no reason for
    // anything below.
    let mut buf = [0; 20];
    assert!(server.read(&mut buf).is_err());
    assert!(server.park());
    server.key_update(true).expect("done");
    assert!(server.new_session_ticket().is_err(), "one thing at a time");
    assert!(server.verify_client_post_handshake().is_err());
    assert!(server.renegotiate().is_err());
    assert!(server.is_parked());
    carry(&mut client, &mut server, usize::MAX);
    assert_eq!(server.read(&mut buf).expect("unharmed"), 12);
}
