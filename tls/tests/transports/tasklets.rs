//! Several tasklets at one connection: halves, both directions at once, two that
//! close, and kills at every wait.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use greenling::net::UnixStream;
use greenling::{JoinHandle, ParkAction, schedule, spawn};
use greenling_tls::{Error, Interest, TlsStream, Transport, Version};

use crate::kinds::green::{
    Counted, Descriptor, DuplexTcp, FdPipes, Tcp, TlsInPipes, TlsInTls, TlsInTlsInTls, Unix,
};
use crate::kinds::{Pair, trusting};
use crate::plain;
use crate::support::{NAME, VERSIONS, pattern};

/// Waits for a tasklet; one that hangs fails here with a deadlock.
fn join<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("the tasklet came to an end")
}

/// A server's and a client's stream, shaken.
fn streams<P: Pair>(version: Version) -> (TlsStream<P::End>, TlsStream<P::End>) {
    let (server, client) = trusting(version);
    let (a, b) = P::pair();
    let accepting = spawn(move || TlsStream::accept(server, a).expect("handshake"));
    let client = TlsStream::connect(client, NAME, b).expect("handshake");
    (join(accepting), client)
}

/// Both sides write more than all buffers hold before they have read anything.
fn full_duplex<P: Pair + 'static>() {
    const LEN: usize = 500_000;
    greenling::enter(|| {
        let (server, client) = streams::<P>(Version::Tls13);
        let data = Rc::new(pattern(LEN));
        let tasks: Vec<_> = [server, client]
            .into_iter()
            .flat_map(|stream| {
                let (mut reader, mut writer) = stream.split();
                let (sent, expected) = (data.clone(), data.clone());
                let writing = spawn(move || {
                    writer.write_all(&sent).expect("write");
                    writer.shutdown().expect("goodbye");
                });
                let reading = spawn(move || {
                    let mut got = Vec::new();
                    reader.read_to_end(&mut got).expect("orderly end");
                    assert!(got == *expected);
                });
                [writing, reading]
            })
            .collect();
        tasks.into_iter().for_each(join);
    });
}

macro_rules! for_each_kind {
    ($test:ident: $($name:ident: $pair:ty),* $(,)?) => {
        mod $test {
            use super::*;

            $(
                #[test]
                fn $name() {
                    super::$test::<$pair>();
                }
            )*
        }
    };
}

for_each_kind!(full_duplex:
    over_tcp: Tcp,
    over_a_unix_socket: Unix,
    over_a_shared_socket: Counted,
    over_a_descriptor: Descriptor,
    over_pipes: FdPipes,
    over_an_object: DuplexTcp,
    over_tls: TlsInTls,
    over_tls_over_pipes: TlsInPipes,
    over_tls_over_tls: TlsInTlsInTls,
);

#[test]
fn halves_end_their_directions_and_become_a_stream_again() {
    for version in VERSIONS {
        greenling::enter(|| {
            let (server, client) = streams::<Unix>(version);
            let (_, mut others) = streams::<Unix>(version).0.split();
            let (mut reader, mut writer) = client.split();
            let strange = reader.reunite(others).expect_err("of another stream");
            (reader, others) = (strange.0, strange.1);
            assert!(!reader.is_half_of(&others));
            writer.write_all(b"first").expect("write");
            let mut client = reader.reunite(writer).expect("halves of one");
            client.write_all(b"second").expect("not ended by that");
            let (mut reader, writer) = client.split();
            // Dropped while the other half waits to read.
            let reading = spawn(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).expect("orderly end");
                all
            });
            schedule();
            drop(writer);
            let mut all = Vec::new();
            (&server)
                .read_to_end(&mut all)
                .expect("the half said goodbye");
            assert_eq!(all, b"firstsecond");
            (&server).write_all(b"answer").expect("write");
            server.close().expect("close");
            assert_eq!(join(reading), b"answer");
        });
    }
}

