//! Request bodies in both framings, cut everywhere, and response bodies.

use super::*;

fn chunked(body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn a_body_is_echoed_however_it_is_cut() {
    let corpus = [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world".to_owned(),
        chunked("b\r\nhello world\r\n0\r\n\r\n"),
        chunked("5\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\n\r\n"),
        chunked("5;name=value\r\nhello\r\n6;x=\"y\"\r\n world\r\n00\r\n\r\n"),
        chunked("B\r\nhello world\r\n0;last\r\nTrailer: value\r\nAnother:\r\n\r\n"),
    ];
    for request in corpus {
        let input = format!("{request}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        for path in ["/echo", "/copy"] {
            let input = input.replacen("/echo", path, 1);
            for piece in 1..input.len() {
                let outcome = converse_in(input.as_bytes(), piece, false, settings());
                let replies = outcome.responses();
                assert_eq!(
                    outcome.statuses(),
                    [200, 200],
                    "{input:?} in pieces of {piece}"
                );
                assert_eq!(
                    replies[0].body, b"hello world",
                    "{input:?} in pieces of {piece}"
                );
                assert_eq!(replies[1].body, b"Hello, world!");
            }
        }
    }
}

#[test]
fn a_body_that_ends_early_is_refused_and_one_that_stalls_times_out() {
    let corpus = [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world".to_owned(),
        chunked("5\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n"),
    ];
    for request in corpus {
        let head = request.find("\r\n\r\n").unwrap() + 4;
        for cut in head..request.len() {
            let ended = converse(&request[..cut]);
            assert_eq!(ended.statuses(), [400], "{:?}", &request[..cut]);
            let stalled = converse_in(&request.as_bytes()[..cut], 4, true, settings());
            assert_eq!(stalled.statuses(), [408], "{:?}", &request[..cut]);
        }
    }
}

#[test]
fn a_large_body_streams_through() {
    let body: Vec<u8> = (0..9_999_u32).map(|n| (n % 251) as u8).collect();
    let mut input = b"POST /copy HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n".to_vec();
    input.extend_from_slice(&body);
    for piece in [1, 999, usize::MAX] {
        let outcome = converse_in(&input, piece, false, settings());
        assert_eq!(outcome.responses()[0].body, body);
    }
}

/// Framing that costs as much as its data is normal for small chunks.
#[test]
fn many_small_chunks_are_no_excess() {
    let outcome = converse(chunked(&format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(9_000))));
    assert_eq!(outcome.responses()[0].body, vec![b'x'; 9_000]);
}

#[test]
fn continue_is_sent_when_the_body_is_wanted_and_not_before() {
    let head =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    // A peer that waits: the pieces end where the head ends.
    let input = format!("{head}hello");
    let waiting = converse_in(input.as_bytes(), head.len(), false, settings());
    assert_eq!(waiting.statuses(), [100, 200]);
    assert_eq!(
        waiting.writes, 2,
        "the interim response is sent before the body is waited for"
    );
    // A peer that sent the body along with the head.
    assert_eq!(converse(&input).statuses(), [200]);
    // A handler that does not want it: the final status, and a close, for nobody can tell whether
    // the body will still be sent.
    let unwanted = input.replace("/echo", "/hello");
    let refused = converse_in(unwanted.as_bytes(), head.len() + 1, false, settings());
    assert_eq!(refused.statuses(), [200]);
    assert!(refused.responses()[0].head.contains("connection: close"));
    // HTTP/1.0 does not know the expectation.
    let old = head.replace("HTTP/1.1", "HTTP/1.0");
    let outcome = converse_in(
        format!("{old}hello").as_bytes(),
        old.len(),
        false,
        settings(),
    );
    assert_eq!(outcome.statuses(), [200]);
}

