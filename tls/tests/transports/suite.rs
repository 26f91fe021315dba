//! What holds over every transport, run over each of them.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use greenling_tls::{Error, TlsStream, Transport, Version};

use crate::kinds::{Kind, trusting};
use crate::plain;
use crate::support::{NAME, VERSIONS, client_builder, pattern};

fn accept<T: Transport>(version: Version, end: T) -> TlsStream<T> {
    TlsStream::accept(trusting(version).0, end).expect("the server's handshake")
}

fn connect<T: Transport>(version: Version, end: T) -> TlsStream<T> {
    TlsStream::connect(trusting(version).1, NAME, end).expect("the client's handshake")
}

fn error_of(error: std::io::Error) -> Error {
    error.into()
}

/// More than any buffer on the way holds, there and back, with new keys in between.
fn bulk<K: Kind>() {
    for version in VERSIONS {
        const LEN: usize = 200_000;
        K::run(
            move |end| {
                let mut stream = accept(version, end);
                let mut got = vec![0; LEN];
                stream.read_exact(&mut got).expect("read");
                assert!(got == pattern(LEN), "damaged on the way to the server");
                for piece in got.chunks(60_000) {
                    if version == Version::Tls13 {
                        let update = stream.with_engine(|engine| engine.key_update(true));
                        update.expect("not in use").expect("TLS 1.3");
                    }
                    stream.write_all(piece).expect("write");
                }
                if K::End::MAY_SUSPEND {
                    // Nothing bounds the time that the client may take here.
                    stream.unwrap().map(drop).expect("both say goodbye");
                } else {
                    stream.close().expect("close");
                }
            },
            move |end| {
                let mut stream = connect(version, end);
                stream.write_all(&pattern(LEN)).expect("write");
                let mut back = Vec::new();
                stream.read_to_end(&mut back).expect("the end is orderly");
                assert!(back == pattern(LEN), "damaged on the way to the client");
                let closed = stream.close();
                // Where waits are not bounded, the server has not waited for this.
                assert!(closed.is_ok() || K::End::MAY_SUSPEND, "{closed:?}");
            },
        );
    }
}

/// Each waits for the other after every word.
fn ping_pong<K: Kind>() {
    K::run(
        |end| {
            let mut stream = accept(Version::Tls13, end);
            let mut buf = [0; 3000];
            while let n @ 1.. = stream.read(&mut buf).expect("read") {
                stream.write_all(&buf[..n]).expect("write");
            }
            stream.close().expect("close");
        },
        |end| {
            let mut stream = connect(Version::Tls13, end);
            for len in (1..2000).step_by(37) {
                stream.write_all(&pattern(len)).expect("write");
                let mut first = [0];
                assert_eq!(stream.peek(&mut first).expect("peek"), 1);
                let mut back = vec![0; len];
                stream.read_exact(&mut back).expect("read");
                assert!(back == pattern(len));
            }
            stream.shutdown_write().expect("goodbye");
            assert_eq!(stream.read(&mut [0]).expect("the server's goodbye"), 0);
        },
    );
}

/// Either side may be the one that ends first and reads on.
fn half_close<K: Kind>() {
    for version in VERSIONS {
        let first = |stream: &mut dyn ReadWriteEnd| {
            stream.write_all(b"my last words").expect("write");
            stream.end_writing();
            assert_eq!(
                error_of(stream.write(b"x").expect_err("ended")).to_string(),
                "misuse: write after close_notify was sent"
            );
            let mut all = Vec::new();
            stream
                .read_to_end(&mut all)
                .expect("the other side goes on");
            assert!(all == pattern(100_000));
        };
        let second = |stream: &mut dyn ReadWriteEnd| {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).expect("orderly end");
            assert_eq!(all, b"my last words");
            for piece in pattern(100_000).chunks(30_000) {
                stream
                    .write_all(piece)
                    .expect("still open in this direction");
            }
            stream.end_writing();
        };
        K::run(
            move |end| second(&mut accept(version, end)),
            move |end| first(&mut connect(version, end)),
        );
        K::run(
            move |end| first(&mut accept(version, end)),
            move |end| second(&mut connect(version, end)),
        );
    }
}

