//! A server on `httparse`, whose clients send a byte at a time.

use greenling::net::TcpStream;
use greenling::{schedule, spawn};
use neighbours::crowd;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::listener;

/// More than any request of this file has.
const LONGEST: usize = 4096;

/// What a server of this file wants to know of a request.
struct Request {
    path: String,
    number: String,
}

/// Reads a request head and its body, `None` at the end of the connection.
fn read_request(
    stream: &TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<(Request, Vec<u8>)>> {
    loop {
        if let Some((request, length, body)) = parse(buffer)? {
            if buffer.len() >= length + body {
                let body = buffer[length..length + body].to_vec();
                buffer.drain(..length + body.len());
                return Ok(Some((request, body)));
            }
        }
        if buffer.len() > LONGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut piece = [0; 512];
        let got = (&*stream).read(&mut piece)?;
        if got == 0 {
            return match buffer.is_empty() {
                true => Ok(None),
                false => Err(ErrorKind::UnexpectedEof.into()),
            };
        }
        buffer.extend_from_slice(&piece[..got]);
    }
}

/// A whole head with its length and that of the body, if there is one.
fn parse(bytes: &[u8]) -> io::Result<Option<(Request, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(length) = status else {
        return Ok(None);
    };
    let header = |name: &str| {
        let mut all = request.headers.iter();
        let found = all.find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).into_owned())
    };
    let body = header("content-length").map_or(Ok(0), |text| text.parse());
    let wanted = Request {
        path: request.path.unwrap_or_default().to_owned(),
        number: header("x-number").unwrap_or_default(),
    };
    Ok(Some((wanted, length, body.map_err(io::Error::other)?)))
}

fn serve(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some((request, body)) = read_request(stream, &mut buffer)? {
        let Request { path, number } = request;
        let mut text = format!("{path} {number} ").into_bytes();
        text.extend(body);
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            text.len()
        )?;
        stream.write_all(&text)?;
    }
    Ok(())
}

fn read_response(stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(length) = response.parse(&bytes).unwrap() {
            assert_eq!(response.code, Some(200));
            let body: usize = std::str::from_utf8(response.headers[0].value)
                .unwrap()
                .parse()
                .unwrap();
            if bytes.len() == length + body {
                return String::from_utf8(bytes.split_off(length)).unwrap();
            }
        }
        let mut piece = [0; 100];
        let got = (&*stream).read(&mut piece).unwrap();
        assert!(got > 0, "the response ends early");
        bytes.extend_from_slice(&piece[..got]);
    }
}

#[test]
fn two_hundred_clients_that_send_a_byte_at_a_time() {
    isolated(|| {
        let listener = Rc::new(listener());
        let address = listener.local_addr().unwrap();
        let accepting = listener.clone();
        let acceptor = spawn(move || {
            let mut serving = Vec::new();
            while let Ok((stream, _)) = accepting.accept() {
                serving.push(spawn(move || serve(&stream)));
            }
            serving
                .into_iter()
                .for_each(|task| task.join().unwrap().unwrap());
        });
        crowd(200, move |number, midway| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
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
                let expected = format!("/round/{round} {number} {number:04}");
                assert_eq!(read_response(&stream), expected);
            }
        });
        listener.close();
        acceptor.join().unwrap();
    });
}
