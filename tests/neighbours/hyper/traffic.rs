//! Bodies both ways at once, many streams, slow readers.

use crate::pair::{Content, KINDS, Kind, collect, connect, echo, whole};
use futures_util::future::join_all;
use greenling::future;
use greenling::sync::Barrier;
use greenling::{Channel, block_on, spawn};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use std::rc::Rc;
use tests::isolated;

const H2: Kind = Kind {
    tls: false,
    h2: true,
};
const H2_TLS: Kind = Kind {
    tls: true,
    h2: true,
};

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index / 3) as u8).collect()
}

/// The server sends the body back while it comes: each side has data to write
/// and to read, and buffers that are smaller than both.
#[test]
fn ten_megabytes_both_ways_at_once() {
    for kind in KINDS {
        isolated(move || {
            let mut connection = connect(kind, echo);
            let body = pattern(10 << 20);
            let sent = body.clone();
            let got = block_on(async {
                let answer = connection.sender.send("/echo", sent).await?;
                collect(answer).await
            });
            assert!(
                got.unwrap().unwrap() == body,
                "{kind:?}: bytes are lost or changed"
            );
            drop(connection.sender);
            connection.client.join().unwrap().unwrap();
            connection.server.join().unwrap().unwrap();
        });
    }
}

#[test]
fn one_request_after_another() {
    for kind in KINDS {
        isolated(move || {
            let mut connection = connect(kind, echo);
            for round in 0..100usize {
                let body = pattern(round * 10);
                let got = block_on(async {
                    let answer = connection.sender.send("/", body.clone()).await?;
                    collect(answer).await
                });
                assert!(got.unwrap().unwrap() == body, "{kind:?}");
            }
        });
    }
}

/// Each stream's handler waits, in blocking style, for all the others to come.
#[test]
fn a_hundred_streams_at_a_time() {
    const STREAMS: usize = 100;
    for kind in [H2, H2_TLS] {
        isolated(move || {
            let barrier = Rc::new(Barrier::new(STREAMS));
            let connection = connect(kind, move |request: hyper::Request<Incoming>| {
                let barrier = barrier.clone();
                async move {
                    barrier.wait().unwrap();
                    Response::new(request.into_body().boxed_unsync())
                }
            });
            let requests = (0..STREAMS).map(|number| {
                let mut sender = connection.sender.another();
                async move {
                    let body = pattern(number * 100);
                    let answer = sender.send("/", body.clone()).await.unwrap();
                    assert!(collect(answer).await.unwrap() == body);
                }
            });
            block_on(join_all(requests)).unwrap();
        });
    }
}

/// Tasklets in blocking style share one connection, each by a sender of its own.
#[test]
fn tasklets_share_a_connection() {
    isolated(|| {
        let connection = connect(H2_TLS, echo);
        let tasks: Vec<_> = (0..50usize)
            .map(|number| {
                let mut sender = connection.sender.another();
                spawn(move || {
                    for round in 0..4 {
                        let body = pattern(number * 997 + round);
                        let answer = block_on(sender.send("/", body.clone())).unwrap().unwrap();
                        greenling::schedule();
                        assert!(block_on(collect(answer)).unwrap().unwrap() == body);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.join().unwrap();
        }
    });
}

/// A stream that nobody reads is held up by flow control; another on the same
/// connection is not.
#[test]
fn a_slow_reader_holds_up_its_own_stream_only() {
    const LONG: usize = 8 << 20;
    for kind in [H2, H2_TLS] {
        isolated(move || {
            let connection = connect(kind, |request: hyper::Request<Incoming>| async move {
                match request.uri().path() {
                    "/long" => Response::new(whole(pattern(LONG))),
                    _ => Response::new(whole("short")),
                }
            });
            let (mut slow, mut fast) = (connection.sender.another(), connection.sender);
            let unread = block_on(slow.send("/long", Vec::new())).unwrap().unwrap();
            for _ in 0..20 {
                let answer = block_on(fast.send("/short", Vec::new())).unwrap().unwrap();
                assert_eq!(block_on(collect(answer)).unwrap().unwrap(), "short");
            }
            assert!(block_on(collect(unread)).unwrap().unwrap() == pattern(LONG));
        });
    }
}

/// From async to blocking style and back: a tasklet receives what others send.
#[test]
fn a_handler_awaits_a_tasklet() {
    for kind in KINDS {
        isolated(move || {
            let mut connection = connect(kind, |_request| async {
                let channel = Channel::new();
                let sending = channel.clone();
                spawn(move || sending.send_sequence(1..=10u32).map(drop));
                let work = future::spawn(move || {
                    let numbers = (0..10).map(|_| channel.receive().unwrap());
                    numbers.sum::<u32>()
                });
                let sum: Result<u32, _> = work.unwrap().await;
                Response::<Content>::new(whole(sum.unwrap().to_string()))
            });
            let answer = block_on(connection.sender.send("/", Vec::new()));
            let text = block_on(collect(answer.unwrap().unwrap()));
            assert_eq!(text.unwrap().unwrap(), "55");
        });
    }
}
