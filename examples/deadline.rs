//! Time limits that lose nothing.
//!
//! ```sh
//! cargo run --release --example deadline
//! ```
//!
//! Shows timeout scopes. A scope is a deadline for every wait inside it, however
//! deep. A wait that ends by it took nothing: the message that was late is still
//! there for the next one who asks. Scopes nest, and the earliest counts.

use std::io::{Read, Write};
use std::time::Duration;

use greenling::net::{TcpListener, TcpStream};
use greenling::time::timeout;
use greenling::{Channel, WaitError, enter, spawn};

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(600);

fn main() -> std::io::Result<()> {
    enter(|| {
        println!("from the channel: {:?}", late_message());
        println!("from the socket: {:?}", late_bytes()?);
        Ok(())
    })
}

/// Gives up on a channel once, and then gets the message all the same.
fn late_message() -> (bool, Result<&'static str, String>) {
    let letters = Channel::new();
    // The inner scope may take long; the outer one ends it.
    let first = timeout(SHORT, || timeout(LONG, || letters.receive()));
    let cut_short = first.is_err_and(|elapsed| elapsed.into_inner().is_ok());
    let post = letters.clone();
    spawn(move || post.send("late, and not lost"));
    (
        cut_short,
        letters.receive().map_err(|error| error.to_string()),
    )
}

/// The same with a socket: a read that times out has read nothing.
fn late_bytes() -> std::io::Result<(std::io::ErrorKind, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;

    let mut text = String::new();
    let first = timeout(SHORT, || client.read_to_string(&mut text));
    let kind = match first {
        Err(elapsed) => elapsed.into_inner().expect_err("nothing was sent").kind(),
        Ok(_) => return Err(WaitError::Deadlock.into()),
    };
    server.write_all(b"late, and not lost")?;
    drop(server);
    client.read_to_string(&mut text)?;
    Ok((kind, text))
}

#[cfg(test)]
#[test]
fn what_comes_late_is_not_lost() {
    enter(|| {
        assert_eq!(late_message(), (true, Ok("late, and not lost")));
        let (kind, text) = late_bytes().expect("sockets");
        assert_eq!(kind, std::io::ErrorKind::TimedOut);
        assert_eq!(text, "late, and not lost");
    });
}