/// A stream of whatever type.
trait ReadWriteEnd: Read + Write {
    fn end_writing(&mut self);
}

impl<T: Transport> ReadWriteEnd for TlsStream<T> {
    fn end_writing(&mut self) {
        self.shutdown_write().expect("goodbye");
    }
}

/// The transport ends without a goodbye.
fn truncation<K: Kind>() {
    for lenient in [false, true] {
        K::run(
            |end| {
                let mut stream = accept(Version::Tls13, end);
                stream.write_all(b"half of it").expect("write");
                // Those below may say goodbye, or the program at the other end would
                // hear of their cut.
                let end = stream.into_transport();
                let _ = end.shutdown(Shutdown::Write);
            },
            move |end| {
                let mut stream = connect(Version::Tls13, end);
                if lenient {
                    stream.ignore_truncation().expect("not in use");
                }
                let mut got = Vec::new();
                let ended = stream.read_to_end(&mut got);
                assert_eq!(got, b"half of it");
                if lenient {
                    ended.expect("the program has asked for it");
                } else {
                    let error = ended.expect_err("cut");
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    assert!(matches!(error_of(error), Error::Truncated));
                }
            },
        );
    }
}

/// TLS ends, plain text follows, and TLS begins again, on one connection.
fn downgrade_and_upgrade<K: Kind>() {
    for version in VERSIONS {
        K::run(
            move |end| {
                let mut stream = accept(version, end);
                let mut word = [0; 6];
                stream.read_exact(&mut word).expect("read");
                // The client's "never read" is discarded.
                let (end, rest) = stream.unwrap().expect("both say goodbye");
                assert_eq!(plain::receive_rest(&end, rest, 5), b"plain");
                plain::send(&end, b"again?");
                assert_eq!(plain::receive_rest(&end, Vec::new(), 3), b"TLS");
                plain::send(&end, b"ready!");
                let mut stream = accept(version, end);
                let mut all = Vec::new();
                stream.read_to_end(&mut all).expect("orderly end");
                assert_eq!(all, b"once more");
                stream.write_all(b"bye").expect("write");
                stream.close().expect("close");
            },
            move |end| {
                let mut stream = connect(version, end);
                stream.write_all(b"secretnever read").expect("write");
                let (end, rest) = stream.unwrap().expect("both say goodbye");
                assert!(rest.is_empty());
                plain::send(&end, b"plain");
                assert_eq!(plain::receive_rest(&end, Vec::new(), 6), b"again?");
                plain::send(&end, b"TLS");
                assert_eq!(plain::receive_rest(&end, Vec::new(), 6), b"ready!");
                let mut stream = connect(version, end);
                stream.write_all(b"once more").expect("write");
                stream.shutdown_write().expect("goodbye");
                let mut all = Vec::new();
                stream.read_to_end(&mut all).expect("orderly end");
                assert_eq!(all, b"bye");
            },
        );
    }
}

/// Who refuses the other says why, and has its transport back.
fn refusals<K: Kind>() {
    K::run(
        |end| {
            let (server, _) = trusting(Version::Tls13);
            let failed = TlsStream::accept(server, end).expect_err("the client knows no 1.3");
            assert!(matches!(failed.error(), Error::Ssl(_)), "{failed:?}");
            drop(failed.into_transport());
        },
        |end| {
            let (_, client) = trusting(Version::Tls12);
            let failed = TlsStream::connect(client, NAME, end).expect_err("no common version");
            let told = Error::Peer(greenling_tls::Alert::PROTOCOL_VERSION).to_string();
            assert_eq!(failed.error().to_string(), told);
        },
    );
    K::run(
        |end| {
            let (stranger, _) = trusting(Version::Tls12);
            let failed = TlsStream::accept(stranger, end).expect_err("the client does not trust");
            let told = Error::Peer(greenling_tls::Alert::UNKNOWN_CA).to_string();
            assert_eq!(failed.error().to_string(), told);
        },
        |end| {
            let untrusting =
                greenling_tls::Identity::self_signed(&["elsewhere"]).expect("identity");
            let client = greenling_tls::ContextBuilder::client()
                .trust_pem(untrusting.chain_pem().expect("PEM"))
                .build()
                .expect("context");
            let failed = TlsStream::connect(&client, NAME, end).expect_err("nobody known");
            assert!(
                matches!(failed.error(), Error::Certificate(_)),
                "{failed:?}"
            );
        },
    );
}