/// The drop of a half cannot wait; what it could not send is the reader's to send.
#[test]
fn a_dropped_half_leaves_its_goodbye_to_the_reader() {
    greenling::enter(|| {
        let (server, client) = streams::<Unix>(Version::Tls13);
        let (mut reader, mut writer) = client.split();
        let reading = spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).expect("orderly end");
            all
        });
        schedule();
        let left = spawn(move || {
            writer
                .get_ref()
                .set_write_timeout(Some(Duration::from_millis(1)));
            let data = pattern(100_000);
            let mut taken = 0;
            while let Ok(n) = writer.write(&data[taken % data.len()..]) {
                taken += n;
            }
            taken
        });
        let taken = join(left);
        let mut all = Vec::new();
        (&server)
            .read_to_end(&mut all)
            .expect("the goodbye came, too");
        assert_eq!(all.len(), taken);
        (&server).write_all(b"thanks").expect("write");
        server.close().expect("close");
        assert_eq!(join(reading), b"thanks");
    });
}

/// What nobody waits to send goes out while somebody waits to receive.
fn reader_sends<P: Pair + 'static>() {
    greenling::enter(|| {
        let (server, client) = streams::<P>(Version::Tls13);
        let client = Rc::new(client);
        client.set_write_timeout(Some(Duration::from_millis(1)));
        let data = pattern(100_000);
        let mut taken = 0;
        while let Ok(n) = (&*client).write(&data[taken % data.len()..]) {
            taken += n;
        }
        let reading = client.clone();
        let reader = spawn(move || {
            let mut answer = [0; 2];
            (&*reading).read_exact(&mut answer).expect("read");
            answer
        });
        let mut got = vec![0; taken];
        (&server).read_exact(&mut got).expect("the reader sends it");
        assert!(got.chunks(data.len()).all(|piece| data.starts_with(piece)));
        (&server).write_all(b"ok").expect("write");
        assert_eq!(&join(reader), b"ok");
    });
}

for_each_kind!(reader_sends:
    over_tcp: Tcp,
    over_a_descriptor: Descriptor,
    over_pipes: FdPipes,
    over_tls: TlsInTls,
    over_tls_over_pipes: TlsInPipes,
    over_tls_over_tls: TlsInTlsInTls,
);

#[test]
fn two_tasklets_close_while_others_read_and_write() {
    for version in VERSIONS {
        greenling::enter(|| {
            let (server, client) = streams::<Tcp>(version);
            let server = Rc::new(server);
            let at_work = server.clone();
            let reader = spawn(move || {
                let mut all = Vec::new();
                (&*at_work).read_to_end(&mut all).map(|_| all)
            });
            let at_work = server.clone();
            let writer = spawn(move || (&*at_work).write_all(&pattern(300_000)));
            schedule();
            let closers = [server.clone(), server].map(|stream| spawn(move || stream.close()));
            // The client takes all of it, then answers.
            let mut all = Vec::new();
            (&client).read_to_end(&mut all).expect("orderly end");
            assert!(all == pattern(300_000), "whole, in front of the goodbye");
            (&client).write_all(b"last").expect("write");
            client.close().expect("close");
            join(writer).expect("was first");
            for closer in closers {
                join(closer).expect("close");
            }
            assert_eq!(join(reader).expect("orderly end"), b"last");
        });
    }
}

#[test]
fn a_close_gives_up_on_a_writer_that_is_stuck() {
    greenling::enter(|| {
        let (server, client) = streams::<Unix>(Version::Tls13);
        let server = Rc::new(server);
        let at_work = server.clone();
        let reader = spawn(move || (&*at_work).read(&mut [0]));
        let at_work = server.clone();
        let writer = spawn(move || (&*at_work).write_all(&pattern(3_000_000)));
        schedule();
        server.set_close_timeout(Some(Duration::from_millis(10)));
        let stuck = server.close().expect_err("nobody reads");
        assert!(matches!(stuck, Error::TimedOut), "{stuck}");
        // Both learn of it.
        assert!(join(writer).is_err());
        assert!(join(reader).is_err());
        let mut all = Vec::new();
        let cut = (&client).read_to_end(&mut all).expect_err("not the whole");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
        assert!(pattern(3_000_000).starts_with(&all));
    });
}

/// The inner connection ends, and both go on in the outer one.
#[test]
fn the_outer_connection_goes_on_when_the_inner_one_has_ended() {
    for version in VERSIONS {
        greenling::enter(|| {
            let (server, client) = streams::<TlsInTls>(version);
            let serving = spawn(move || {
                let mut word = [0; 5];
                (&server).read_exact(&mut word).expect("read");
                let (mut outer, rest) = server.unwrap().expect("both say goodbye");
                // The client's words follow its goodbye at once.
                let mut all = plain::receive_rest(&outer, rest, 5);
                outer.read_to_end(&mut all).expect("the outer goodbye");
                assert_eq!(all, b"outer and the end");
                outer.write_all(b"answer").expect("half open");
                outer.close().expect("close");
            });
            (&client).write_all(b"inner").expect("write");
            client.shutdown_write().expect("goodbye");
            let (mut outer, rest) = client.unwrap().expect("both say goodbye");
            assert!(rest.is_empty());
            outer.write_all(b"outer and the end").expect("write");
            outer.shutdown_write().expect("goodbye");
            let mut answer = String::new();
            outer.read_to_string(&mut answer).expect("orderly end");
            assert_eq!(answer, "answer");
            join(serving);
        });
    }
}