#[test]
fn an_unread_body_is_skipped_up_to_a_limit() {
    let next = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let short = format!(
        "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{}{next}",
        "G".repeat(1000)
    );
    let in_chunks = chunked(&format!("3e8\r\n{}\r\n0\r\n\r\n{next}", "G".repeat(1000)))
        .replace("/echo", "/hello");
    for input in [short, in_chunks] {
        for piece in [1, 100, usize::MAX] {
            let outcome = converse_in(input.as_bytes(), piece, false, settings());
            assert_eq!(outcome.statuses(), [200, 200]);
        }
    }
    let long = format!(
        "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{}{next}",
        "G".repeat(5000)
    );
    let outcome = converse_in(long.as_bytes(), 100, false, settings());
    assert_eq!(outcome.statuses(), [200]);
    assert!(outcome.responses()[0].head.contains("connection: close"));
    assert!(outcome.unread > 4000, "the body was not read");
    let long_chunks = chunked(&format!("7d0\r\n{}\r\n0\r\n\r\n{next}", "G".repeat(2000)))
        .replace("/echo", "/hello");
    assert_eq!(converse(long_chunks).statuses(), [200]);
    // The response stands; the malformed rest ends the connection.
    let malformed = chunked(&format!("zzz\r\n\r\n{next}")).replace("/echo", "/hello");
    assert_eq!(converse(malformed).statuses(), [200]);
}

#[test]
fn chunked_responses() {
    let outcome = converse("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(outcome.writes, 1);
    assert_eq!(outcome.responses()[0].body, b"one two");
    assert!(
        outcome
            .output
            .ends_with(b"\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")
    );
    // HTTP/1.0 has no chunks; the body ends with the connection.
    let old = converse(
        "GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n",
    );
    assert_eq!(old.statuses(), [200]);
    assert!(
        old.output
            .ends_with(b"\r\nconnection: close\r\n\r\none two")
    );
}

#[test]
fn head_gets_the_head_of_what_get_gets() {
    for path in ["/hello", "/chunks", "/copy", "/nowhere"] {
        let head = converse(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let get = converse(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let end = get
            .output
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap()
            + 4;
        let without_date = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines()
                .filter(|l| !l.starts_with("date: "))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(
            without_date(&head.output),
            without_date(&get.output[..end]),
            "{path}"
        );
    }
    // No body means that the next response follows at once.
    let two =
        converse("HEAD /cut HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    let (first, rest) = Reply::parse(&two.output, Method::Head);
    assert_eq!(first.status, 200);
    assert_eq!(Reply::parse(rest, Method::Get).0.body, b"Hello, world!");
}

#[test]
fn a_response_without_body_has_no_length() {
    let outcome = converse("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
    let text = String::from_utf8(outcome.output).unwrap();
    assert!(text.starts_with("HTTP/1.1 204 No Content\r\n"), "{text}");
    assert!(
        !text.contains("content-length") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn a_header_value_cannot_begin_another_field() {
    let outcome = converse("GET /headers HTTP/1.1\r\nHost: x\r\n\r\n");
    let head = &outcome.responses()[0].head;
    assert!(
        head.contains("\r\nx-from-peer: a  x-injected: b\r\n"),
        "{head}"
    );
}

#[test]
fn what_a_handler_leaves_undone() {
    let next = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let statuses =
        |path: &str| converse(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n{next}")).statuses();
    assert_eq!(statuses("/fails"), [500, 200]);
    assert_eq!(statuses("/silent"), [500, 200]);
    assert_eq!(statuses("/undecided"), [403, 200]);
    assert_eq!(statuses("/twice"), [200, 200]);
    // A response that was cut short must not be taken for whole: neither its end nor another
    // response follows it.
    let cut = converse(format!("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n{next}"));
    assert!(cut.output.ends_with(b"\r\n\r\nnot a hundred"));
    let cut = converse(format!("GET /cut-chunks HTTP/1.1\r\nHost: x\r\n\r\n{next}"));
    assert!(cut.output.ends_with(b"\r\n\r\n8\r\nand then\r\n"));
}
