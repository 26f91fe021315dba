//! Every operation of a channel, hit at every switch that its caller makes.
//!
//! The park hook only knows waits. A caller that gives way after a hand-over
//! stays queued meanwhile, so here a schedule callback does the hitting: the
//! victim is killed, or thrown at, just after it has left its stack or just
//! before it comes back, once for each switch that it makes unharmed.
//!
//! Whatever happens, each item is received, handed back or dropped exactly
//! once, in order, and nobody stays linked.

use crate::stage::{Stage, kill_tests};
use greenling::{
    Channel, JoinHandle, Preference, ReceiveError, SendError, WaitError, defer_kill, run, schedule,
    set_schedule_callback, spawn,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tests::isolated;

/// What victims do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Send,
    SendError,
    SendSequence,
    Receive,
    Iterate,
}

const OPERATIONS: [Operation; 5] = [
    Operation::Send,
    Operation::SendError,
    Operation::SendSequence,
    Operation::Receive,
    Operation::Iterate,
];

impl Operation {
    fn sends(self) -> bool {
        !matches!(self, Operation::Receive | Operation::Iterate)
    }
}

/// How a channel is set, and who comes to it first.
#[derive(Clone, Copy, Debug)]
struct Setting {
    operation: Operation,
    preference: Preference,
    schedule_all: bool,
    victim_first: bool,
    /// The victim holds kills and throws back.
    guarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Kill,
    Throw,
}

/// Items that the victim passes on.
const ITEMS: u32 = 3;

/// An item, or an error, that is counted for as long as it exists.
#[derive(Debug)]
struct Item {
    number: u32,
    alive: Rc<Cell<usize>>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

/// What all see of one play.
#[derive(Clone, Default)]
struct Books {
    alive: Rc<Cell<usize>>,
    made: Rc<Cell<u32>>,
    /// Numbers in the order of their arrival.
    received: Rc<RefCell<Vec<u32>>>,
    errors_received: Rc<Cell<u32>>,
    /// Sends that said so.
    sent: Rc<Cell<u32>>,
    handed_back: Rc<Cell<u32>>,
    /// Operations that have failed by what was thrown.
    thrown: Rc<Cell<u32>>,
}

impl Books {
    fn make(&self) -> Item {
        let number = self.made.get();
        self.made.set(number + 1);
        self.alive.set(self.alive.get() + 1);
        Item {
            number,
            alive: self.alive.clone(),
        }
    }

