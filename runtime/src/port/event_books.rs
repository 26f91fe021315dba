//! Which events a queue has, and in which order they are due: plain data, which
//! is told the time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The events of a queue. What is taken out is returned, and so is never
/// dropped while these are borrowed.
#[derive(Default)]
pub(super) struct Books {
    /// By id. One that is not in `order` is in `batch` or being called.
    events: BTreeMap<u64, Event>,
    order: BTreeMap<Key, u64>,
    batch: VecDeque<u64>,
    pumping: bool,
    /// Of ids and sequence numbers.
    last_number: u64,
}

/// When, and the sequence number that breaks ties.
type Key = (Due, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// At the next pump.
    Soon,
    /// When the clock has come there.
    At(Duration),
}

pub(super) struct Event {
    key: Key,
    /// None while it is being called.
    action: Option<Action>,
}

pub(super) enum Action {
    Once(Box<dyn FnOnce()>),
    Repeat(Duration, Box<dyn FnMut()>),
}

impl Books {
    pub(super) fn add(&mut self, due: Due, action: Action) -> u64 {
        let id = self.next_number();
        let key = (due, id);
        self.order.insert(key, id);
        let action = Some(action);
        self.events.insert(id, Event { key, action });
        id
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.events.contains_key(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The time of the next event: now, if one waits for the next pump in any
    /// case.
    pub(super) fn next_due(&self, now: Duration) -> Option<Duration> {
        if !self.batch.is_empty() {
            return Some(now);
        }
        let (&(due, _), _) = self.order.first_key_value()?;
        Some(match due {
            Due::Soon => now,
            Due::At(time) => time,
        })
    }

    /// Puts together what is due; false if there is a batch already.
    pub(super) fn begin_batch(&mut self, now: Duration) -> bool {
        if self.pumping {
            return false;
        }
        self.pumping = true;
        let later = self.order.split_off(&(Due::At(now), u64::MAX));
        let due = std::mem::replace(&mut self.order, later);
        self.batch = due.into_values().collect();
        true
    }

    /// The next event of the batch that was not cancelled.
    pub(super) fn next_of_batch(&mut self) -> Option<(u64, Action)> {
        loop {
            let id = self.batch.pop_front()?;
            let event = self.events.get_mut(&id);
            if let Some(action) = event.and_then(|event| event.action.take()) {
                return Some((id, action));
            }
        }
    }

    /// Puts what is left of the batch back in its place.
    pub(super) fn end_batch(&mut self) {
        self.pumping = false;
        for id in std::mem::take(&mut self.batch) {
            if let Some(event) = self.events.get(&id) {
                self.order.insert(event.key, id);
            }
        }
    }

    /// Gives a repeated event that was called its next time. It comes back if
    /// it was cancelled meanwhile.
    pub(super) fn repeat(
        &mut self,
        id: u64,
        period: Duration,
        f: Box<dyn FnMut()>,
        now: Duration,
    ) -> Option<Box<dyn FnMut()>> {
        let sequence = self.next_number();
        let Some(event) = self.events.get_mut(&id) else {
            return Some(f);
        };
        let last = match event.key.0 {
            Due::At(time) => time,
            Due::Soon => now,
        };
        event.key = (Due::At(next_beat(last, period, now)), sequence);
        event.action = Some(Action::Repeat(period, f));
        self.order.insert(event.key, id);
        None
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn shift(&mut self, moved: impl Fn(Duration) -> Duration) {
        for event in self.events.values_mut() {
            if let (Due::At(time), sequence) = event.key {
                event.key = (Due::At(moved(time)), sequence);
            }
        }
        let ids: Vec<u64> = std::mem::take(&mut self.order).into_values().collect();
        self.order = ids
            .into_iter()
            .map(|id| (self.events[&id].key, id))
            .collect();
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Event> {
        let event = self.events.remove(&id)?;
        self.order.remove(&event.key);
        Some(event)
    }
}

/// The first of `last + period`, `last + 2 period`, .. that is after `now`.
fn next_beat(last: Duration, period: Duration, now: Duration) -> Duration {
    let next = last.saturating_add(period);
    if next > now || period.is_zero() {
        return next;
    }
    let late = now.saturating_sub(last).as_nanos() % period.as_nanos();
    // Less than a period, which is a Duration.
    let late = Duration::new((late / 1_000_000_000) as u64, (late % 1_000_000_000) as u32);
    now.saturating_sub(late).saturating_add(period)
}
