//! Several tasklets on one stream, some of which are killed.
//!
//! The transport is a pair of bounded queues in memory, so the order of events is
//! the scheduler's alone and a failure is repeated by its step number. What
//! cannot go on ends as a deadlock error, not as a hang.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenling::sync::WaitQueue;
use greenling::{JoinHandle, WaitReason, spawn};
use greenling_tls::{Error, Interest, Ready, TlsStream, Transport, Version};

use crate::support::{NAME, VERSIONS, contexts, pattern};

static QUEUE: WaitReason = WaitReason::new("test: in-memory transport");

/// One direction. Waiters of different kinds wait apart, as at a socket: nobody is
/// woken by what it did not wait for.
#[derive(Default)]
struct Pipe {
    data: RefCell<VecDeque<u8>>,
    ended: Cell<bool>,
    readers: WaitQueue,
    writers: WaitQueue,
}

/// Both directions.
#[derive(Default)]
struct Link {
    pipes: [Pipe; 2],
    /// Those at each side who wait for either direction.
    either: [WaitQueue; 2],
    capacity: usize,
}

/// One end of a link.
struct End {
    link: Rc<Link>,
    side: usize,
}

fn link(capacity: usize) -> (End, End) {
    let link = Rc::new(Link {
        capacity,
        ..Link::default()
    });
    (
        End {
            link: link.clone(),
            side: 0,
        },
        End { link, side: 1 },
    )
}

impl End {
    fn incoming(&self) -> &Pipe {
        &self.link.pipes[1 - self.side]
    }

    fn outgoing(&self) -> &Pipe {
        &self.link.pipes[self.side]
    }

    fn ready(&self, interest: Interest) -> Ready {
        let mut ready = Ready::default();
        let incoming = self.incoming();
        let something = incoming.ended.get() || !incoming.data.borrow().is_empty();
        ready.readable = interest.is_read() && something;
        let outgoing = self.outgoing();
        let room = outgoing.ended.get() || outgoing.data.borrow().len() < self.link.capacity;
        ready.writable = interest.is_write() && room;
        ready
    }

    fn tell_the_other_side(&self, waiters: &WaitQueue) {
        waiters.notify_all();
        self.link.either[1 - self.side].notify_all();
    }
}

impl Transport for End {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        let incoming = self.incoming();
        let n = incoming.data.borrow().len().min(buf.len());
        if n == 0 && !incoming.ended.get() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (slot, byte) in buf.iter_mut().zip(incoming.data.borrow_mut().drain(..n)) {
            *slot = byte;
        }
        self.tell_the_other_side(&incoming.writers);
        Ok(n)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        let outgoing = self.outgoing();
        if outgoing.ended.get() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = data
            .len()
            .min(self.link.capacity - outgoing.data.borrow().len());
        if n == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        outgoing.data.borrow_mut().extend(&data[..n]);
        self.tell_the_other_side(&outgoing.readers);
        Ok(n)
    }

    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
        let ready = self.ready(interest);
        if ready.any() {
            return Ok(ready);
        }
        let waiters = match interest {
            Interest::READ => &self.incoming().readers,
            Interest::WRITE => &self.outgoing().writers,
            _ => &self.link.either[self.side],
        };
        waiters.wait(&QUEUE, deadline)?;
        Ok(self.ready(interest))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Read {
            self.outgoing().ended.set(true);
            self.tell_the_other_side(&self.outgoing().readers);
        }
        if how != Shutdown::Write {
            self.incoming().ended.set(true);
            self.tell_the_other_side(&self.incoming().writers);
        }
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        self.incoming().readers.notify_all();
        self.outgoing().writers.notify_all();
        self.link.either[self.side].notify_all();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// A server's and a client's stream, connected and shaken.
fn streams(version: Version, capacity: usize) -> (Rc<TlsStream<End>>, Rc<TlsStream<End>>) {
    let (server, client) = contexts(version);
    let (a, b) = link(capacity);
    let accepting = spawn(move || TlsStream::accept(&server, a));
    let client = TlsStream::connect(&client, NAME, b).expect("client's handshake");
    let server = accepting
        .join()
        .expect("no panic")
        .expect("server's handshake");
    (Rc::new(server), Rc::new(client))
}

/// Waits for a tasklet; a test that hangs fails here with a deadlock.
fn join<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("the tasklet came to an end")
}

