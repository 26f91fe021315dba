//! The rooms, and who is connected.
//!
//! Each room is a tasklet that owns the list of those in it and is told of
//! everything by a channel, so no list is ever changed while it is gone through.
//! The channel has a buffer: to send never waits, so that a visitor's clean-up
//! may do it, and a room may tell a visitor while that tells the room.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use greenling::net::TcpStream;
use greenling::port::QueueChannel;
use greenling::sync::{Job, Queue, WaitGroup};
use greenling::{Builder, ReceiveError, WaitError};

/// Texts that may lie ready for a client that does not read.
const OUTBOX: usize = 64;

/// A room: its name, what is seen in it, and the ways out.
struct Plan {
    name: &'static str,
    sight: &'static str,
    exits: &'static [(&'static str, usize)],
}

/// Visitors begin in the first.
const PLANS: [Plan; 3] = [
    Plan {
        name: "the hall",
        sight: "Coats on hooks, and a clock that has stopped.",
        exits: &[("north", 1), ("down", 2)],
    },
    Plan {
        name: "the garden",
        sight: "Grass, a pond, and a mole hill that was not there before.",
        exits: &[("south", 0)],
    },
    Plan {
        name: "the cellar",
        sight: "It smells of apples. Something is ticking.",
        exits: &[("up", 0)],
    },
];

/// What happens in a room.
#[derive(Debug)]
pub(crate) enum Event {
    Enters(Rc<Visitor>),
    /// For another room, or for good.
    Leaves(Rc<Visitor>),
    Looks(Rc<Visitor>),
    Says(Rc<Visitor>, String),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) id: u64,
    pub(crate) stream: Rc<TcpStream>,
    pub(crate) outbox: Queue<String>,
    name: RefCell<String>,
}

impl Visitor {
    /// Puts a line into the outbox; cuts the connection if there is no room.
    pub(crate) fn tell(&self, text: &str) {
        if self.outbox.try_put(format!("{text}\r\n")).is_err() && !self.outbox.is_closed() {
            self.outbox.close();
            self.stream.close();
        }
    }

