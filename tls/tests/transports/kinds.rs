//! All kinds of transports, and how programs run at their ends.

use std::marker::PhantomData;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock};
#[cfg(any(feature = "greenling", feature = "may"))]
use std::time::Duration;

use greenling_tls::transport::{Blocking, Prefixed, Split};
use greenling_tls::{Context, TlsStream, Transport, Version};

use crate::support::{NAME, contexts};

/// The contexts of a server and a client that trust each other, made once.
pub(crate) fn trusting(version: Version) -> (&'static Context, &'static Context) {
    static ALL: LazyLock<[(Context, Context); 2]> =
        LazyLock::new(|| [contexts(Version::Tls12), contexts(Version::Tls13)]);
    let (server, client) = &ALL[usize::from(version == Version::Tls13)];
    (server, client)
}

#[cfg(any(feature = "greenling", feature = "may"))]
const MOMENT: Duration = Duration::from_millis(1);

/// A kind of transport together with a kind of thread.
pub(crate) trait Kind {
    type End: Transport + 'static;

    /// Runs both programs to their ends, over a new connection.
    fn run(
        server: impl FnOnce(Self::End) + Send + 'static,
        client: impl FnOnce(Self::End) + Send + 'static,
    );

    /// Lets the other program go on for a moment.
    fn pause();
}

/// What can be connected; the first end is the server's.
pub(crate) trait Pair {
    type End: Transport + 'static;

    fn pair() -> (Self::End, Self::End);
}

/// The programs are OS threads.
pub(crate) struct Threads<P>(PhantomData<P>);

impl<P: Pair<End: Send>> Kind for Threads<P> {
    type End = P::End;

    fn run(
        server: impl FnOnce(P::End) + Send + 'static,
        client: impl FnOnce(P::End) + Send + 'static,
    ) {
        let (at_server, at_client) = P::pair();
        let thread = std::thread::spawn(move || server(at_server));
        client(at_client);
        thread.join().expect("the server's thread did not panic");
    }

    fn pause() {
        std::thread::yield_now();
    }
}

/// Declares a pair of transports.
macro_rules! pair {
    ($(#[$doc:meta])* $name:ident: $end:ty, $make:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Pair for $name {
            type End = $end;

            fn pair() -> ($end, $end) {
                $make
            }
        }
    };
}

fn both<A, B>((first, second): (A, A), wrap: impl Fn(A) -> B) -> (B, B) {
    (wrap(first), wrap(second))
}

/// Joins what one way goes by with what the other way goes by.
fn crossed<R, W>(to_server: (R, W), to_client: (R, W)) -> (Split<R, W>, Split<R, W>) {
    (
        Split::new(to_server.0, to_client.1),
        Split::new(to_client.0, to_server.1),
    )
}

/// Puts TLS in between; the outer handshake is made by the inner one's first wait.
fn within_tls<T: Transport>((server, client): (T, T)) -> (TlsStream<T>, TlsStream<T>) {
    let (for_server, for_client) = trusting(Version::Tls13);
    (
        TlsStream::start_accept(for_server, server),
        TlsStream::start_connect(for_client, NAME, client),
    )
}

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    let client = TcpStream::connect(address).expect("connect");
    let (server, _) = listener.accept().expect("accept");
    (server, client)
}

fn unix() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("socket pair")
}

fn pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    std::io::pipe().expect("pipe")
}

pair!(Tcp: TcpStream, tcp());
pair!(Unix: UnixStream, unix());
pair!(Boxed: Box<TcpStream>, both(tcp(), Box::new));
pair!(Shared: Arc<UnixStream>, both(unix(), Arc::new));
pair!(BlockingTcp: Blocking<TcpStream>, both(tcp(), Blocking::new));
pair!(DuplexTcp: Blocking<TcpStream>, both(tcp(), Blocking::full_duplex));
pair!(
    Pipes: Split<Blocking<std::io::PipeReader>, Blocking<std::io::PipeWriter>>,
    {
        let objects = || {
            let (reader, writer) = pipe();
            (Blocking::reader(reader), Blocking::writer(writer))
        };
        crossed(objects(), objects())
    }
);
pair!(
    /// Each way by a socket of its own.
    TwoSockets: Split<UnixStream, UnixStream>,
    crossed(unix(), unix())
);
pair!(
    /// The prefix is what comes after it.
    Sniffed: Prefixed<UnixStream>,
    both(unix(), |end| Prefixed::new([], end))
);
pair!(TlsInTls: TlsStream<TcpStream>, within_tls(tcp()));
pair!(
    TlsInTlsInTls: TlsStream<TlsStream<UnixStream>>,
    within_tls(within_tls(unix()))
);
pair!(
    TlsInObject: TlsStream<Blocking<UnixStream>>,
    within_tls(both(unix(), Blocking::full_duplex))
);

