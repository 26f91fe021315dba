//! TLS streams that futures poll.

use futures_util::future::join;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use greenling::future::{Io, PollStream, block_on};
use greenling::net::TcpStream;
use greenling::{schedule, spawn};
use greenling_tls::{Context, ContextBuilder, Identity, TlsStream};
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{self, Poll, Wake, Waker};
use tests::isolated;
use tests::sockets::{half_pair, pair};

type Tls = TlsStream<TcpStream>;

/// A server's context and a client's.
fn contexts() -> &'static (Context, Context) {
    static CONTEXTS: OnceLock<(Context, Context)> = OnceLock::new();
    CONTEXTS.get_or_init(|| {
        let identity = Identity::self_signed(&["localhost"]).unwrap();
        let server = ContextBuilder::server().identity(identity);
        let client = ContextBuilder::client().dangerous().no_verify();
        (server.build().unwrap(), client.build().unwrap())
    })
}

/// Both ends of a connection before their handshake; the client's is first.
fn ends() -> (Tls, Tls) {
    let (one, other) = pair();
    // Small buffers, so that there is something to wait for.
    for socket in [&one, &other] {
        let socket = socket2::SockRef::from(socket);
        socket.set_send_buffer_size(1 << 16).unwrap();
        socket.set_recv_buffer_size(1 << 16).unwrap();
    }
    let (server, client) = contexts();
    (
        TlsStream::start_connect(client, "localhost", one),
        TlsStream::start_accept(server, other),
    )
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7) as u8).collect()
}

#[test]
fn a_handshake_inside_polls() {
    isolated(|| {
        let (client, server) = ends();
        let server = spawn(move || {
            let mut server = Io::new(server);
            let mut text = [0; 5];
            block_on(server.read_exact(&mut text)).unwrap().unwrap();
            text
        });
        let mut client = Io::new(client);
        block_on(async {
            client.write_all(b"hello").await?;
            client.flush().await
        })
        .unwrap()
        .unwrap();
        assert_eq!(server.join().unwrap(), *b"hello");
        assert!(client.get_ref().is_established());
    });
}

/// The reader waits in one future and the writer in another, on one tasklet,
/// and neither may hold the other up.
#[test]
fn megabytes_both_ways_on_one_tasklet_each() {
    const SIZE: usize = 4 << 20;
    isolated(|| {
        let (client, server) = ends();
        let sides = [client, server].map(|side| {
            spawn(move || {
                let (mut reader, mut writer) = Io::new(side).split();
                let write = async {
                    writer.write_all(&pattern(SIZE)).await.unwrap();
                    writer.close().await.unwrap();
                };
                let read = async {
                    let mut all = Vec::new();
                    reader.read_to_end(&mut all).await.unwrap();
                    all
                };
                let (all, ()) = block_on(join(read, write)).unwrap();
                assert!(all == pattern(SIZE), "bytes are lost or changed");
            })
        });
        for side in sides {
            side.join().unwrap();
        }
    });
}

/// As above with a tasklet for each direction: each has a waker of its own.
#[test]
fn both_ways_on_two_tasklets_each() {
    const SIZE: usize = 1 << 20;
    isolated(|| {
        let (client, server) = ends();
        let mut tasks = Vec::new();
        for side in [client, server] {
            let side = Rc::new(side);
            let writing = side.clone();
            tasks.push(spawn(move || {
                let data = pattern(SIZE);
                let mut sent = 0;
                while sent < SIZE {
                    let write = poll_fn(|context| writing.poll_write(context, &data[sent..]));
                    sent += block_on(write).unwrap().unwrap();
                }
                block_on(poll_fn(|context| writing.poll_flush(context)))
                    .unwrap()
                    .unwrap();
            }));
            tasks.push(spawn(move || {
                let mut got = Vec::new();
                let mut buffer = vec![0; 5000];
                while got.len() < SIZE {
                    let read = poll_fn(|context| side.poll_read(context, &mut buffer));
                    let count = block_on(read).unwrap().unwrap();
                    got.extend_from_slice(&buffer[..count]);
                }
                assert!(got == pattern(SIZE), "bytes are lost or changed");
            }));
        }
        for task in tasks {
            task.join().unwrap();
        }
    });
}

/// Nobody flushes but a pending read: what a write has left inside goes out.
#[test]
fn a_pending_read_sends_what_is_left() {
    const SIZE: usize = 4 << 20;
    isolated(|| {
        let (client, server) = ends();
        let server = spawn(move || {
            let mut got = vec![0; SIZE];
            (&server).read_exact(&mut got).unwrap();
            (&server).write_all(b"!").unwrap();
            assert!(got == pattern(SIZE));
        });
        let data = pattern(SIZE);
        let (mut sent, mut answer) = (0, [0]);
        let both = poll_fn(|context| {
            while sent < SIZE {
                match client.poll_write(context, &data[sent..]) {
                    Poll::Ready(count) => sent += count.unwrap(),
                    Poll::Pending => break,
                }
            }
            client.poll_read(context, &mut answer)
        });
        assert_eq!(block_on(both).unwrap().unwrap(), 1);
        server.join().unwrap();
    });
}