fn write_all(stream: &TlsStream<impl Transport>, data: &[u8]) -> Result<(), Error> {
    let mut writer = stream;
    writer.write_all(data).map_err(Error::from)
}

#[test]
fn both_sides_write_megabytes_before_anybody_has_read_them() {
    const LEN: usize = 4 << 20;
    for version in VERSIONS {
        greenling::enter(move || {
            let (server, client) = streams(version, 4096);
            let data = Rc::new(pattern(LEN));
            let mut tasks = Vec::new();
            for stream in [server, client] {
                let (writer, sent) = (stream.clone(), data.clone());
                tasks.push(spawn(move || write_all(&writer, &sent).expect("write")));
                let expected = data.clone();
                tasks.push(spawn(move || {
                    let mut got = vec![0; LEN];
                    (&*stream).read_exact(&mut got).expect("read");
                    assert!(got == *expected);
                }));
            }
            tasks.into_iter().for_each(join);
        });
    }
}

#[test]
fn the_same_over_sockets_with_small_buffers() {
    use greenling::net::{TcpListener, TcpStream};
    const LEN: usize = 4 << 20;
    let (server_context, client_context) = contexts(Version::Tls13);
    let shrink = |socket: &TcpStream| {
        socket.set_nodelay(true).expect("setsockopt");
        rustix::net::sockopt::set_socket_send_buffer_size(socket, 4096).expect("setsockopt");
    };
    greenling::enter(move || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let accepting = spawn(move || {
            let (tcp, _) = listener.accept().expect("accept");
            shrink(&tcp);
            TlsStream::accept(&server_context, tcp).expect("handshake")
        });
        let tcp = TcpStream::connect(address).expect("connect");
        shrink(&tcp);
        let client = TlsStream::connect(&client_context, NAME, tcp).expect("handshake");
        let server = join(accepting);
        let data = Rc::new(pattern(LEN));
        let mut tasks = Vec::new();
        for stream in [Rc::new(server), Rc::new(client)] {
            let (writer, sent) = (stream.clone(), data.clone());
            tasks.push(spawn(move || write_all(&writer, &sent).expect("write")));
            let expected = data.clone();
            tasks.push(spawn(move || {
                let mut got = vec![0; LEN];
                (&*stream).read_exact(&mut got).expect("read");
                assert!(got == *expected);
            }));
        }
        tasks.into_iter().for_each(join);
    });
}

#[test]
fn messages_of_several_writers_do_not_mix() {
    greenling::enter(|| {
        let (server, client) = streams(Version::Tls13, 1000);
        let writers: Vec<_> = (0..5u8)
            .map(|tag| {
                let client = client.clone();
                spawn(move || {
                    for _ in 0..10 {
                        write_all(&client, &vec![tag; 30_000]).expect("write");
                    }
                })
            })
            .collect();
        let mut counts = [0; 5];
        for _ in 0..50 {
            let mut message = vec![0; 30_000];
            (&*server).read_exact(&mut message).expect("read");
            assert!(
                message.iter().all(|byte| *byte == message[0]),
                "messages are mixed"
            );
            counts[usize::from(message[0])] += 1;
        }
        assert_eq!(counts, [10; 5]);
        writers.into_iter().for_each(join);
    });
}

