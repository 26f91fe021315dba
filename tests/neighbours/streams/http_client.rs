//! `ureq` by way of its transport trait: see `support/http.rs`.

use crate::web::{Incoming, Request, answer};
use greenling::time::timeout;
use greenling::{Channel, spawn};
use greenling_tls::TlsStream;
use neighbours::http::Green;
use neighbours::{Certified, Server, crowd};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;
use tests::isolated;
use ureq::config::Config;
use ureq::{Agent, Error, Timeout};

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(3600);

fn agent(config: Config, green: Green) -> Agent {
    Agent::with_parts(config, green.clone(), green)
}

fn plain_agent() -> Agent {
    agent(Config::default(), Green::new(None))
}

/// Serves one connection until its client closes it.
fn serve<S>(stream: &S)
where
    for<'a> &'a S: Read + Write,
{
    let mut incoming = Incoming::new(stream);
    while let Some(request) = incoming.request().unwrap() {
        respond(stream, &request);
    }
}

fn respond(mut stream: impl Write, request: &Request) {
    let path = request.path.as_str();
    let (route, argument) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    match route {
        "echo" => {
            let mut body = format!("{} {argument} ", request.method).into_bytes();
            body.extend(&request.body);
            answer(stream, &body).unwrap();
        }
        "chunked" => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            for piece in ["a ", "chunk for ", argument] {
                let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
                stream.write_all(chunk.as_bytes()).unwrap();
                greenling::schedule();
            }
            stream.write_all(b"0\r\n\r\n").unwrap();
        }
        "redirect" => {
            let head = format!(
                "HTTP/1.1 302 Found\r\nLocation: /echo/{argument}\r\nContent-Length: 0\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
        }
        // Never answers: the next request is the end of the connection.
        "silence" => (),
        // Promises more than comes.
        "stuck" => {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
            stream.write_all(head.as_bytes()).unwrap();
        }
        _ => panic!("no such route: {path}"),
    }
}

fn text(mut response: ureq::http::Response<ureq::Body>) -> String {
    assert_eq!(response.status(), 200);
    response.body_mut().read_to_string().unwrap()
}

#[test]
fn a_hundred_agents_that_keep_their_connections() {
    isolated(|| {
        let server = Server::start(|stream| serve(&stream));
        let base = format!("http://{}", server.address());
        crowd(100, move |number, midway| {
            let agent = plain_agent();
            let got = agent.get(format!("{base}/echo/{number}")).call().unwrap();
            assert_eq!(text(got), format!("GET {number} "));
            let mut open = agent
                .get(format!("{base}/chunked/{number}"))
                .call()
                .unwrap();
            // With a response whose body is still on its way.
            midway.meet();
            let body = open.body_mut().read_to_string().unwrap();
            assert_eq!(body, format!("a chunk for {number}"));
            let sent = format!("body of {number}");
            let got = agent
                .post(format!("{base}/echo/{number}"))
                .send(&sent)
                .unwrap();
            assert_eq!(text(got), format!("POST {number} {sent}"));
            let got = agent
                .get(format!("{base}/redirect/{number}"))
                .call()
                .unwrap();
            assert_eq!(text(got), format!("GET {number} "));
        });
        // Five requests by each on one connection.
        assert_eq!(server.finish(), 100);
    });
}

#[test]
fn one_agent_for_all_tasklets() {
    isolated(|| {
        let server = Server::start(|stream| serve(&stream));
        let base = format!("http://{}", server.address());
        let agent = plain_agent();
        let theirs = agent.clone();
        crowd(100, move |number, midway| {
            let request = theirs.get(format!("{base}/chunked/{number}"));
            let mut open = request.call().unwrap();
            midway.meet();
            let body = open.body_mut().read_to_string().unwrap();
            assert_eq!(body, format!("a chunk for {number}"));
        });
        drop(agent);
        assert_eq!(server.finish(), 100);
    });
}

#[test]
fn https_by_our_tls() {
    isolated(|| {
        let certified = Certified::new();
        let context = certified.server();
        let server = Server::start(move |stream| {
            serve(&TlsStream::accept(&context, stream).unwrap());
        });
        let base = format!("https://localhost:{}", server.address().port());
        let green = Green::new(Some(certified.client()));
        crowd(30, move |number, midway| {
            let agent = agent(Config::default(), green.clone());
            let mut open = agent
                .get(format!("{base}/chunked/{number}"))
                .call()
                .unwrap();
            midway.meet();
            let body = open.body_mut().read_to_string().unwrap();
            assert_eq!(body, format!("a chunk for {number}"));
            let got = agent.get(format!("{base}/echo/{number}")).call().unwrap();
            assert_eq!(text(got), format!("GET {number} "));
        });
        assert_eq!(server.finish(), 30);
    });
}

