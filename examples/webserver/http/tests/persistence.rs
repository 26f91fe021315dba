//! Which connections go on, pipelining, and the buffers meanwhile.

use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn when_a_connection_goes_on() {
    let goes_on = |version: &str, option: &str| {
        let request = format!("GET /hello HTTP/{version}\r\nHost: x\r\n{option}\r\n");
        let outcome = converse(request.repeat(2));
        let head = outcome.responses()[0].head.clone();
        let count = outcome.responses().len();
        assert_eq!(
            head.contains("connection: close"),
            count == 1,
            "{version} {option}"
        );
        assert_eq!(
            head.contains("connection: keep-alive"),
            count == 2 && version == "1.0",
            "{version} {option}"
        );
        count == 2
    };
    assert!(goes_on("1.1", ""));
    assert!(!goes_on("1.1", "Connection: close\r\n"));
    assert!(!goes_on("1.1", "connection: Upgrade, CLOSE\r\n"));
    assert!(!goes_on(
        "1.1",
        "Connection: upgrade\r\nConnection: close\r\n"
    ));
    assert!(!goes_on("1.1", "Connection: keep-alive, close\r\n"));
    assert!(goes_on("1.1", "Connection: keep-alive\r\n"));
    assert!(!goes_on("1.0", ""));
    assert!(goes_on("1.0", "Connection: Keep-Alive\r\n"));
    assert!(!goes_on("1.0", "Connection: close\r\n"));
}

#[test]
fn pipelined_responses_come_in_order_and_in_one_write() {
    let mut input = String::new();
    for n in 0..20 {
        let path = ["/hello", "/nowhere", "/echo"][n % 3];
        let body = if n % 3 == 2 {
            format!("Content-Length: 2\r\n\r\n{n:02}")
        } else {
            "\r\n".into()
        };
        input += &format!("POST {path} HTTP/1.1\r\nHost: x\r\n{body}");
    }
    let outcome = converse_in(input.as_bytes(), usize::MAX, false, Settings::default());
    let replies = outcome.responses();
    assert_eq!(replies.len(), 20);
    for (n, reply) in replies.iter().enumerate() {
        match n % 3 {
            0 => assert_eq!(reply.body, b"Hello, world!"),
            1 => assert_eq!(reply.status, 404),
            _ => assert_eq!(reply.body, format!("{n:02}").as_bytes()),
        }
    }
    // What arrived in one read is answered in one write. The first read is a small one, and may end
    // in a body, of which the rest is then read by itself.
    assert!(outcome.writes <= 3, "{} writes", outcome.writes);

    let bytewise = converse_in(input.as_bytes(), 1, false, Settings::default());
    assert_eq!(bytewise.statuses(), outcome.statuses());
}

/// A peer that sends one and a half requests gets the response to the first one.
#[test]
fn a_response_does_not_wait_for_the_rest_of_the_next_request() {
    let input = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hel";
    let outcome = converse_in(input, usize::MAX, true, settings());
    assert_eq!(outcome.statuses(), [200, 408]);
    assert_eq!(outcome.writes, 2, "the first response left before the read");
}

#[test]
fn a_draining_server_says_that_this_was_the_last_response() {
    let settings = Settings {
        draining: Box::new(AtomicBool::new(true)),
        ..settings()
    };
    let input = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    let outcome = converse_in(input.as_bytes(), usize::MAX, false, settings);
    assert_eq!(outcome.statuses(), [200]);
    assert!(outcome.responses()[0].head.contains("connection: close"));
}

/// Buffers stay while requests follow one another; a silence gives them back.
#[test]
fn a_silent_connection_gives_its_buffers_back() {
    const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut script = Script {
        input: HELLO,
        piece: usize::MAX,
        silent: true,
        written: Vec::new(),
    };
    let mut connection = Connection::new(&mut script, Arc::new(settings()));
    for _ in 0..2 {
        connection.wire.stream.input = HELLO;
        assert!(connection.wait().unwrap());
        connection.read_request().unwrap();
        assert!(connection.answer(route).unwrap());
        connection.flush().unwrap();
        assert!(connection.request.bytes.capacity() > 0);
        assert!(connection.wire.output.capacity() > 0);
        let silence = connection.wait().unwrap_err();
        assert_eq!(silence.kind(), io::ErrorKind::TimedOut);
        assert_eq!(connection.request.bytes.capacity(), 0);
        assert_eq!(connection.wire.output.capacity(), 0);
    }
    assert_eq!(script.written.len(), 2);
}

/// A stream that fails ends the connection with the error, and nothing is written after it.
#[test]
fn a_failing_stream_ends_the_connection() {
    struct Fails<'i> {
        input: &'i [u8],
        writes: usize,
    }
    impl Read for Fails<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            match self.input.read(target)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }
    impl Write for Fails<'_> {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let cases: [(&[u8], io::ErrorKind, usize); 4] = [
        (b"", io::ErrorKind::ConnectionReset, 0),
        (b"GET /hello HT", io::ErrorKind::ConnectionReset, 0),
        (
            b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
            io::ErrorKind::BrokenPipe,
            1,
        ),
        (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello",
            io::ErrorKind::ConnectionReset,
            0,
        ),
    ];
    for (input, kind, writes) in cases {
        let mut stream = Fails { input, writes: 0 };
        assert_eq!(serve(&mut stream, settings()).unwrap_err().kind(), kind);
        assert_eq!(stream.writes, writes);
    }
}

/// A write that takes a part at a time still sends everything, once.
#[test]
fn short_writes() {
    struct Dribble<'i> {
        input: &'i [u8],
        output: Vec<u8>,
    }
    impl Read for Dribble<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            self.input.read(target)
        }
    }
    impl Write for Dribble<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(7);
            self.output.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut input = b"POST /copy HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n".to_vec();
    input.extend(std::iter::repeat_n(b'y', 50_000));
    let mut stream = Dribble {
        input: &input,
        output: Vec::new(),
    };
    serve(&mut stream, Settings::default()).unwrap();
    let (reply, rest) = Reply::parse(&stream.output, Method::Get);
    assert_eq!(reply.body, vec![b'y'; 50_000]);
    assert!(rest.is_empty());
}

#[test]
fn dates() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let parsed = crate::http::parse_date(date).unwrap();
    assert_eq!(crate::http::format_date(parsed), date);
    assert_eq!(
        crate::http::parse_date("Sunday, 06-Nov-94 08:49:37 GMT"),
        Some(parsed)
    );
    assert_eq!(crate::http::parse_date("yesterday"), None);
    let before = std::time::UNIX_EPOCH - std::time::Duration::from_secs(1);
    assert_eq!(
        crate::http::format_date(before),
        "Thu, 01 Jan 1970 00:00:00 GMT"
    );
}
