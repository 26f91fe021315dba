//! A visit: the two tasklets of a connection.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use greenling::net::TcpStream;
use greenling::{Builder, schedule, time};

use crate::house::{Event, House, Visitor};
use crate::lines::{Line, Lines};

/// How long a client may leave its window closed.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

const HELP: &str = "look, say TEXT, go WAY, who, help, quit";

/// Starts a visit, or sends the connection away.
pub(crate) fn begin(stream: TcpStream, peer: SocketAddr, house: &Rc<House>) {
    let visitor = match house.admit(stream) {
        Ok(visitor) => visitor,
        Err(stream) => {
            // As much as fits at once: nobody waits for those who can't stay.
            let _ = stream.try_write(b"The house is full. Come back later.\r\n");
            return;
        }
    };
    let guest = Guest {
        visitor,
        house: house.clone(),
        room: None,
    };
    if let Err(error) = start(guest, peer) {
        eprintln!("mud: {peer}: turned away: {error}");
    }
}

/// Unlike `spawn`, a builder says so when there is no room for a stack.
fn start(guest: Guest, peer: SocketAddr) -> io::Result<()> {
    guest.visitor.stream.set_write_timeout(Some(WRITE_LIMIT))?;
    let (reader, job) = (guest.visitor.clone(), guest.house.begin_job());
    Builder::new().name(format!("to {peer}")).spawn(move || {
        let _job = job;
        // Who does not listen is gone; the reader hears of it.
        if deliver(&reader).is_err() {
            reader.stream.close();
        }
    })?;
    let job = guest.house.begin_job();
    Builder::new().name(format!("from {peer}")).spawn(move || {
        let _job = job;
        // A connection that breaks is no news here.
        let _ = guest.visits();
    })?;
    Ok(())
}

/// Writes what is in the outbox, until that is closed and empty.
fn deliver(visitor: &Visitor) -> io::Result<()> {
    let mut stream = &*visitor.stream;
    for text in &visitor.outbox {
        stream.write_all(text?.as_bytes())?;
    }
    stream.shutdown(Shutdown::Write)
}

/// The visit as its visitor sees it. However it ends, a kill included, dropping
/// this tells those who have to know; nothing of that waits.
struct Guest {
    visitor: Rc<Visitor>,
    house: Rc<House>,
    room: Option<usize>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.leave();
        self.house.forget(&self.visitor);
        self.visitor.outbox.close();
    }
}

impl Guest {
    fn visits(mut self) -> io::Result<()> {
        let mut lines = Lines::new(self.visitor.stream.clone());
        self.visitor.tell("Welcome! What is your name?");
        loop {
            let limit = self.house.idle_timeout;
            let Ok(line) = time::timeout(limit, || lines.next()) else {
                self.visitor.tell("You have fallen asleep. Good night!");
                return Ok(());
            };
            let goes_on = match line? {
                Line::Text(text) if self.room.is_none() => self.names_itself(&text),
                Line::Text(text) => self.obey(&text),
                Line::TooLong => {
                    self.visitor.tell("That was too much. Good bye!");
                    false
                }
                Line::End => false,
            };
            if !goes_on {
                return Ok(());
            }
            // Who sends without a pause must not have the thread for itself.
            schedule();
        }
    }

    fn names_itself(&mut self, name: &str) -> bool {
        match self.house.call(&self.visitor, name) {
            Ok(()) => {
                self.visitor
                    .tell(&format!("Hello, {name}! You can: {HELP}."));
                self.enter(0);
            }
            Err(why) => self.visitor.tell(why),
        }
        true
    }

    /// Does what a line says; false if that was the last.
    fn obey(&mut self, line: &str) -> bool {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match (verb.to_ascii_lowercase().as_str(), self.room) {
            ("", _) => {}
            ("quit", _) => {
                self.visitor.tell("Good bye!");
                return false;
            }
            ("look", Some(room)) => {
                self.house
                    .tell_room(room, Event::Looks(self.visitor.clone()));
            }
            ("say", Some(room)) if !rest.is_empty() => {
                let says = Event::Says(self.visitor.clone(), rest.to_owned());
                self.house.tell_room(room, says);
            }
            ("go", Some(room)) => match House::exit(room, rest) {
                Some(next) => {
                    self.leave();
                    self.enter(next);
                }
                None => self.visitor.tell("There is no such way."),
            },
            ("who", _) => {
                let names = self.house.names().join(", ");
                self.visitor.tell(&format!("In the house: {names}."));
            }
            _ => self.visitor.tell(&format!("You can: {HELP}.")),
        }
        true
    }

    fn enter(&mut self, room: usize) {
        self.room = Some(room);
        self.house
            .tell_room(room, Event::Enters(self.visitor.clone()));
    }

    fn leave(&mut self) {
        if let Some(room) = self.room.take() {
            self.house
                .tell_room(room, Event::Leaves(self.visitor.clone()));
        }
    }
}
