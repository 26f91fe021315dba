//! Handshakes and streams: what is killed at one end of a connection, or beside
//! another tasklet at the same end, leaves the others with what is theirs.

use crate::stage::{Stage, kill_tests};
use greenling::net::TcpStream;
use greenling::{JoinHandle, schedule, spawn};
use greenling_tls::crypto::TestCa;
use greenling_tls::{
    Alert, Blocking, ClientHello, Context, ContextBuilder, TlsListener, TlsStream, Transport,
};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use tests::sockets::pair;

kill_tests! {
    serving_a_handshake,
    asking_for_a_handshake,
    reading_beside_a_writer,
    writing_beside_a_reader,
    second_reader,
    second_writer,
    flushing_beside_a_writer,
    first_use_by_two,
    question_to_two,
    closing,
    closing_beside_a_reader_and_a_writer,
    writing_beside_a_closer,
    reading_beside_a_closer,
    object_in_use,
    handshakes_in_line,
}

type Stream = Rc<TlsStream<TcpStream>>;

static CONTEXTS: LazyLock<(Context, Context)> = LazyLock::new(|| {
    let ca = TestCa::new("kill tests").unwrap();
    let identity = ca.issue(&["localhost"]).unwrap();
    let server = ContextBuilder::server().identity(identity);
    let client = ContextBuilder::client().trust_pem(ca.root_pem().unwrap());
    (server.build().unwrap(), client.build().unwrap())
});

fn server() -> &'static Context {
    &CONTEXTS.0
}

fn client() -> &'static Context {
    &CONTEXTS.1
}

/// Two sockets that hold little, so that writers wait.
fn narrow_pair() -> (TcpStream, TcpStream) {
    let (ours, theirs) = pair();
    for stream in [&ours, &theirs] {
        socket2::SockRef::from(stream)
            .set_send_buffer_size(1 << 15)
            .unwrap();
    }
    (ours, theirs)
}

/// A client's and a server's stream that have shaken hands.
fn established() -> (Stream, Stream) {
    let (ours, theirs) = narrow_pair();
    let serving = spawn(move || TlsStream::accept(server(), theirs).unwrap());
    let ours = TlsStream::connect(client(), "localhost", ours).unwrap();
    (Rc::new(ours), Rc::new(serving.join().unwrap()))
}

/// The `index`-th byte of a stream.
fn byte_at(index: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 13) as u8
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(byte_at).collect()
}

fn is_pattern(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .all(|(index, &byte)| byte == byte_at(index))
}

/// Reads `stream` until its end or an error, and returns what came.
fn collect(stream: &Stream) -> JoinHandle<Vec<u8>> {
    let stream = stream.clone();
    spawn(move || {
        let mut all = Vec::new();
        // An end without a goodbye is an error here, and expected after kills.
        let _ = (&*stream).read_to_end(&mut all);
        all
    })
}

/// A stream that a killed tasklet has left behind still reads and writes.
fn works(ours: &Stream, theirs: &Stream) {
    let peer = theirs.clone();
    let echo = spawn(move || {
        let mut bytes = [0; 5];
        (&*peer).read_exact(&mut bytes).unwrap();
        (&*peer).write_all(&bytes).unwrap();
    });
    (&**ours).write_all(b"alive").unwrap();
    let mut bytes = [0; 5];
    (&**ours).read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"alive");
    echo.join().unwrap();
}

fn serving_a_handshake(stage: &Stage) {
    let (ours, theirs) = pair();
    let victim = stage.victim(move || drop(TlsStream::accept(server(), theirs).unwrap()));
    stage.until_parked();
    // Fails if the victim was killed, and never hangs.
    let connected = TlsStream::connect(client(), "localhost", ours).is_ok();
    assert!(stage.end(victim).is_none() || connected);
}

fn asking_for_a_handshake(stage: &Stage) {
    let (ours, theirs) = pair();
    let victim = stage.victim(move || {
        drop(TlsStream::connect(client(), "localhost", ours).unwrap());
    });
    stage.until_parked();
    let accepted = TlsStream::accept(server(), theirs).is_ok();
    assert!(stage.end(victim).is_none() || accepted);
}