/// Kills one of two writers after each number of steps. The other either goes on
/// or learns that a message was torn; the readers of both sides never notice.
#[test]
fn a_killed_writer_leaves_the_stream_consistent() {
    let mut outcomes = [0; 2];
    for step in 0..120 {
        let torn = greenling::enter(move || {
            let (server, client) = streams(Version::Tls13, 3000);
            let writer = |tag: u8| {
                let client = client.clone();
                spawn(move || (0..8).try_for_each(|_| write_all(&client, &vec![tag; 20_000])))
            };
            let (first, second) = (writer(1), writer(2));
            // The other direction is busy all the time.
            let back = server.clone();
            let talker = spawn(move || write_all(&back, &pattern(200_000)));
            let listening = client.clone();
            let listener = spawn(move || {
                let mut got = vec![0; 200_000];
                (&*listening)
                    .read_exact(&mut got)
                    .expect("the other direction is unharmed");
                assert!(got == pattern(200_000));
            });
            let reading = server.clone();
            let reader = spawn(move || {
                let mut got = Vec::new();
                let end = (&*reading).read_to_end(&mut got);
                (got, end)
            });
            for _ in 0..step {
                greenling::schedule();
            }
            let _ = first.tasklet().kill();
            let second = join(second);
            join(talker).expect("the other direction is unharmed");
            join(listener);
            let torn = match second {
                Ok(()) => {
                    client.shutdown_write().expect("orderly end");
                    false
                }
                Err(Error::Local(_)) => {
                    assert!(
                        client.shutdown_write().is_err(),
                        "must not look like the whole"
                    );
                    client.abort();
                    true
                }
                Err(other) => panic!("step {step}: {other}"),
            };
            let (got, end) = join(reader);
            let messages = got.chunks(20_000);
            let whole = messages.clone().filter(|message| message.len() == 20_000);
            assert!(
                whole
                    .clone()
                    .all(|message| message.iter().all(|byte| *byte == message[0]))
            );
            if torn {
                assert_eq!(end.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
            } else {
                assert!(end.is_ok(), "step {step}: {end:?}");
                assert_eq!(got.len() % 20_000, 0);
                assert_eq!(whole.filter(|message| message[0] == 2).count(), 8);
            }
            torn
        });
        outcomes[usize::from(torn)] += 1;
    }
    assert!(
        outcomes.iter().all(|count| *count > 0),
        "both happened: {outcomes:?}"
    );
}

/// Kills a reader after each number of steps; another goes on where it was.
#[test]
fn a_killed_reader_loses_nothing() {
    for step in 0..60 {
        greenling::enter(move || {
            let (server, client) = streams(Version::Tls12, 700);
            let sending = client.clone();
            let writer = spawn(move || {
                write_all(&sending, &pattern(100_000)).expect("write");
                sending.shutdown_write().expect("goodbye");
            });
            let got = Rc::new(RefCell::new(Vec::new()));
            let read = |stream: Rc<TlsStream<End>>, got: Rc<RefCell<Vec<u8>>>| {
                let mut buf = [0; 3000];
                while let n @ 1.. = (&*stream).read(&mut buf).expect("read") {
                    got.borrow_mut().extend_from_slice(&buf[..n]);
                }
            };
            let readers = [0, 1].map(|_| {
                let (stream, got) = (server.clone(), got.clone());
                spawn(move || read(stream, got))
            });
            for _ in 0..step {
                greenling::schedule();
            }
            let [first, second] = readers;
            let _ = first.tasklet().kill();
            join(second);
            join(writer);
            assert!(*got.borrow() == pattern(100_000), "step {step}");
        });
    }
}

/// A writer gives up; what it left in the ring goes out through the tasklet that
/// waits to receive.
#[test]
fn the_duty_to_send_passes_to_the_reader() {
    for kill in [false, true] {
        greenling::enter(move || {
            let (server, client) = streams(Version::Tls13, 2000);
            let reading = client.clone();
            let reader = spawn(move || {
                let mut answer = [0; 2];
                (&*reading).read_exact(&mut answer).expect("read");
                answer
            });
            greenling::schedule();
            // Not all of it fits, and the peer does not read yet.
            let writing = client.clone();
            let writer = spawn(move || {
                writing.set_write_timeout(Some(Duration::from_millis(5)));
                (&*writing).write(&pattern(10_000))
            });
            greenling::schedule();
            if kill {
                writer.tasklet().kill().expect("alive");
                assert!(writer.join().is_err());
            } else {
                assert_eq!(join(writer).expect("the count is known"), 10_000);
            }
            let mut got = vec![0; 10_000];
            (&*server)
                .read_exact(&mut got)
                .expect("the reader of the other side sends it");
            assert!(got == pattern(10_000));
            write_all(&server, b"ok").expect("write");
            assert_eq!(&join(reader), b"ok");
        });
    }
}

#[test]
fn close_ends_the_waits_of_others() {
    greenling::enter(|| {
        let (server, client) = streams(Version::Tls13, 2000);
        let reading = server.clone();
        let reader = spawn(move || (&*reading).read(&mut [0; 1]));
        let writing = server.clone();
        let writer = spawn(move || write_all(&writing, &pattern(100_000)));
        greenling::schedule();
        server.abort();
        join(reader).expect_err("closed");
        join(writer).expect_err("closed");
        let mut got = Vec::new();
        let end = (&*client).read_to_end(&mut got).expect_err("cut");
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        assert!(pattern(100_000).starts_with(&got));
    });
}

#[test]
fn a_timeout_scope_ends_a_read_and_nothing_is_lost() {
    greenling::enter(|| {
        let (server, client) = streams(Version::Tls13, 2000);
        for _ in 0..3 {
            let elapsed = greenling::time::timeout(Duration::from_millis(1), || {
                (&*server).read(&mut [0; 1]).map_err(Error::from)
            });
            assert!(elapsed.is_err());
        }
        write_all(&client, b"still here").expect("write");
        let mut got = [0; 10];
        (&*server).read_exact(&mut got).expect("read");
        assert_eq!(&got, b"still here");
    });
}

#[test]
fn more_idle_connections_than_keep_their_rings() {
    greenling::enter(|| {
        let pairs: Vec<_> = (0..300).map(|_| streams(Version::Tls13, 20_000)).collect();
        let echoes: Vec<_> = pairs
            .iter()
            .map(|(server, _)| {
                let server = server.clone();
                spawn(move || {
                    let mut buf = [0; 64];
                    while let n @ 1.. = (&*server).read(&mut buf).expect("read") {
                        write_all(&server, &buf[..n]).expect("write");
                    }
                })
            })
            .collect();
        greenling::schedule();
        for round in 0..3u8 {
            for (_, client) in &pairs {
                write_all(client, &[round; 40]).expect("write");
                let mut back = [0; 40];
                (&**client).read_exact(&mut back).expect("echo");
                assert_eq!(back, [round; 40]);
            }
        }
        for (_, client) in &pairs {
            client.shutdown_write().expect("goodbye");
        }
        echoes.into_iter().for_each(join);
    });
}

/// What a listener's connections do while `max_handshakes` is reached.
mod listener {
    use greenling::net::TcpStream;
    use greenling_tls::TlsListener;

    use super::*;
    use crate::support::server_builder;

    #[test]
    fn excess_handshakes_wait_their_turn() {
        greenling::enter(|| {
            let (server, client) = contexts(Version::Tls13);
            let listener = TlsListener::bind("127.0.0.1:0", &server).expect("bind");
            let listener = listener.max_handshakes(2);
            let address = listener.local_addr().expect("address");
            let accept = || {
                let tcp = TcpStream::connect(address).expect("connect");
                (tcp, listener.accept().expect("accept").0)
            };
            // Two clients that never say anything take both places.
            let (_mute_a, slow_a) = accept();
            let (_mute_b, slow_b) = accept();
            let slow_a = spawn(move || slow_a.handshake());
            let slow_b = spawn(move || slow_b.handshake());
            greenling::schedule();

            let (tcp, quick) = accept();
            let client = client.clone();
            let connecting = spawn(move || TlsStream::connect(&client, NAME, tcp).map(drop));
            let quick = spawn(move || {
                quick.handshake()?;
                // A connection that only waits for data takes no place.
                (&quick).read(&mut [0; 1]).map_err(Error::from)
            });
            for _ in 0..200 {
                greenling::schedule();
            }
            assert!(!quick.is_finished() && !connecting.is_finished());
            // One that was killed while it waited must not lose the place.
            let (_tcp, waiting) = accept();
            let waiting = spawn(move || waiting.handshake());
            greenling::schedule();
            slow_a.tasklet().kill().expect("alive");
            waiting.tasklet().kill().expect("alive");
            join(connecting).expect("the client's handshake");
            assert_eq!(join(quick).expect("orderly end"), 0);
            slow_b.tasklet().kill().expect("alive");
        });
    }

    #[test]
    fn a_mute_client_is_given_up_and_a_new_context_serves_later_ones() {
        greenling::enter(|| {
            let hasty = server_builder(Version::Tls13)
                .handshake_timeout(Duration::from_millis(20))
                .build()
                .expect("context");
            let listener = TlsListener::bind("127.0.0.1:0", &hasty).expect("bind");
            let address = listener.local_addr().expect("address");
            let _mute = TcpStream::connect(address).expect("connect");
            let (stream, _) = listener.accept().expect("accept");
            assert!(matches!(stream.handshake(), Err(Error::TimedOut)));

            let (server, client) = contexts(Version::Tls12);
            assert!(listener.set_context(&client).is_err(), "not a server's");
            listener.set_context(&server).expect("a server's");
            let connecting = spawn(move || {
                let tcp = TcpStream::connect(address).expect("connect");
                TlsStream::connect(&client, NAME, tcp)
                    .expect("handshake")
                    .version()
            });
            let (stream, _) = listener.accept().expect("accept");
            stream.handshake().expect("handshake");
            assert_eq!(join(connecting), Some(Version::Tls12));
        });
    }
}