#[test]
fn https_without_tls_is_refused() {
    isolated(|| {
        let server = Server::start(|stream| assert_eq!((&stream).read(&mut [0]).unwrap(), 0));
        let url = format!("https://{}/echo", server.address());
        let refused = plain_agent().get(url).call();
        assert!(matches!(refused, Err(Error::TlsRequired)), "{refused:?}");
        server.finish();
    });
}

/// The reasons of `ureq`'s own time limits, and that of a scope around it.
#[test]
fn time_limits_are_kept() {
    isolated(|| {
        let server = Server::start(|stream| serve(&stream));
        let base = Rc::new(format!("http://{}", server.address()));
        let busy = base.clone();
        // Somebody who is not disturbed by the others' limits.
        let asks = Channel::new();
        let asked = asks.clone();
        let steady = spawn(move || {
            let agent = plain_agent();
            while asked.receive().unwrap() {
                assert_eq!(
                    text(agent.get(format!("{busy}/echo/x")).call().unwrap()),
                    "GET x "
                );
            }
        });
        let builder = Config::builder().timeout_recv_response(Some(SHORT));
        let fetched = agent(builder.build(), Green::new(None))
            .get(format!("{base}/silence"))
            .call();
        assert!(
            matches!(fetched, Err(Error::Timeout(Timeout::RecvResponse))),
            "{fetched:?}"
        );
        asks.send(true).unwrap();

        let builder = Config::builder().timeout_global(Some(SHORT));
        let fetched = agent(builder.build(), Green::new(None))
            .get(format!("{base}/silence"))
            .call();
        assert!(
            matches!(fetched, Err(Error::Timeout(Timeout::Global))),
            "{fetched:?}"
        );
        asks.send(true).unwrap();

        let builder = Config::builder().timeout_recv_body(Some(SHORT));
        let agent = agent(builder.build(), Green::new(None));
        let mut stuck = agent.get(format!("{base}/stuck")).call().unwrap();
        let body = stuck.body_mut().read_to_string();
        assert!(
            matches!(body, Err(Error::Timeout(Timeout::RecvBody))),
            "{body:?}"
        );
        asks.send(true).unwrap();

        let late = timeout(SHORT, || {
            plain_agent().get(format!("{base}/silence")).call()
        });
        match late.unwrap_err().into_inner() {
            Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::TimedOut),
            other => panic!("{other:?}"),
        }
        asks.send(true).unwrap();

        // The connection is given up, the agent is not.
        let again = agent.get(format!("{base}/echo/again")).config();
        let got = again.timeout_recv_body(None).build().call().unwrap();
        assert_eq!(text(got), "GET again ");
        asks.send(false).unwrap();
        steady.join().unwrap();
        drop((stuck, agent));
        assert_eq!(server.finish(), 6);
    });
}

/// The server is on another thread, and this one does not look at its sockets
/// between the end of a connection and the next request.
#[test]
fn a_connection_that_the_server_has_closed_is_not_used_again() {
    const ROUNDS: usize = 3;
    isolated(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (closed, wait) = mpsc::channel();
        let server = std::thread::spawn(move || {
            for _ in 0..ROUNDS {
                let (stream, _) = listener.accept().unwrap();
                let request = Incoming::new(&stream).request().unwrap().unwrap();
                respond(&stream, &request);
                // Without a word about it in the response.
                drop(stream);
                closed.send(()).unwrap();
            }
        });
        let agent = plain_agent();
        for _ in 0..ROUNDS {
            let got = agent.get(format!("http://{address}/echo/x")).call();
            assert_eq!(text(got.unwrap()), "GET x ");
            wait.recv().unwrap();
        }
        server.join().unwrap();
    });
}

#[test]
fn names_are_looked_up_within_the_limit() {
    isolated(|| {
        let server = Server::start(|stream| serve(&stream));
        let builder = Config::builder().timeout_resolve(Some(LONG));
        let agent = agent(builder.build(), Green::new(None));
        let url = format!("http://localhost:{}/echo/x", server.address().port());
        assert_eq!(text(agent.get(url).call().unwrap()), "GET x ");
        drop(agent);
        assert_eq!(server.finish(), 1);
    });
}
