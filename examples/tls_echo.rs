//! A TLS server and a client that verifies it, in one program.
//!
//! ```sh
//! cargo run --release --example tls_echo
//! ```
//!
//! Shows a certificate authority made in memory, a listener that speaks TLS, and
//! that one tasklet may write to a stream while another reads from it. The client
//! checks certificate and name; one that does not know the authority is refused.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use greenling::net::TcpStream;
use greenling::{enter, spawn};
use greenling_tls::crypto::TestCa;
use greenling_tls::{Context, ContextBuilder, Error, TlsListener, TlsStream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    enter(|| {
        let ca = TestCa::new("tls_echo")?;
        let address = start(&ca)?;
        let client = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
        println!("echo: {}", ask(&client, address, "hello over TLS")?);
        // Trusts the system's roots only.
        let stranger = ContextBuilder::client().build()?;
        match ask(&stranger, address, "hello?") {
            Err(Error::Certificate(why)) => println!("refused: {why}"),
            other => println!("not expected: {other:?}"),
        }
        Ok(())
    })
}

/// Starts a server in the background and says where it is.
fn start(ca: &TestCa) -> Result<SocketAddr, Error> {
    let identity = ca.issue(&["localhost"])?;
    let context = ContextBuilder::server().identity(identity).build()?;
    let listener = TlsListener::bind("127.0.0.1:0", &context)?;
    let address = listener.local_addr()?;
    spawn(move || {
        while let Ok((stream, peer)) = listener.accept() {
            // The handshake is made here, on first use: a slow client holds up nobody.
            spawn(move || match io::copy(&mut &stream, &mut &stream) {
                Ok(_) => drop(stream.close()),
                Err(error) => eprintln!("{peer}: {error}"),
            });
        }
    });
    Ok(address)
}

/// Sends words and returns what comes back.
fn ask(context: &Context, address: SocketAddr, words: &str) -> Result<String, Error> {
    let tcp = TcpStream::connect(address)?;
    let stream = TlsStream::connect(context, "localhost", tcp).map_err(|e| e.into_error())?;
    let stream = Rc::new(stream);
    let (writer, words) = (stream.clone(), words.to_owned());
    let written = spawn(move || {
        (&*writer).write_all(words.as_bytes())?;
        writer.shutdown_write().map_err(io::Error::from)
    });
    let mut answer = String::new();
    // Ends well only if the server said goodbye: a cut would be `Error::Truncated`.
    (&*stream).read_to_string(&mut answer)?;
    written.join().map_err(io::Error::from)??;
    Ok(answer)
}

#[cfg(test)]
#[test]
fn friends_are_served_and_strangers_are_not() {
    enter(|| {
        let ca = TestCa::new("tls_echo")?;
        let address = start(&ca)?;
        let client = ContextBuilder::client().trust_pem(ca.root_pem()?).build()?;
        // Longer than all buffers together: both sides must read while they write.
        let words = "word ".repeat(2_000_000);
        assert!(ask(&client, address, &words)? == words);
        let other = TestCa::new("somebody else")?;
        let stranger = ContextBuilder::client()
            .trust_pem(other.root_pem()?)
            .build()?;
        assert!(matches!(
            ask(&stranger, address, "hello?"),
            Err(Error::Certificate(_))
        ));
        Ok::<(), Error>(())
    })
    .expect("TLS works");
}
