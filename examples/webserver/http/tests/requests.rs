//! What is accepted as a request, and what each refused one is told.

use super::*;

#[test]
fn hello() {
    let outcome = converse("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    let replies = outcome.responses();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].body, b"Hello, world!");
    assert_eq!(outcome.writes, 1, "head and body leave in one write");
    let head = &replies[0].head;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nserver: greenling\r\ndate: "),
        "{head}"
    );
    assert!(head.contains("\r\ncontent-length: 13\r\n"), "{head}");
    assert!(!head.contains("connection:"), "{head}");
}

/// Every request here is refused with the status in front of it and ends its connection, so that
/// the request behind it is never answered, however the bytes arrive.
#[test]
fn bad_requests_are_refused_and_end_the_connection() {
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(600));
    let long_field = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(3000)
    );
    let many_fields = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "X: y\r\n".repeat(101)
    );
    let extensions = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(2000));
    let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let with_chunks = |body: &str| format!("{chunked}{body}");
    let with_length = |value: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:{value}\r\n\r\nhello")
    };
    let with_coding = |value: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:{value}\r\n\r\n0\r\n\r\n")
    };
    let corpus: Vec<(u16, String)> = [
        // The request line.
        (400, "GET\r\n\r\n"),
        (400, "GET /\r\n\r\n"),
        (400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "G\u{7f}T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET / HTTX/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
        (400, "GET /\u{e9} HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET /#part HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET hello HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET http:///path HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "GET http://user@x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}"),
        (501, "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
        (505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        (505, "GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
        (505, "GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
        (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (414, &long_target),
        (414, &long_target[..580]),
        // Header fields.
        (431, &long_field),
        (431, &long_field[..2500]),
        (431, &many_fields),
        (400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nX-Fold: a\r\n b\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\n: nameless\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nX-Nul: a\0b\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nX-Cr: a\rb\r\n\r\n"),
        (400, "GET / HTTP/1.1\nHost: x\n\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\nX-Bare: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\n\n"),
        (400, "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        // Host.
        (400, "GET / HTTP/1.1\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n"),
        (400, "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
        (400, "GET http://x/ HTTP/1.1\r\n\r\n"),
        // Two framings, or none that is certain.
        (400, &format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n{}", &chunked[30..])),
        (
            400,
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n\
             0\r\n\r\n",
        ),
        (
            400,
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ),
        (
            400,
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (400, &with_length("")),
        (400, &with_length(" 5, 5")),
        (400, &with_length(" +5")),
        (400, &with_length(" -5")),
        (400, &with_length(" 0x5")),
        (400, &with_length(" 5 5")),
        (400, &with_length(" 5.0")),
        (400, &with_length(" 18446744073709551616")),
        (400, &with_coding(" identity")),
        (400, &with_coding(" gzip")),
        (400, &with_coding(" gzip, chunked")),
        (400, &with_coding(" chunked, identity")),
        (400, &with_coding(" chunked, chunked")),
        (400, &with_coding(" xchunked")),
        (400, &with_coding(" \"chunked\"")),
        (400, &with_coding(" chunked\r\nTransfer-Encoding: chunked")),
        (400, &with_coding(" \u{b}chunked")),
        (400, &with_coding("")),
        (400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (413, &with_length(" 10001")),
        (413, &with_length(" 18446744073709551615")),
        (417, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: a pony\r\nContent-Length: 5\r\n\r\nhello"),
        // Chunked bodies.
        (400, &with_chunks("\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("g\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("0x5\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("-5\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("+5\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks(" 5\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5 \r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5 ;a\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5\r\nhello\n0\r\n\r\n")),
        (400, &with_chunks("5\rhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5;a\rb\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("5;a\nb\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("4\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("6\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("10000000000000005\r\nhello\r\n0\r\n\r\n")),
        (400, &with_chunks("00000000000000005\r\nhello\r\n0\r\n\r\n")),
        (413, &with_chunks("ffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
        (413, &with_chunks("2711\r\nhello")),
        (413, &with_chunks("5\r\nhello\r\n270c\r\nhello")),
        (400, &with_chunks(&extensions)),
        (400, &with_chunks("5\r\nhello\r\n0\r\nX: y\n\r\n")),
        (400, &with_chunks("5\r\nhello\r\n0\r\nno colon\r\n\r\n")),
        (400, &with_chunks("5\r\nhello\r\n0\r\nX : y\r\n\r\n")),
        (400, &with_chunks(&format!("0\r\n{}\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(400)))),
        (400, &with_chunks(&format!("{}0\r\n\r\n", "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(2000)))),
    ]
    .into_iter()
    .map(|(status, request)| (status, request.to_owned()))
    .collect();

    for (status, request) in corpus {
        for piece in [1, 7, usize::MAX] {
            let behind = format!("{request}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            let outcome = converse_in(behind.as_bytes(), piece, false, settings());
            let shown = &request[..request.len().min(200)];
            assert_eq!(
                outcome.statuses(),
                [status],
                "{shown:?} in pieces of {piece}"
            );
            let head = &outcome.responses()[0].head;
            assert!(
                head.contains("\r\nconnection: close\r\n"),
                "{shown:?}: {head}"
            );
        }
    }
}

/// What follows a refused request has not been taken for a body, nor has the latter been waited
/// for.
#[test]
fn a_refused_head_is_not_followed_by_a_read() {
    let outcome = converse_in(
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\nExpect: 100-continue\r\n\r\n",
        usize::MAX,
        true,
        settings(),
    );
    assert_eq!(outcome.statuses(), [413]);
}

#[test]
fn good_requests_are_accepted() {
    let corpus = [
        "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /hello?a=b&c HTTP/1.1\r\nhOsT: x\r\n\r\n",
        "\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nX-Latin: \u{e9}\r\nX-Tab: a\tb\r\n\r\n",
        "GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET HTTPS://other:1/hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /hello HTTP/1.0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
    ];
    for request in corpus {
        for piece in [1, usize::MAX] {
            let outcome = converse_in(request.as_bytes(), piece, false, settings());
            assert_eq!(
                outcome.statuses(),
                [200],
                "{request:?} in pieces of {piece}"
            );
        }
    }
}

#[test]
fn an_absolute_target_without_a_path_asks_for_the_root() {
    for target in ["http://x", "http://x?query"] {
        let outcome = converse(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(outcome.statuses(), [404], "{target}");
    }
}

#[test]
fn the_head_is_handed_over_as_it_was_sent() {
    let input =
        b"PATCH /a%20b?c=d?e HTTP/1.1\r\nHost: x\r\nX-One:  1 \r\nx-two: 2\r\nX-One: 3\r\n\r\n";
    let mut script = Script {
        input,
        piece: 5,
        silent: false,
        written: Vec::new(),
    };
    let mut connection = Connection::new(&mut script, Arc::new(settings()));
    assert!(connection.wait().unwrap());
    connection.read_request().unwrap();
    connection
        .answer(|request, exchange| {
            assert_eq!(request.method(), Method::Other);
            assert!(!request.is_get());
            assert_eq!(request.path(), "/a%20b");
            assert_eq!(request.query(), Some("c=d?e"));
            assert_eq!(request.header("x-one"), Some(&b"1"[..]));
            assert_eq!(request.header_str("X-TWO"), Some("2"));
            assert_eq!(request.header("x-three"), None);
            assert_eq!(request.headers().count(), 4);
            exchange.respond_plainly(Status::OK)
        })
        .unwrap();
}

/// A valid request that ends at any earlier byte is not answered, and one that then stops coming is
/// told that it took too long.
#[test]
fn every_cut_of_a_head() {
    let whole = b"GET /hello?x HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n";
    for cut in 1..whole.len() {
        let ended = converse(&whole[..cut]);
        assert!(
            ended.output.is_empty(),
            "cut at {cut}: {:?}",
            ended.statuses()
        );
        let stalled = converse_in(&whole[..cut], 3, true, settings());
        assert_eq!(stalled.statuses(), [408], "cut at {cut}");
    }
    let silent = converse_in(b"", 3, true, settings());
    assert!(
        silent.output.is_empty(),
        "a connection that asked for nothing is told nothing"
    );
}

/// No bytes make the parser panic or loop: a valid request with any one byte replaced by any other.
#[test]
fn every_single_byte_damage() {
    let whole = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: v\r\n\r\n";
    for at in 0..whole.len() {
        let mut damaged = whole.to_vec();
        for byte in 0..=u8::MAX {
            damaged[at] = byte;
            // Damage to a method or name may leave a valid request; at most one is answered, since
            // what is left over after it never amounts to another one.
            let outcome = converse(&damaged);
            let complete = outcome.statuses();
            assert!(
                complete.iter().filter(|&&status| status == 200).count() <= 1,
                "{:?}: {complete:?}",
                String::from_utf8_lossy(&damaged)
            );
        }
    }
}