fn reading_beside_a_writer(stage: &Stage) {
    const SIZE: usize = 500_000;
    let (ours, theirs) = established();
    let got = Rc::new(RefCell::new(Vec::new()));
    let (reading, keeping) = (ours.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = vec![0; 5000];
        while keeping.borrow().len() < SIZE {
            let count = (&*reading).read(&mut buffer).unwrap();
            keeping.borrow_mut().extend_from_slice(&buffer[..count]);
        }
    });
    stage.until_parked();
    let (writing, sending) = (ours.clone(), theirs.clone());
    let writer = spawn(move || (&*writing).write_all(&pattern(SIZE)).unwrap());
    let sender = spawn(move || (&*sending).write_all(&pattern(SIZE)).unwrap());
    let receiving = theirs.clone();
    let receiver = spawn(move || {
        let mut all = vec![0; SIZE];
        (&*receiving).read_exact(&mut all).unwrap();
        all
    });
    stage.end(victim);
    // The writer beside the victim is not disturbed, and what the victim has
    // not returned is there for the next reader.
    let mut got = got.take();
    let mut rest = vec![0; SIZE - got.len()];
    (&*ours).read_exact(&mut rest).unwrap();
    got.extend(rest);
    assert!(is_pattern(&got), "bytes are lost or doubled");
    writer.join().unwrap();
    sender.join().unwrap();
    assert!(is_pattern(&receiver.join().unwrap()));
    works(&ours, &theirs);
}

fn writing_beside_a_reader(stage: &Stage) {
    const SIZE: usize = 500_000;
    let (ours, theirs) = established();
    let (writing, reading) = (ours.clone(), ours.clone());
    let victim = stage.victim(move || (&*writing).write_all(&pattern(SIZE)).unwrap());
    let reader = spawn(move || {
        let mut all = vec![0; SIZE];
        (&*reading).read_exact(&mut all).unwrap();
        all
    });
    let sending = theirs.clone();
    let sender = spawn(move || (&*sending).write_all(&pattern(SIZE)).unwrap());
    stage.until_parked();
    let receiver = collect(&theirs);
    let all_written = stage.end(victim).is_some();
    // The reader beside the victim is not disturbed.
    assert!(is_pattern(&reader.join().unwrap()));
    sender.join().unwrap();
    drop(ours);
    let received = receiver.join().unwrap();
    assert!(is_pattern(&received), "not a beginning of what was written");
    assert!(!all_written || received.len() == SIZE);
}

fn second_reader(stage: &Stage) {
    let (ours, theirs) = established();
    let read_one = |stream: Stream| {
        move || {
            let mut byte = [0];
            (&*stream).read_exact(&mut byte).unwrap();
            byte[0]
        }
    };
    let first = spawn(read_one(ours.clone()));
    schedule();
    let victim = stage.victim(read_one(ours.clone()));
    stage.until_parked();
    let last = spawn(read_one(ours.clone()));
    (&*theirs).write_all(b"123").unwrap();
    let read = stage.end(victim);
    let mut got = vec![first.join().unwrap(), last.join().unwrap()];
    got.push(read.unwrap_or_else(read_one(ours.clone())));
    got.sort_unstable();
    assert_eq!(got, b"123");
    works(&ours, &theirs);
}

fn second_writer(stage: &Stage) {
    const SIZE: usize = 500_000;
    let (ours, theirs) = established();
    let writing = ours.clone();
    let first = spawn(move || (&*writing).write_all(&pattern(SIZE)).unwrap());
    schedule();
    let writing = ours.clone();
    let victim = stage.victim(move || (&*writing).write(b"second").unwrap());
    stage.until_parked();
    let receiver = collect(&theirs);
    let written = stage.end(victim);
    first.join().unwrap();
    // A mere drop resets the connection if session tickets lie unread.
    let closer = spawn(move || ours.close().unwrap());
    let received = receiver.join().unwrap();
    drop(theirs);
    closer.join().unwrap();
    assert!(is_pattern(&received[..SIZE]));
    // Killed, it may have written all, or nothing, but no part of it.
    let rest = &received[SIZE..];
    let nothing = rest.is_empty() && written.is_none();
    assert!(rest == b"second" || nothing, "{rest:?} {written:?}");
}

