//! Values through channels of several capacities, in both directions.
//!
//! ```text
//!   UNMADE --Value::new--> MADE --received--> RECEIVED
//!                            \--dropped----> GONE, with a killed sender
//! ```
//!
//! A send that fails gives its value back, and the sender tries again. So only
//! a kill can make a value go, and only the one that was being sent.

use super::{Interruption, Side};
use crate::stress::Random;
use greenling::thread::{ReceiveError, Receiver, SendError, Sender, channel};
use greenling::thread::{TryReceiveError, TrySendError};
use greenling::time::{Elapsed, timeout};
use greenling::{JoinHandle, WaitError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Capacities, and how many values each sender has for such a channel.
const CHANNELS: [(usize, usize); 3] = [(0, 8_000), (1, 12_000), (64, 14_000)];

/// How many tasklets send into a channel, and how many receive from it.
const SHARERS: usize = 2;

/// How many workers each thread has for all of this.
pub(super) const PLACES: usize = CHANNELS.len() * SHARERS * 2;

const UNMADE: u8 = 0;
const MADE: u8 = 1;
const RECEIVED: u8 = 2;
const GONE: u8 = 3;

/// What one sender sends, and what has become of it.
struct Stream {
    /// Which of its channel's senders.
    sharer: usize,
    values: Box<[AtomicU8]>,
    next: AtomicUsize,
    /// What a sender was at when it was unwound.
    cut_short: Mutex<HashSet<usize>>,
}

impl Stream {
    fn is_in(&self, number: usize, state: u8) -> bool {
        self.values[number].load(Ordering::SeqCst) == state
    }

    /// Moves a value from one state to the next; false if it is in another.
    fn change(&self, number: usize, from: u8, to: u8) -> bool {
        let value = &self.values[number];
        let changed = value.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        changed.is_ok()
    }
}

/// One of a stream's values.
struct Value {
    stream: Arc<Stream>,
    number: usize,
}

impl Value {
    fn new(stream: &Arc<Stream>, number: usize) -> Value {
        assert!(
            stream.change(number, UNMADE, MADE),
            "{number} is made twice"
        );
        Value {
            stream: stream.clone(),
            number,
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // It stays as it is if it has been received.
        self.stream.change(self.number, MADE, GONE);
    }
}

/// Notes a send that does not come to its end.
struct Sending<'a> {
    stream: &'a Stream,
    number: usize,
    sent: bool,
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if !self.sent {
            let mut cut_short = self.stream.cut_short.lock().unwrap();
            cut_short.insert(self.number);
        }
    }
}

/// One channel of one direction.
struct Lane {
    streams: [Arc<Stream>; SHARERS],
    /// Until its thread takes it.
    sender: Mutex<Option<Sender<Value>>>,
    /// The same.
    receiver: Mutex<Option<Receiver<Value>>>,
}

