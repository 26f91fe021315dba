//! A tasklet for each connection, all of them accounted for.

use greenling::net::{TcpListener, TcpStream};
use greenling::{JoinHandle, spawn};
use std::net::SocketAddr;
use std::rc::Rc;

/// A server on a free port of 127.0.0.1, in the calling thread.
#[derive(Debug)]
pub struct Server {
    listener: Rc<TcpListener>,
    acceptor: JoinHandle<Vec<JoinHandle<()>>>,
}

impl Server {
    /// Starts one that calls `handler` in a tasklet for each connection.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub fn start(handler: impl Fn(TcpStream) + 'static) -> Server {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let accepting = listener.clone();
        let handler = Rc::new(handler);
        let acceptor = spawn(move || {
            let mut handlers = Vec::new();
            // Until `finish` closes the listener.
            while let Ok((stream, _)) = accepting.accept() {
                let handler = handler.clone();
                handlers.push(spawn(move || handler(stream)));
            }
            handlers
        });
        Server { listener, acceptor }
    }

    /// Where it listens.
    ///
    /// # Panics
    ///
    /// When the listener has lost its address.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("an address")
    }

    /// Connects to it.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).expect("connected")
    }

    /// Takes no more connections, waits for the handlers and tells how many
    /// there were.
    ///
    /// # Panics
    ///
    /// When a handler has.
    #[track_caller]
    pub fn finish(self) -> usize {
        self.listener.close();
        let handlers = self.acceptor.join().expect("the acceptor");
        let count = handlers.len();
        for handler in handlers {
            handler.join().expect("a handler");
        }
        count
    }
}