#[test]
fn a_poll_reads_while_a_tasklet_writes() {
    const SIZE: usize = 4 << 20;
    isolated(|| {
        let (client, server) = ends();
        let peer = spawn(move || {
            let server = Rc::new(server);
            let echoing = server.clone();
            let mut buffer = vec![0; 10_000];
            loop {
                match (&*server).read(&mut buffer).unwrap() {
                    0 => return,
                    count => (&*echoing).write_all(&buffer[..count]).unwrap(),
                }
            }
        });
        client.handshake().unwrap();
        let client = Rc::new(client);
        let writing = client.clone();
        let writer = spawn(move || (&*writing).write_all(&pattern(SIZE)).unwrap());
        let mut got = Vec::new();
        let mut buffer = vec![0; 10_000];
        while got.len() < SIZE {
            let read = poll_fn(|context| client.poll_read(context, &mut buffer));
            let count = block_on(read).unwrap().unwrap();
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(got == pattern(SIZE));
        writer.join().unwrap();
        client.close().unwrap();
        peer.join().unwrap();
    });
}

/// A handshake takes both directions, so the writer finds the lock of the one
/// that receives held by a tasklet, which the same edge has made runnable.
#[test]
fn a_write_that_shakes_hands_lets_the_tasklet_that_receives_run() {
    isolated(|| {
        let (socket, mut peer) = half_pair();
        let (_, context) = contexts();
        let client = Rc::new(TlsStream::start_connect(context, "localhost", socket));
        let reading = client.clone();
        let reader = spawn(move || (&*reading).read(&mut [0]));
        while !reader.tasklet().is_blocked() {
            schedule();
        }
        peer.write_all(b"this is not TLS").unwrap();
        // One of the two sees the edge before the reader has run.
        let reading = reader.tasklet();
        let writers = [(); 2].map(|()| {
            let (client, reading) = (client.clone(), reading.clone());
            spawn(move || {
                let mut context = task::Context::from_waker(Waker::noop());
                while reading.is_alive() {
                    let _ = client.poll_write(&mut context, b"x");
                    schedule();
                }
                client.poll_write(&mut context, b"x")
            })
        });
        for writer in writers {
            assert!(matches!(writer.join().unwrap(), Poll::Ready(Err(_))));
        }
        assert!(reader.join().unwrap().is_err());
    });
}

#[test]
fn a_poll_does_not_wait_for_a_tasklet_on_its_own_side() {
    isolated(|| {
        let (client, server) = ends();
        let peer = spawn(move || server.handshake().map(|()| server));
        client.handshake().unwrap();
        let client = Rc::new(client);
        let reading = client.clone();
        let reader = spawn(move || (&*reading).read(&mut [0]));
        let _server = peer.join().unwrap().unwrap();
        while !reader.tasklet().is_blocked() {
            schedule();
        }
        let read = block_on(poll_fn(|context| client.poll_read(context, &mut [0])));
        assert!(read.unwrap().is_err());
        let write = block_on(poll_fn(|context| client.poll_write(context, b"x")));
        assert_eq!(write.unwrap().unwrap(), 1);
        reader.tasklet().kill().unwrap();
    });
}

/// What it has left is for whoever waits to receive to send.
#[test]
fn a_killed_writer_wakes_a_pending_read() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    isolated(|| {
        let (client, server) = ends();
        let peer = spawn(move || server.handshake().map(|()| server));
        client.handshake().unwrap();
        let _server = peer.join().unwrap().unwrap();
        let client = Rc::new(client);
        let writing = client.clone();
        let writer = spawn(move || (&*writing).write_all(&pattern(4 << 20)));
        while !writer.tasklet().is_blocked() {
            schedule();
        }
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut context = task::Context::from_waker(&waker);
        // Tickets of the handshake's end are read first.
        assert!(client.poll_read(&mut context, &mut [0]).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        writer.tasklet().kill().unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn several_pieces_become_one_record() {
    isolated(|| {
        let (client, server) = ends();
        let server = spawn(move || {
            let mut buffer = [0; 100];
            let count = (&server).read(&mut buffer).unwrap();
            buffer[..count].to_vec()
        });
        client.handshake().unwrap();
        let pieces = [b"ab".as_slice(), b"", b"cde", b"f"].map(IoSlice::new);
        let write = poll_fn(|context| client.poll_write_vectored(context, &pieces));
        assert_eq!(block_on(write).unwrap().unwrap(), 6);
        assert_eq!(server.join().unwrap(), b"abcdef");
    });
}

#[test]
fn a_goodbye_is_told_from_a_cut() {
    isolated(|| {
        for cut in [false, true] {
            let (client, server) = ends();
            let peer = spawn(move || {
                server.handshake().unwrap();
                if cut {
                    server.get_ref().close();
                    return;
                }
                block_on(poll_fn(|context| server.poll_shutdown(context)))
                    .unwrap()
                    .unwrap();
                // Until the client has said goodbye as well.
                assert_eq!((&server).read(&mut [0]).unwrap(), 0);
            });
            let read = block_on(poll_fn(|context| client.poll_read(context, &mut [0]))).unwrap();
            match read {
                Ok(count) => assert!(count == 0 && !cut),
                Err(error) => assert!(cut && error.kind() == ErrorKind::UnexpectedEof, "{error}"),
            }
            drop(client);
            peer.join().unwrap();
        }
    });
}

#[test]
fn a_killed_reader_leaves_the_stream_as_it_was() {
    isolated(|| {
        let (client, server) = ends();
        let peer = spawn(move || server.handshake().map(|()| server));
        client.handshake().unwrap();
        let client = Rc::new(client);
        let reading = client.clone();
        let reader = spawn(move || {
            let mut buffer = [0; 10];
            block_on(poll_fn(|context| reading.poll_read(context, &mut buffer)))
        });
        let server = peer.join().unwrap().unwrap();
        while !reader.tasklet().is_blocked() {
            schedule();
        }
        reader.tasklet().kill().unwrap();
        (&server).write_all(b"kept").unwrap();
        let mut text = [0; 4];
        (&*client).read_exact(&mut text).unwrap();
        assert_eq!(text, *b"kept");
    });
}
