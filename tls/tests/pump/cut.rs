//! A live session, cut after every single byte, in each direction.

use greenling_tls::{Context, Engine, EngineError, Error, RingSizes, Want};

use crate::support::{NAME, VERSIONS, contexts};

/// Which way the bytes go that are cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    ToServer,
    ToClient,
}

/// How the session looked from one side.
#[derive(Debug, Default)]
struct Side {
    got: Vec<u8>,
    goodbye: bool,
    failed: Option<Error>,
    said: bool,
}

const REQUEST: &[u8] = b"a request of some length";
const ANSWER: &[u8] = b"an answer that is a little longer than the request";

impl Side {
    /// Reads, writes `words` once, then says goodbye once it got `expected` bytes.
    fn act(&mut self, engine: &mut Engine, words: &[u8], expected: usize) {
        let mut buf = [0; 64];
        while self.failed.is_none() && !self.goodbye {
            match engine.read(&mut buf) {
                Ok(n) => self.got.extend_from_slice(&buf[..n]),
                Err(EngineError::Want(Want::Read)) => break,
                Err(EngineError::Closed) => self.goodbye = true,
                Err(EngineError::Failed(error)) => self.failed = Some(error),
                Err(other) => panic!("{other}"),
            }
        }
        if self.failed.is_some() || !engine.is_established() {
            return;
        }
        if !self.said && self.got.len() >= expected {
            assert_eq!(engine.write(words).expect("established"), words.len());
            engine.shutdown().expect("established");
            self.said = true;
        }
    }
}

/// Runs a session in which only `limit` bytes get through in `direction`, then the
/// end. Returns both sides, and the bytes that went through.
fn run(contexts: &(Context, Context), direction: Direction, limit: usize) -> (Side, Side, usize) {
    let mut server = Engine::new(&contexts.0, None, RingSizes::default()).expect("engine");
    let mut client = Engine::new(&contexts.1, Some(NAME), RingSizes::default()).expect("engine");
    let (mut at_server, mut at_client) = (Side::default(), Side::default());
    let mut through = 0;
    let mut cut = false;
    loop {
        at_client.act(&mut client, REQUEST, 0);
        at_server.act(&mut server, ANSWER, REQUEST.len());
        let mut moved = 0;
        for way in [Direction::ToServer, Direction::ToClient] {
            let (from, to) = match way {
                Direction::ToServer => (&mut client, &mut server),
                Direction::ToClient => (&mut server, &mut client),
            };
            let mut buf = [0; 512];
            loop {
                let n = from.drain(&mut buf);
                if n == 0 {
                    break;
                }
                moved += n;
                let pass = if way == direction {
                    n.min(limit - through)
                } else {
                    n
                };
                assert_eq!(to.feed(&buf[..pass]), pass);
                if way == direction {
                    through += pass;
                }
            }
            if way == direction && through == limit && !cut {
                to.close_in();
                cut = true;
                moved += 1;
            }
        }
        if moved == 0 {
            return (at_server, at_client, through);
        }
    }
}

fn cut_everywhere(direction: Direction) {
    for version in VERSIONS {
        let contexts = contexts(version);
        let (server, client, whole) = run(&contexts, direction, usize::MAX);
        assert_eq!((&server.got[..], &client.got[..]), (REQUEST, ANSWER));
        for limit in 0..=whole {
            let (server, client, through) = run(&contexts, direction, limit);
            let (side, words) = match direction {
                Direction::ToServer => (server, REQUEST),
                Direction::ToClient => (client, ANSWER),
            };
            // The lengths of signatures differ by a few bytes between sessions.
            let complete = side.goodbye;
            let place = format!("{version:?} {direction:?} after {limit} of about {whole}");
            assert!(words.starts_with(&side.got), "{place}");
            if complete {
                assert_eq!(side.got, words, "{place}");
                continue;
            }
            assert_eq!(through, limit, "{place}");
            match side.failed {
                Some(Error::ClosedBeforeHello) => assert_eq!(limit, 0, "{place}"),
                Some(Error::Truncated) => assert_ne!(limit, 0, "{place}"),
                other => panic!("{place}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_cut_towards_the_server_is_never_taken_for_the_end() {
    cut_everywhere(Direction::ToServer);
}

#[test]
fn a_cut_towards_the_client_is_never_taken_for_the_end() {
    cut_everywhere(Direction::ToClient);
}
