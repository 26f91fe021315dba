//! A TCP echo server in blocking style, and clients that talk to it.
//!
//! ```sh
//! cargo run --release --example echo_server                  # with three clients of its own
//! cargo run --release --example echo_server 127.0.0.1:7007   # for whoever comes
//! ```
//!
//! Shows a tasklet per connection. `copy` is std's: any code over `Read` and
//! `Write` parks its tasklet only.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use greenling::net::{TcpListener, TcpStream};
use greenling::{Builder, enter, spawn};

fn main() -> io::Result<()> {
    enter(|| match std::env::args().nth(1) {
        Some(address) => serve(&TcpListener::bind(address)?),
        None => {
            for line in demo(3)? {
                println!("{line}");
            }
            Ok(())
        }
    })
}

/// Accepts connections until the listener is closed.
fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept()?;
        // Unlike `spawn`, a builder says so when there is no room for a stack.
        let served = Builder::new()
            .name(format!("echo to {peer}"))
            .spawn(move || {
                if let Err(error) = io::copy(&mut &stream, &mut &stream) {
                    eprintln!("{peer}: {error}");
                }
            });
        if let Err(error) = served {
            eprintln!("{peer}: turned away: {error}");
        }
    }
}

/// What `count` clients at once get back.
fn demo(count: usize) -> io::Result<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = spawn(move || serve(&listener));
    let clients: Vec<_> = (0..count)
        .map(|number| spawn(move || ask(address, &format!("client {number} was here"))))
        .collect();
    let answers = clients.into_iter().map(|client| client.join()?).collect();
    // Ends the `accept` that the server waits in.
    server.tasklet().kill()?;
    answers
}

fn ask(address: SocketAddr, words: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(words.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
#[test]
fn every_client_gets_its_own_words_back() {
    let answers = enter(|| demo(20)).expect("answers");
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(*answer, format!("client {number} was here"));
    }
    assert_eq!(answers.len(), 20);
}