/// The outer connection is cut or closed under the inner one.
#[test]
fn the_end_of_the_outer_connection_is_a_cut_of_the_inner_one() {
    for orderly in [false, true] {
        greenling::enter(|| {
            let (server, client) = streams::<TlsInTls>(Version::Tls13);
            (&server).write_all(b"half").expect("write");
            if orderly {
                server.get_ref().close().expect("close");
            } else {
                server.get_ref().abort();
            }
            let mut got = Vec::new();
            let cut = (&client)
                .read_to_end(&mut got)
                .expect_err("no inner goodbye");
            assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
            assert_eq!(got, b"half");
            assert!((&server).write(b"x").is_err());
        });
    }
}

/// Kills a tasklet that carries a connection from its beginning to its end, at each
/// place where it parks. The other side sees the whole and a goodbye, or an error; and
/// nothing hangs.
fn killed_everywhere<P: Pair + 'static>(life: fn(P::End) -> Result<(), Error>) {
    let mut place = 1;
    while greenling::enter(|| killed_at::<P>(life, place)) {
        place += 1;
    }
    assert!(place > 2, "killed at several waits: {place}");
}

/// Whether the victim came to its park number `place`, where it is killed.
fn killed_at<P: Pair + 'static>(life: fn(P::End) -> Result<(), Error>, place: usize) -> bool {
    let (server, client) = (trusting(Version::Tls13).0, P::pair());
    let victim = spawn(move || life(client.1));
    let (id, parks) = (victim.tasklet().id(), Rc::new(Cell::new(0)));
    let counting = parks.clone();
    greenling::set_park_hook(Some(Rc::new(move |tasklet, _| {
        if tasklet.id() != id {
            return ParkAction::Continue;
        }
        counting.set(counting.get() + 1);
        if counting.get() == place {
            ParkAction::Kill
        } else {
            ParkAction::Continue
        }
    })));
    let peer = spawn(move || {
        let stream = TlsStream::accept(server, client.0).ok()?;
        let mut all = Vec::new();
        let ended = (&stream).read_to_end(&mut all);
        if ended.is_ok() {
            let _ = (&stream).write_all(b"thanks");
            let _ = stream.close();
        }
        Some((all, ended.is_ok()))
    });
    if let Some((all, orderly)) = join(peer) {
        assert!(pattern(20_000).starts_with(&all), "at {place}");
        assert!(!orderly || all.len() == 20_000, "at {place}");
    }
    let unharmed = victim
        .join()
        .map(|outcome| outcome.expect("nobody disturbed it"));
    greenling::set_park_hook(None);
    assert_eq!(unharmed.is_ok(), parks.get() < place);
    parks.get() >= place
}

/// Writes, closes its side, and reads the answer.
fn write_and_close<T: Transport>(end: T) -> Result<(), Error> {
    let stream = TlsStream::connect(trusting(Version::Tls13).1, NAME, end)?;
    (&stream).write_all(&pattern(20_000))?;
    stream.close()
}

/// Writes by one half and reads by the other, then waits for the peer's goodbye.
fn halves_and_unwrap<T: Transport>(end: T) -> Result<(), Error> {
    let stream = TlsStream::connect(trusting(Version::Tls13).1, NAME, end)?;
    let (mut reader, mut writer) = stream.split();
    writer.write_all(&pattern(20_000))?;
    writer.get_ref().shutdown_write()?;
    let mut thanks = [0; 6];
    reader.read_exact(&mut thanks)?;
    let stream = reader.reunite(writer).expect("of one stream");
    stream.unwrap().map(drop)
}

macro_rules! killed {
    ($($name:ident: $pair:ty),* $(,)?) => {
        mod killed_at_every_wait {
            use super::*;

            $(
                #[test]
                fn $name() {
                    killed_everywhere::<$pair>(write_and_close);
                    killed_everywhere::<$pair>(halves_and_unwrap);
                }
            )*
        }
    };
}

