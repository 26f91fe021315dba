//! A small house to walk and talk in, for whoever has telnet or netcat: a MUD,
//! ported from Stackless Python.
//!
//! ```sh
//! cargo run --release --example mud
//! nc 127.0.0.1 4000
//! ```
//!
//! Shows a tasklet for each connection and one for each room, buffered channels
//! between them, time limits for who says nothing, and an end by SIGINT or
//! SIGTERM that lets everybody out. docs/porting.md has the Stackless program
//! that this was.
//!
//! ```text
//!   socket --lines--> visit --events--> room --texts--> outbox --deliver--> socket
//!                     tasklet           tasklet         bounded   tasklet
//! ```
//!
//! A room waits for nobody but its events: what a client does not read in time
//! fills its outbox, and then the connection is cut.

mod house;
mod lines;
mod visit;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use examples::arguments::seconds;
use greenling::net::TcpListener;
use greenling::signal::{SIGINT, SIGTERM, Signals};
use greenling::{Builder, enter, time};

use house::House;

/// A house with a few rooms, in which those who connect walk and talk.
///
/// It is plain text over TCP: connect with telnet or netcat, and say "help".
#[derive(Debug, Parser)]
#[command(name = "mud", version)]
struct Options {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: String,

    /// Connections at a time; more are sent away
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_visitors: usize,

    /// How long a visitor may take for a line
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    idle_timeout: Duration,

    /// How long SIGINT and SIGTERM wait for visitors to read what is left
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    drain: Duration,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match enter(|| serve(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mud: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(options.listen.as_str())
        .map_err(|error| format!("can't listen at {}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    // Before anybody can know that we are here.
    let signals = Signals::new(&[SIGINT, SIGTERM])?;
    let house = House::open(options.max_visitors, options.idle_timeout)?;
    let (door, host) = (Rc::new(listener), house.clone());
    let theirs = door.clone();
    Builder::new()
        .name("door")
        .spawn(move || welcome(&theirs, &host))?;
    writeln!(io::stdout(), "listening {address}")?;

    signals.wait()?;
    door.close();
    house.close();
    Builder::new().name("second signal").spawn(move || {
        if signals.wait().is_ok() {
            std::process::exit(1);
        }
    })?;
    if time::timeout(options.drain, || house.wait_until_empty()).is_err() {
        eprintln!("mud: some visitors had to be thrown out");
    }
    Ok(())
}

/// Lets visitors in until the listener is closed.
fn welcome(listener: &TcpListener, house: &Rc<House>) {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => visit::begin(stream, peer, house),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return,
            Err(error) => return eprintln!("mud: nobody can come in any more: {error}"),
        }
    }
}