    /// Lets what is in the outbox be the last: its reader sees the end of the
    /// stream.
    fn see_out(&self) {
        self.outbox.close();
        // An error means that the peer was faster.
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    pub(crate) fn name(&self) -> String {
        self.name.borrow().clone()
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct House {
    rooms: Vec<QueueChannel<Event>>,
    visitors: RefCell<BTreeMap<u64, Rc<Visitor>>>,
    /// Of visitors so far.
    count: Cell<u64>,
    max_visitors: usize,
    pub(crate) idle_timeout: Duration,
    closing: Cell<bool>,
    /// Tasklets of visitors.
    busy: WaitGroup,
}

impl House {
    /// Starts the rooms.
    pub(crate) fn open(max_visitors: usize, idle_timeout: Duration) -> io::Result<Rc<House>> {
        let mut rooms = Vec::new();
        for plan in &PLANS {
            let events = QueueChannel::unbounded();
            rooms.push(events.clone());
            Builder::new().name(plan.name).spawn(move || {
                if let Err(error) = plan.happens(&events) {
                    eprintln!("mud: {} is closed: {error}", plan.name);
                }
            })?;
        }
        Ok(Rc::new(House {
            rooms,
            visitors: RefCell::default(),
            count: Cell::new(0),
            max_visitors,
            idle_timeout,
            closing: Cell::new(false),
            busy: WaitGroup::new(),
        }))
    }

    /// Registers a connection, if there is room for one.
    pub(crate) fn admit(&self, stream: TcpStream) -> Result<Rc<Visitor>, TcpStream> {
        if self.visitors.borrow().len() >= self.max_visitors || self.closing.get() {
            return Err(stream);
        }
        let id = self.count.replace(self.count.get() + 1);
        let visitor = Rc::new(Visitor {
            id,
            stream: Rc::new(stream),
            outbox: Queue::bounded(OUTBOX),
            name: RefCell::default(),
        });
        self.visitors.borrow_mut().insert(id, visitor.clone());
        Ok(visitor)
    }

    /// Gives the visitor a name; says why not.
    pub(crate) fn call(&self, visitor: &Visitor, name: &str) -> Result<(), &'static str> {
        let letters = name.chars().all(|c| c.is_ascii_alphabetic());
        if name.is_empty() || name.len() > 16 || !letters {
            return Err("A name has 1 to 16 letters.");
        }
        let visitors = self.visitors.borrow();
        let is_taken = |other: &Rc<Visitor>| other.name.borrow().eq_ignore_ascii_case(name);
        if visitors.values().any(is_taken) {
            return Err("Somebody of that name is here already.");
        }
        visitor.name.replace(name.to_owned());
        Ok(())
    }

    pub(crate) fn forget(&self, visitor: &Visitor) {
        let gone = self.visitors.borrow_mut().remove(&visitor.id);
        drop(gone);
    }

    /// Who has a name, in order of arrival.
    pub(crate) fn names(&self) -> Vec<String> {
        let visitors = self.visitors.borrow();
        let names = visitors.values().map(|visitor| visitor.name());
        names.filter(|name| !name.is_empty()).collect()
    }

    /// Tells a room what happens in it. Never waits.
    pub(crate) fn tell_room(&self, room: usize, event: Event) {
        // Only a room that has failed refuses, and it has said so.
        let _ = self.rooms[room].send(event);
    }

    /// Where the way of that name leads.
    pub(crate) fn exit(room: usize, way: &str) -> Option<usize> {
        let exits = PLANS[room].exits.iter();
        exits.copied().find(|&(name, _)| name == way).map(|it| it.1)
    }

    /// Shows everybody out.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        let everybody: Vec<_> = self.visitors.borrow().values().cloned().collect();
        for visitor in everybody {
            visitor.tell("The house closes. Good night!");
            visitor.see_out();
        }
    }

    /// Counts a tasklet of a visitor until the job is dropped.
    pub(crate) fn begin_job(&self) -> Job {
        self.busy.add()
    }

    /// Waits until no visitor is left.
    pub(crate) fn wait_until_empty(&self) -> Result<(), WaitError> {
        self.busy.wait()
    }
}

impl Plan {
    /// Deals with what happens in the room, one thing after the other.
    fn happens(&self, events: &QueueChannel<Event>) -> Result<(), ReceiveError> {
        let mut here: Vec<Rc<Visitor>> = Vec::new();
        for event in events.iter() {
            match event? {
                Event::Enters(visitor) => {
                    let news = format!("{} comes in.", visitor.name());
                    tell(&here, &news);
                    here.push(visitor.clone());
                    self.describe(&visitor, &here);
                }
                Event::Leaves(visitor) => {
                    here.retain(|other| other.id != visitor.id);
                    tell(&here, &format!("{} leaves.", visitor.name()));
                }
                Event::Looks(visitor) => self.describe(&visitor, &here),
                Event::Says(visitor, text) => {
                    tell(&here, &format!("{}: {text}", visitor.name()));
                }
            }
        }
        Ok(())
    }

    fn describe(&self, visitor: &Visitor, here: &[Rc<Visitor>]) {
        visitor.tell(&format!("You are in {}. {}", self.name, self.sight));
        let ways: Vec<_> = self.exits.iter().map(|&(name, _)| name).collect();
        visitor.tell(&format!("Ways out: {}.", ways.join(", ")));
        let others = here.iter().filter(|other| other.id != visitor.id);
        let others: Vec<_> = others.map(|other| other.name()).collect();
        if !others.is_empty() {
            visitor.tell(&format!("Here: {}.", others.join(", ")));
        }
    }
}

fn tell(visitors: &[Rc<Visitor>], text: &str) {
    for visitor in visitors {
        visitor.tell(text);
    }
}