killed!(
    over_a_unix_socket: Unix,
    over_pipes: FdPipes,
    over_tls: TlsInTls,
    over_tls_over_tls: TlsInTlsInTls,
);

/// A slow client's upgrade is cancelled (asyncio's test_start_tls_slow_client_cancel).
#[test]
fn a_cancelled_upgrade_ends_the_connection() {
    greenling::enter(|| {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        let upgrading = spawn(move || {
            let plain = std::io::BufReader::new(ours);
            TlsStream::upgrade_accept(trusting(Version::Tls13).0, plain).map(drop)
        });
        schedule();
        upgrading.tasklet().kill().expect("waits for a ClientHello");
        assert!(upgrading.join().expect_err("killed").is_killed());
        assert_eq!((&theirs).read(&mut [0]).expect("the end"), 0);
    });
}

/// A wait of a descriptor that has no directions to shut down ends with `abort`.
#[test]
fn an_abort_ends_the_waits_at_pipes() {
    greenling::enter(|| {
        let (server, _client) = streams::<FdPipes>(Version::Tls13);
        let server = Rc::new(server);
        let waiting = server.clone();
        let reader = spawn(move || (&*waiting).read(&mut [0]));
        schedule();
        server.abort();
        join(reader).expect_err("aborted");
    });
}

/// Descriptors of a pair of pipes wait for either, helped by another tasklet.
#[test]
fn a_wait_for_either_of_two_descriptors() {
    greenling::enter(|| {
        let (server, client) = FdPipes::pair();
        let past = std::time::Instant::now().checked_sub(Duration::from_secs(1));
        let nothing = server.try_recv(&mut [0; 8]).expect_err("nothing sent");
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        let ready = server.wait(Interest::BOTH, None).expect("there is room");
        assert!(ready.writable && !ready.readable);
        while server.try_send(&[0; 4096]).is_ok() {}
        let late = server.wait(Interest::BOTH, past).expect_err("neither");
        assert_eq!(late.kind(), ErrorKind::TimedOut);
        client.try_send(b"x").expect("room");
        let ready = server.wait(Interest::BOTH, None).expect("data");
        assert!(ready.readable);
        server.try_recv(&mut [0; 8]).expect("data");
        let _ = server.try_recv(&mut [0; 8]);
        let draining = spawn(move || {
            let mut buf = [0; 65536];
            while client.try_recv(&mut buf).is_ok() {}
            client
        });
        let ready = server.wait(Interest::BOTH, None).expect("room again");
        assert!(ready.writable, "{ready:?}");
        drop(join(draining));
    });
}

/// A future's first poll finds what is in front, of which the reactor knows nothing.
#[test]
fn futures_poll_a_stream_with_bytes_in_front() {
    use greenling::future::{PollStream, block_on};
    use greenling_tls::transport::Prefixed;
    use std::future::poll_fn;

    greenling::enter(|| {
        let (ours, theirs) = UnixStream::pair().expect("socket pair");
        let (server, client) = trusting(Version::Tls13);
        let asking = spawn(move || {
            let mut stream = TlsStream::connect(client, NAME, theirs).expect("handshake");
            stream.write_all(b"question").expect("write");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("orderly end");
            answer
        });
        // The whole ClientHello and no more: nothing is left at the descriptor.
        let mut header = [0; 5];
        (&ours).read_exact(&mut header).expect("read");
        let mut hello = header.to_vec();
        hello.resize(
            5 + usize::from(u16::from_be_bytes([header[3], header[4]])),
            0,
        );
        (&ours).read_exact(&mut hello[5..]).expect("read");

        let stream = TlsStream::start_accept(server, Prefixed::new(hello, ours));
        let mut question = [0; 8];
        let read = poll_fn(|context| stream.poll_read(context, &mut question));
        assert_eq!(block_on(read).expect("no kill").expect("read"), 8);
        let written = poll_fn(|context| stream.poll_write(context, b"answer"));
        assert_eq!(block_on(written).expect("no kill").expect("write"), 6);
        let ended = poll_fn(|context| stream.poll_shutdown(context));
        block_on(ended).expect("no kill").expect("goodbye");
        assert_eq!(&question, b"question");
        assert_eq!(join(asking), "answer");
    });
}