    fn take(&self, received: Result<Item, ReceiveError>) {
        match received {
            Ok(item) => self.received.borrow_mut().push(item.number),
            Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                let counter = if error.to_string() == "sent" {
                    &self.errors_received
                } else {
                    &self.thrown
                };
                counter.set(counter.get() + 1);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn sent(&self, result: Result<(), SendError<Item>>) {
        match result {
            Ok(()) => self.sent.set(self.sent.get() + 1),
            Err(error) => {
                self.thrown.set(self.thrown.get() + 1);
                if error.into_inner().is_some() {
                    self.handed_back.set(self.handed_back.get() + 1);
                }
            }
        }
    }
}

/// One side's work, to its end.
fn work(operation: Operation, channel: &Channel<Item>, books: &Books, times: u32) {
    match operation {
        Operation::Send => (0..times).for_each(|_| books.sent(channel.send(books.make()))),
        Operation::SendError => (0..times).for_each(|_| books.sent(channel.send_error("sent"))),
        Operation::SendSequence => {
            // What was not sent is tried again.
            let mut items = (0..times).map(|_| books.make());
            loop {
                let (sent, error) = match channel.send_sequence(&mut items) {
                    Ok(sent) => (sent, None),
                    Err(rest) => (rest.sent, Some(rest.error)),
                };
                books.sent.set(books.sent.get() + sent as u32);
                match error {
                    Some(error) => books.sent(Err(error)),
                    None => break,
                }
            }
        }
        Operation::Receive => (0..times).for_each(|_| books.take(channel.receive())),
        Operation::Iterate => {
            for received in channel.iter().take(times as usize) {
                books.take(received);
            }
        }
    }
}

fn start(
    setting: Setting,
    channel: &Channel<Item>,
    books: &Books,
    victim: impl FnOnce(Box<dyn FnOnce()>) -> JoinHandle<()>,
) -> [JoinHandle<()>; 2] {
    let Setting { operation, .. } = setting;
    let (ours, theirs) = (books.clone(), books.clone());
    let (acting, answering) = (channel.clone(), channel.clone());
    let body = move || {
        let guard = setting.guarded.then(defer_kill);
        work(operation, &acting, &ours, ITEMS);
        drop(guard);
    };
    let peer = move || {
        // More often than needed: it stays behind, waiting.
        let other = if operation.sends() {
            Operation::Receive
        } else {
            Operation::Send
        };
        work(other, &answering, &theirs, 4 * ITEMS);
    };
    if setting.victim_first {
        let victim = victim(Box::new(body));
        [victim, spawn(peer)]
    } else {
        let peer = spawn(peer);
        [victim(Box::new(body)), peer]
    }
}

fn channel_of(setting: Setting) -> Channel<Item> {
    let channel = Channel::new();
    channel.set_preference(setting.preference);
    channel.set_schedule_all(setting.schedule_all);
    channel
}

/// Plays it with `signal` at the victim's switch number `place`, and returns
/// how many there were.
fn play(setting: Setting, hit: Option<(usize, Signal)>) -> usize {
    let (channel, books) = (channel_of(setting), Books::default());
    let victim_id = Rc::new(Cell::new(0));
    let [victim, peer] = start(setting, &channel, &books, |body| {
        let victim = spawn(body);
        victim_id.set(victim.tasklet().id());
        victim
    });
    let (places, was_hit) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let (counting, hitting) = (places.clone(), was_hit.clone());
    set_schedule_callback(Some(Rc::new(move |prev, next| {
        for tasklet in [prev, next] {
            if tasklet.id() != victim_id.get() {
                continue;
            }
            counting.set(counting.get() + 1);
            let here = hit.filter(|&(place, _)| place == counting.get());
            if let Some((_, signal)) = here
                && tasklet.is_alive()
            {
                hitting.set(true);
                match signal {
                    Signal::Kill => tasklet.kill_pending().unwrap(),
                    Signal::Throw => tasklet.throw_pending("thrown").unwrap(),
                }
            }
        }
    })));
    run().unwrap();
    set_schedule_callback(None);
    let at = format!("{setting:?} {hit:?}");
    check(setting, hit.filter(|_| was_hit.get()), &books, &at);
    // Who waits is told so, and is off the list then.
    let waiting = channel.balance().unsigned_abs();
    assert!(waiting <= 2, "{at}");
    assert_eq!(channel.clear().unwrap(), waiting, "{at}");
    assert_eq!(channel.balance(), 0, "{at}");
    let ended = [victim.is_finished(), peer.is_finished()];
    assert_eq!(ended, [true, true], "{at}");
    drop((victim, peer));
    assert_eq!(books.alive.get(), 0, "{at}: items leak");
    assert_eq!(greenling::inspect::tasklets().len(), 1, "{at}");
    places.get()
}

/// Whether the books are in order when all that could has run.
fn check(setting: Setting, hit: Option<(usize, Signal)>, books: &Books, at: &str) {
    let received = books.received.borrow();
    assert!(received.windows(2).all(|two| two[0] < two[1]), "{at}");
    let arrived = received.len() as u32 + books.errors_received.get();
    let (sent, thrown) = (books.sent.get(), books.thrown.get());
    assert!(thrown <= u32::from(hit.is_some()), "{at}");
    if setting.operation.sends() {
        // All that is said to be sent has arrived; one more at most has, whose
        // sender was hit after the hand-over. A sequence that is killed can't
        // say how many it was.
        let untold =
            setting.operation == Operation::SendSequence && matches!(hit, Some((_, Signal::Kill)));
        let most = if untold { ITEMS } else { sent + 1 };
        assert!((sent..=most).contains(&arrived), "{at}: {arrived} {sent}");
    } else {
        // One that was handed over may have been lost with its receiver.
        assert!(
            sent >= arrived && sent <= arrived + 1,
            "{at}: {arrived} {sent}"
        );
    }
    let all = arrived == ITEMS;
    match hit {
        None => assert!(all, "{at}: {arrived}"),
        // The first is its start, before it has its guard.
        Some((2.., _)) if setting.guarded => assert!(all && thrown == 0, "{at}: {arrived}"),
        Some((_, Signal::Kill)) => assert!(arrived <= ITEMS, "{at}: {arrived}"),
        Some((_, Signal::Throw)) => assert!(arrived <= ITEMS + thrown, "{at}: {arrived}"),
    }
}

fn settings() -> impl Iterator<Item = Setting> {
    let preferences = [
        Preference::Receiver,
        Preference::Sender,
        Preference::Neither,
    ];
    OPERATIONS.into_iter().flat_map(move |operation| {
        (0..24).map(move |n| Setting {
            operation,
            preference: preferences[n % 3],
            schedule_all: n / 3 % 2 == 1,
            victim_first: n / 6 % 2 == 1,
            guarded: n / 12 % 2 == 1,
        })
    })
}

#[test]
fn every_operation_is_killed_and_thrown_at_at_every_switch_of_its_caller() {
    isolated(|| {
        for setting in settings() {
            let places = play(setting, None);
            assert!(
                places >= 2,
                "{setting:?}: it only starts and ends: {places}"
            );
            for signal in [Signal::Kill, Signal::Throw] {
                for place in 1..=places {
                    play(setting, Some((place, signal)));
                }
            }
        }
    });
}

kill_tests! {
    channel_send,
    channel_send_error,
    channel_send_sequence,
    channel_receive,
    channel_iteration,
}

fn channel_send(stage: &Stage) {
    at_every_park(stage, Operation::Send);
}

fn channel_send_error(stage: &Stage) {
    at_every_park(stage, Operation::SendError);
}

fn channel_send_sequence(stage: &Stage) {
    at_every_park(stage, Operation::SendSequence);
}

fn channel_receive(stage: &Stage) {
    at_every_park(stage, Operation::Receive);
}

fn channel_iteration(stage: &Stage) {
    at_every_park(stage, Operation::Iterate);
}

/// Victims of all settings one after the other, on one stage.
fn at_every_park(stage: &Stage, operation: Operation) {
    // The stage knows one victim, so all settings are played by the same.
    let settings: Vec<_> = settings()
        .filter(|setting| setting.operation == operation && !setting.guarded)
        .collect();
    let books = Books::default();
    let channels: Vec<_> = settings.iter().map(|&it| channel_of(it)).collect();
    let (ours, acting) = (books.clone(), channels.clone());
    let victim = stage.victim(move || {
        for channel in &acting {
            work(operation, channel, &ours, ITEMS);
        }
    });
    let (theirs, answering) = (books.clone(), channels.clone());
    let peer = spawn(move || {
        let other = if operation.sends() {
            Operation::Receive
        } else {
            Operation::Send
        };
        for (channel, setting) in answering.iter().zip(settings) {
            if setting.victim_first {
                schedule();
            }
            work(other, channel, &theirs, ITEMS);
        }
    });
    run().unwrap();
    for channel in &channels {
        channel.clear().unwrap();
    }
    while !stage.is_over() {
        schedule();
    }
    stage.end(victim);
    peer.tasklet().kill().unwrap();
    drop(peer);
    assert!(channels.iter().all(|channel| channel.balance() == 0));
    assert_eq!(books.alive.get(), 0, "items leak");
}
