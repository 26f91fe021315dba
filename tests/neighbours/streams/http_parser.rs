//! A server on `httparse`, whose clients send a byte at a time.

use crate::web::{Incoming, answer};
use greenling::net::TcpStream;
use greenling::schedule;
use neighbours::{Server, crowd};
use std::io::Write;
use tests::isolated;

fn serve(stream: TcpStream) {
    let mut incoming = Incoming::new(&stream);
    while let Some(request) = incoming.request().unwrap() {
        let (method, path, number) = (&request.method, &request.path, request.header("x-number"));
        let mut text = format!("{method} {path} {number} ").into_bytes();
        text.extend(request.body);
        answer(&stream, &text).unwrap();
    }
}

#[test]
fn two_hundred_clients_that_send_a_byte_at_a_time() {
    isolated(|| {
        let server = Server::start(serve);
        let address = server.address();
        crowd(200, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            let mut incoming = Incoming::new(&stream);
            for round in 0..2 {
                let request = format!(
                    "POST /round/{round} HTTP/1.1\r\nX-Number: {number}\r\n\
                     Content-Length: 4\r\n\r\n{number:04}"
                );
                for (at, byte) in request.bytes().enumerate() {
                    (&stream).write_all(&[byte]).unwrap();
                    schedule();
                    if (round, at) == (0, 30) {
                        // In the middle of a header.
                        midway.meet();
                    }
                }
                let expected = format!("POST /round/{round} {number} {number:04}");
                let (status, body) = incoming.response().unwrap();
                assert_eq!((status, body), (200, expected.into_bytes()));
            }
        });
        assert_eq!(server.finish(), 200);
    });
}