fn flushing_beside_a_writer(stage: &Stage) {
    const SIZE: usize = 500_000;
    let (ours, theirs) = established();
    let writing = ours.clone();
    let writer = spawn(move || (&*writing).write_all(&pattern(SIZE)).unwrap());
    schedule();
    let flushing = ours.clone();
    let victim = stage.victim(move || (&*flushing).flush().unwrap());
    stage.until_parked();
    let receiving = theirs.clone();
    let receiver = spawn(move || {
        let mut all = vec![0; SIZE];
        (&*receiving).read_exact(&mut all).unwrap();
        all
    });
    stage.end(victim);
    writer.join().unwrap();
    assert!(is_pattern(&receiver.join().unwrap()));
    works(&ours, &theirs);
}

fn first_use_by_two(stage: &Stage) {
    let (ours, theirs) = pair();
    let ours = Rc::new(TlsStream::start_connect(client(), "localhost", ours));
    let reading = ours.clone();
    let reader = spawn(move || {
        let mut bytes = [0; 4];
        (&*reading).read_exact(&mut bytes).unwrap();
        bytes
    });
    schedule();
    let writing = ours.clone();
    let victim = stage.victim(move || (&*writing).write_all(b"ping").unwrap());
    stage.until_parked();
    // Whoever is left ends the handshake.
    let theirs = Rc::new(TlsStream::accept(server(), theirs).unwrap());
    (&*theirs).write_all(b"pong").unwrap();
    assert_eq!(&reader.join().unwrap(), b"pong");
    if stage.end(victim).is_some() {
        let mut bytes = [0; 4];
        (&*theirs).read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"ping");
    }
}

fn flag() -> Arc<AtomicBool> {
    Arc::default()
}

/// Two tasklets come to a question of the handshake; the one that came second waits
/// for the answer.
fn question_to_two(stage: &Stage) {
    let (asked, answered) = (flag(), flag());
    let (ask, may_answer) = (asked.clone(), answered.clone());
    let door = ContextBuilder::server()
        .resolver(move |_: &ClientHello| {
            ask.store(true, Ordering::Relaxed);
            while !may_answer.load(Ordering::Relaxed) {
                schedule();
            }
            Ok::<_, Alert>(server().clone())
        })
        .build()
        .unwrap();
    let (ours, theirs) = pair();
    let ours = Rc::new(TlsStream::start_accept(&door, ours));
    let reading = ours.clone();
    let reader = spawn(move || {
        let mut bytes = [0; 4];
        (&*reading).read_exact(&mut bytes).unwrap();
        bytes
    });
    let peer = spawn(move || {
        let mut stream = TlsStream::connect(client(), "localhost", theirs).unwrap();
        stream.write_all(b"ping").unwrap();
        stream
    });
    while !asked.load(Ordering::Relaxed) {
        schedule();
    }
    let writing = ours.clone();
    let victim = stage.victim(move || (&*writing).write_all(b"pong").unwrap());
    stage.until_parked();
    answered.store(true, Ordering::Relaxed);
    assert_eq!(&reader.join().unwrap(), b"ping");
    let mut peer = peer.join().unwrap();
    if stage.end(victim).is_some() {
        let mut bytes = [0; 4];
        peer.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"pong");
    }
}

fn closing(stage: &Stage) {
    let (ours, theirs) = established();
    let closing = ours.clone();
    let victim = stage.victim(move || closing.close().unwrap());
    stage.until_parked();
    let received = collect(&theirs);
    assert!(received.join().unwrap().is_empty());
    drop(theirs);
    stage.end(victim);
    // Closed by the victim's destructors, if not by its call.
    (&*ours).write(b"x").unwrap_err();
}

/// What is large enough to keep a writer waiting whose peer does not read.
const LARGE: usize = 500_000;

fn reads_one(stream: &Stream) -> JoinHandle<bool> {
    let stream = stream.clone();
    spawn(move || (&*stream).read(&mut [0]).is_ok())
}

fn writes_much(stream: &Stream) -> JoinHandle<bool> {
    let stream = stream.clone();
    spawn(move || (&*stream).write_all(&pattern(LARGE)).is_ok())
}

fn closing_beside_a_reader_and_a_writer(stage: &Stage) {
    let (ours, theirs) = established();
    let reader = reads_one(&ours);
    let writer = writes_much(&ours);
    schedule();
    let closing = ours.clone();
    let victim = stage.victim(move || closing.close());
    stage.until_parked();
    // Reading a part lets the writer go on, and not come to its end. A closer that
    // is killed has cut the connection.
    let mut part = vec![0; 100_000];
    let read = (&*theirs).read_exact(&mut part);
    assert!(read.is_err() || is_pattern(&part));
    theirs.abort();
    // However it ends, the waits of the others end with it.
    stage.end(victim);
    assert!(!reader.join().unwrap() && !writer.join().unwrap());
    (&*ours).write(b"x").unwrap_err();
    assert_eq!(Rc::strong_count(&ours), 1, "somebody holds the stream");
}