impl Lane {
    fn new(capacity: usize, values: usize) -> Lane {
        let (sender, receiver) = channel(capacity);
        Lane {
            streams: std::array::from_fn(|sharer| {
                Arc::new(Stream {
                    sharer,
                    values: (0..values).map(|_| AtomicU8::new(UNMADE)).collect(),
                    next: AtomicUsize::new(0),
                    cut_short: Mutex::default(),
                })
            }),
            sender: Mutex::new(Some(sender)),
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

/// All channels.
pub(super) struct Exchange {
    /// By the thread that sends.
    lanes: [Vec<Lane>; 2],
}

impl Exchange {
    pub(super) fn new() -> Exchange {
        let lanes = || CHANNELS.map(|(capacity, values)| Lane::new(capacity, values));
        Exchange {
            lanes: [lanes().into(), lanes().into()],
        }
    }

    /// Starts the senders and receivers of a thread.
    pub(super) fn start(&self, side: &Side) -> Vec<JoinHandle<()>> {
        let mut keepers = Vec::new();
        for lane in &self.lanes[side.me] {
            let sender = lane.sender.lock().unwrap().take().expect("once");
            for stream in &lane.streams {
                let (stream, sender) = (stream.clone(), sender.clone());
                let work = move |random| send_all(&stream, &sender, random);
                keepers.push(side.keep_at(keepers.len(), "sender", work));
            }
        }
        for lane in &self.lanes[side.other()] {
            let receiver = lane.receiver.lock().unwrap().take().expect("once");
            for _ in 0..SHARERS {
                let receiver = receiver.clone();
                let work = move |random| receive_all(&receiver, random);
                keepers.push(side.keep_at(keepers.len(), "receiver", work));
            }
        }
        assert_eq!(keepers.len(), PLACES);
        keepers
    }

    /// How far it is, for reports of failures.
    pub(super) fn progress(&self) -> String {
        let made = |stream: &Arc<Stream>| stream.next.load(Ordering::SeqCst);
        let lanes = self.lanes.iter().flatten();
        let made = lanes.map(|lane| lane.streams.each_ref().map(made));
        format!("values made: {:?}", made.collect::<Vec<_>>())
    }

    /// Checks that nothing is missing, and returns how many were received.
    pub(super) fn account(&self) -> usize {
        let streams = self.lanes.iter().flatten().flat_map(|lane| &lane.streams);
        streams.map(|stream| stream.account()).sum()
    }
}

impl Stream {
    /// Checks that each value was received, or went with a killed sender.
    fn account(&self) -> usize {
        let cut_short = self.cut_short.lock().unwrap();
        let mut received = 0;
        for (number, value) in self.values.iter().enumerate() {
            match value.load(Ordering::SeqCst) {
                RECEIVED => received += 1,
                GONE => assert!(cut_short.contains(&number), "{number} is lost"),
                state => panic!("{number} is in state {state}"),
            }
        }
        received
    }
}

/// Sends what is left of a stream.
fn send_all(stream: &Arc<Stream>, sender: &Sender<Value>, mut random: Random) {
    while stream.next.load(Ordering::SeqCst) < stream.values.len() {
        let number = stream.next.fetch_add(1, Ordering::SeqCst);
        let mut sending = Sending {
            stream,
            number,
            sent: false,
        };
        let mut value = Value::new(stream, number);
        while let Err(returned) = try_to_send(sender, value, &mut random) {
            assert_eq!(returned.number, number);
            assert!(stream.is_in(number, MADE), "{number} is still here");
            value = returned;
        }
        sending.sent = true;
    }
}

fn try_to_send(sender: &Sender<Value>, value: Value, random: &mut Random) -> Result<(), Value> {
    let result = match random.below(8) {
        0..=2 => {
            return sender.try_send(value).map_err(|error| match error {
                TrySendError::Full(value) => value,
                _ => panic!("receivers stay as long as senders"),
            });
        }
        3 => timeout(some_time(random), || sender.send(value)).unwrap_or_else(Elapsed::into_inner),
        _ => sender.send(value),
    };
    result.map_err(|error| match error {
        SendError::Wait(error, value) => {
            assert!(is_ours(&error), "{error}");
            value
        }
        _ => panic!("receivers stay as long as senders"),
    })
}

/// Receives until no sender is left.
fn receive_all(receiver: &Receiver<Value>, mut random: Random) {
    let mut last = [None; SHARERS];
    while let Some(received) = try_to_receive(receiver, &mut random) {
        let Some(value) = received else {
            continue;
        };
        let (stream, number) = (&value.stream, value.number);
        assert!(
            stream.change(number, MADE, RECEIVED),
            "{number} comes twice"
        );
        let before = last[stream.sharer].replace(number);
        assert!(before < Some(number), "{number} after {before:?}");
    }
}

/// A value if one has come; `None` once none will come any more.
fn try_to_receive(receiver: &Receiver<Value>, random: &mut Random) -> Option<Option<Value>> {
    let result = match random.below(8) {
        0..=2 => {
            return match receiver.try_receive() {
                Ok(value) => Some(Some(value)),
                Err(TryReceiveError::Empty) => Some(None),
                Err(_) => None,
            };
        }
        3 => timeout(some_time(random), || receiver.receive()).unwrap_or_else(Elapsed::into_inner),
        _ => receiver.receive(),
    };
    match result {
        Ok(value) => Some(Some(value)),
        Err(ReceiveError::Wait(error)) => {
            assert!(is_ours(&error), "{error}");
            Some(None)
        }
        Err(_) => None,
    }
}

/// A time limit that some waits reach.
pub(super) fn some_time(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(300))
}

/// True if a wait has ended as this test wants it.
pub(super) fn is_ours(error: &WaitError) -> bool {
    match error {
        WaitError::TimedOut => true,
        WaitError::Thrown(error) => error.is::<Interruption>(),
        _ => false,
    }
}