/// What is no TLS at all.
fn strangers<K: Kind>() {
    K::run(
        |end| {
            let failed = TlsStream::accept(trusting(Version::Tls13).0, end).expect_err("nobody");
            // Also where it is the transport's error: TLS in TLS.
            let reported = failed.error().to_string();
            let expected = Error::ClosedBeforeHello.to_string();
            assert!(reported.ends_with(&expected), "{reported}");
        },
        drop,
    );
    K::run(
        |end| {
            let failed = TlsStream::accept(trusting(Version::Tls13).0, end).expect_err("HTTP");
            let (error, end) = failed.into_parts();
            assert!(matches!(error, Error::PlainHttp), "{error:?}");
            plain::send(&end, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        },
        |end| {
            plain::send(&end, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let answer = plain::receive_rest(&end, Vec::new(), 12);
            assert_eq!(answer, b"HTTP/1.1 400");
        },
    );
}

/// Deadlines of reads, handshakes and goodbyes, where waits have them.
fn deadlines<K: Kind>() {
    if K::End::MAY_SUSPEND {
        return;
    }
    const SHORT: Option<Duration> = Some(Duration::from_millis(20));
    K::run(
        |end| {
            let mut stream = accept(Version::Tls13, end);
            stream.read_exact(&mut [0; 2]).expect("read");
            stream.write_all(b"at last").expect("write");
        },
        |end| {
            let mut stream = connect(Version::Tls13, end);
            stream.set_read_timeout(SHORT);
            let late = stream.read(&mut [0]).expect_err("nothing yet");
            assert_eq!(late.kind(), ErrorKind::TimedOut);
            stream.write_all(b"go").expect("write");
            stream.set_read_timeout(None);
            let mut words = [0; 7];
            stream.read_exact(&mut words).expect("nothing was lost");
            assert_eq!(&words, b"at last");
        },
    );
    K::run(
        |end| while plain::receive(&end, &mut [0; 512]).is_ok_and(|n| n > 0) {},
        |end| {
            let client = client_builder(Version::Tls13)
                .handshake_timeout(Duration::from_millis(20))
                .build()
                .expect("context");
            let failed = TlsStream::connect(&client, NAME, end).expect_err("nobody answers");
            assert!(matches!(failed.error(), Error::TimedOut), "{failed:?}");
        },
    );
    const WAITING: u8 = 0;
    const SAID: u8 = 1;
    const UNSAID: u8 = 2;
    let goodbye = Arc::new(AtomicU8::new(WAITING));
    let seen = goodbye.clone();
    K::run(
        move |end| {
            let mut stream = accept(Version::Tls12, end);
            while seen.load(Ordering::Acquire) == WAITING {
                K::pause();
            }
            let mut got = Vec::new();
            let ended = stream.read_to_end(&mut got);
            assert!(got.chunks(DATA.len()).all(|piece| DATA.starts_with(piece)));
            let said = seen.load(Ordering::Acquire) == SAID;
            assert_eq!(ended.is_ok(), said, "{ended:?}");
        },
        move |end| {
            let mut stream = connect(Version::Tls12, end);
            stream.set_write_timeout(SHORT);
            let mut taken = 0;
            let late = loop {
                match stream.write(&DATA[taken..]) {
                    Ok(n) => taken = (taken + n) % DATA.len(),
                    Err(error) => break error,
                }
            };
            assert_eq!(late.kind(), ErrorKind::TimedOut);
            stream.set_close_timeout(SHORT);
            stream.set_linger_timeout(Duration::ZERO);
            // The kernel may have found more room after all.
            let outcome = match stream.close() {
                Ok(()) => SAID,
                Err(Error::TimedOut) => UNSAID,
                Err(error) => panic!("{error}"),
            };
            drop(stream);
            goodbye.store(outcome, Ordering::Release);
        },
    );
}

static DATA: LazyLock<Vec<u8>> = LazyLock::new(|| pattern(100_000));

/// A stream that is dropped says goodbye, unless that could make it wait.
fn drops<K: Kind>() {
    let drop_to_read = |end| {
        let mut stream = accept(Version::Tls13, end);
        stream.write_all(b"all there is").expect("write");
    };
    K::run(drop_to_read, |end| {
        let mut stream = connect(Version::Tls13, end);
        let mut all = Vec::new();
        let ended = stream.read_to_end(&mut all);
        assert_eq!(all, b"all there is");
        assert_eq!(ended.is_ok(), !K::End::MAY_SUSPEND, "{ended:?}");
    });
}

macro_rules! suite {
    ($($(#[$attribute:meta])* $name:ident: $kind:ty;)*) => {
        $(
            $(#[$attribute])*
            mod $name {
                use super::*;

                #[test]
                fn carries_bulk_data() {
                    bulk::<$kind>();
                }

                #[test]
                fn carries_many_small_messages() {
                    ping_pong::<$kind>();
                }

                #[test]
                fn either_side_may_end_first() {
                    half_close::<$kind>();
                }

                #[test]
                fn a_cut_is_an_error() {
                    truncation::<$kind>();
                }

                #[test]
                fn goes_back_to_plain_text_and_on_to_tls_again() {
                    downgrade_and_upgrade::<$kind>();
                }

                #[test]
                fn tells_why_it_refuses() {
                    refusals::<$kind>();
                }

                #[test]
                fn knows_what_is_no_tls() {
                    strangers::<$kind>();
                }

                #[test]
                fn keeps_deadlines() {
                    deadlines::<$kind>();
                }

                #[test]
                fn says_goodbye_when_dropped() {
                    drops::<$kind>();
                }
            }
        )*
    };
}

mod on_threads {
    use super::*;
    use crate::kinds::*;

    suite! {
        tcp: Threads<Tcp>;
        unix: Threads<Unix>;
        boxed: Threads<Boxed>;
        shared: Threads<Shared>;
        blocking_tcp: Threads<BlockingTcp>;
        duplex_tcp: Threads<DuplexTcp>;
        pipes: Threads<Pipes>;
        two_sockets: Threads<TwoSockets>;
        sniffed: Threads<Sniffed>;
        tls_in_tls: Threads<TlsInTls>;
        tls_in_tls_in_tls: Threads<TlsInTlsInTls>;
        tls_in_object: Threads<TlsInObject>;
    }
}

#[cfg(feature = "greenling")]
mod on_tasklets {
    use super::*;
    use crate::kinds::green::*;

    suite! {
        tcp: Tasklets<Tcp>;
        unix: Tasklets<Unix>;
        counted: Tasklets<Counted>;
        descriptor: Tasklets<Descriptor>;
        fd_pipes: Tasklets<FdPipes>;
        blocking_unix: Tasklets<BlockingUnix>;
        duplex_tcp: Tasklets<DuplexTcp>;
        tls_in_tls: Tasklets<TlsInTls>;
        tls_in_pipes: Tasklets<TlsInPipes>;
        tls_in_tls_in_tls: Tasklets<TlsInTlsInTls>;
        tls_in_object: Tasklets<TlsInObject>;
    }
}

#[cfg(feature = "may")]
mod on_coroutines {
    use super::*;
    use crate::kinds::coroutines::*;

    suite! {
        tcp: Coroutines<Tcp>;
        unix: Coroutines<Unix>;
        two_sockets: Coroutines<TwoSockets>;
        tls_in_tls: Coroutines<TlsInTls>;
    }
}