fn writing_beside_a_closer(stage: &Stage) {
    let (ours, theirs) = established();
    let reader = reads_one(&ours);
    let writing = ours.clone();
    let victim = stage.victim(move || (&*writing).write_all(&pattern(LARGE)).is_ok());
    stage.until_parked();
    let closing = ours.clone();
    let closer = spawn(move || closing.close().is_ok());
    let mut all = Vec::new();
    let end = (&*theirs).read_to_end(&mut all);
    drop(theirs);
    let written = stage.end(victim);
    let goodbye = closer.join().unwrap();
    reader.join().unwrap();
    // The peer is told that this is all if, and only if, it is.
    assert!(is_pattern(&all), "not a beginning of what was written");
    assert_eq!(end.is_ok(), goodbye);
    assert_eq!(end.is_ok(), written == Some(true) && all.len() == LARGE);
}

fn reading_beside_a_closer(stage: &Stage) {
    let (ours, theirs) = established();
    let writer = writes_much(&ours);
    schedule();
    let reading = ours.clone();
    let victim = stage.victim(move || (&*reading).read(&mut [0]).is_ok());
    stage.until_parked();
    let closing = ours.clone();
    let closer = spawn(move || closing.close().is_ok());
    let mut all = Vec::new();
    (&*theirs).read_to_end(&mut all).unwrap();
    drop(theirs);
    stage.end(victim);
    // Neither of the others is disturbed.
    assert!(writer.join().unwrap() && closer.join().unwrap());
    assert!(all.len() == LARGE && is_pattern(&all));
}

fn object_in_use(stage: &Stage) {
    let (ours, theirs) = established_over(Blocking::new);
    let reading = ours.clone();
    let reader = spawn(move || {
        let mut byte = [0];
        (&*reading).read_exact(&mut byte).unwrap();
    });
    schedule();
    // The reader waits inside the object, which does one thing at a time.
    let writing = ours.clone();
    let victim = stage.victim(move || (&*writing).write_all(b"held up").unwrap());
    stage.until_parked();
    (&*theirs).write_all(b"!").unwrap();
    reader.join().unwrap();
    if stage.end(victim).is_some() {
        let mut bytes = [0; 7];
        (&*theirs).read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"held up");
    }
}

/// As `established`, with our transport inside another.
fn established_over<T: Transport + 'static>(
    wrap: fn(TcpStream) -> T,
) -> (Rc<TlsStream<T>>, Stream) {
    let (ours, theirs) = narrow_pair();
    let serving = spawn(move || TlsStream::accept(server(), theirs).unwrap());
    let ours = TlsStream::connect(client(), "localhost", wrap(ours));
    let ours = ours.unwrap_or_else(|_| panic!("the handshake fails"));
    (Rc::new(ours), Rc::new(serving.join().unwrap()))
}

fn handshakes_in_line(stage: &Stage) {
    let listener = TlsListener::bind("127.0.0.1:0", server()).unwrap();
    let listener = listener.max_handshakes(1);
    let address = listener.local_addr().unwrap();
    // The first client connects and says nothing for now.
    let slow = TcpStream::connect(address).unwrap();
    let (holding, _) = listener.accept().unwrap();
    let holder = spawn(move || holding.handshake().is_ok());
    schedule();
    let asking = TcpStream::connect(address).unwrap();
    let asker = spawn(move || TlsStream::connect(client(), "localhost", asking).is_ok());
    let (in_line, _) = listener.accept().unwrap();
    let victim = stage.victim(move || in_line.handshake().unwrap());
    stage.until_parked();
    let slow = spawn(move || TlsStream::connect(client(), "localhost", slow).is_ok());
    let served = stage.end(victim).is_some();
    assert!(holder.join().unwrap() && slow.join().unwrap());
    assert!(asker.join().unwrap() || !served);
    // Every place is free again.
    let last = TcpStream::connect(address).unwrap();
    let last = spawn(move || TlsStream::connect(client(), "localhost", last).is_ok());
    listener.accept().unwrap().0.handshake().unwrap();
    assert!(last.join().unwrap());
}