#[cfg(feature = "greenling")]
pub(crate) mod green {
    use std::io::{PipeReader, PipeWriter};
    use std::rc::Rc;

    use greenling::io::Fd;
    use greenling::net::{TcpStream, UnixStream};

    use super::*;

    /// The programs are tasklets of one thread.
    pub(crate) struct Tasklets<P>(PhantomData<P>);

    impl<P: Pair + 'static> Kind for Tasklets<P> {
        type End = P::End;

        fn run(
            server: impl FnOnce(P::End) + Send + 'static,
            client: impl FnOnce(P::End) + Send + 'static,
        ) {
            greenling::enter(move || {
                let (at_server, at_client) = P::pair();
                let serving = greenling::spawn(move || server(at_server));
                client(at_client);
                serving.join().expect("the server came to an end");
            });
        }

        fn pause() {
            greenling::time::sleep(MOMENT);
        }
    }

    fn tcp() -> (TcpStream, TcpStream) {
        both(super::tcp(), |std| {
            TcpStream::from_std(std).expect("a socket of the scheduler")
        })
    }

    fn unix() -> (UnixStream, UnixStream) {
        UnixStream::pair().expect("socket pair")
    }

    fn fds() -> (Fd<PipeReader>, Fd<PipeWriter>) {
        let (reader, writer) = pipe();
        let watched = "epoll watches pipes";
        (
            Fd::new(reader).expect(watched),
            Fd::new(writer).expect(watched),
        )
    }

    pair!(Tcp: TcpStream, tcp());
    pair!(Unix: UnixStream, unix());
    pair!(Counted: Rc<TcpStream>, both(tcp(), Rc::new));
    pair!(
        Descriptor: Fd<std::os::unix::net::UnixStream>,
        both(super::unix(), |end| Fd::new(end).expect("epoll watches sockets"))
    );
    pair!(FdPipes: Split<Fd<PipeReader>, Fd<PipeWriter>>, crossed(fds(), fds()));
    pair!(BlockingUnix: Blocking<UnixStream>, both(unix(), Blocking::new));
    pair!(DuplexTcp: Blocking<TcpStream>, both(tcp(), Blocking::full_duplex));
    pair!(TlsInTls: TlsStream<TcpStream>, within_tls(tcp()));
    pair!(TlsInPipes: TlsStream<Split<Fd<PipeReader>, Fd<PipeWriter>>>, within_tls(
        crossed(fds(), fds())
    ));
    pair!(
        TlsInTlsInTls: TlsStream<TlsStream<UnixStream>>,
        within_tls(within_tls(unix()))
    );
    pair!(
        TlsInObject: TlsStream<Blocking<UnixStream>>,
        within_tls(both(unix(), Blocking::full_duplex))
    );
}

#[cfg(feature = "may")]
pub(crate) mod coroutines {
    use may::net::{TcpListener, TcpStream};
    use may::os::unix::net::UnixStream;

    use super::*;

    /// The programs are coroutines of `may`.
    pub(crate) struct Coroutines<P>(PhantomData<P>);

    impl<P: Pair<End: Send>> Kind for Coroutines<P> {
        type End = P::End;

        fn run(
            server: impl FnOnce(P::End) + Send + 'static,
            client: impl FnOnce(P::End) + Send + 'static,
        ) {
            // In words; OpenSSL runs on these stacks.
            may::config().set_stack_size(0x8000);
            let (at_server, at_client) = P::pair();
            let serving = may::go!(move || server(at_server));
            let asking = may::go!(move || client(at_client));
            asking.join().expect("the client did not panic");
            serving.join().expect("the server did not panic");
        }

        fn pause() {
            may::coroutine::sleep(MOMENT);
        }
    }

    fn tcp() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("address");
        let client = TcpStream::connect(address).expect("connect");
        let (server, _) = listener.accept().expect("accept");
        (server, client)
    }

    fn unix() -> (UnixStream, UnixStream) {
        UnixStream::pair().expect("socket pair")
    }

    pair!(Tcp: TcpStream, tcp());
    pair!(Unix: UnixStream, unix());
    pair!(TwoSockets: Split<UnixStream, UnixStream>, crossed(unix(), unix()));
    pair!(TlsInTls: TlsStream<TcpStream>, within_tls(tcp()));
}
