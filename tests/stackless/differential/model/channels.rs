//! Rendezvous: rules 26 to 36.

use super::{Ended, Model, Parcel, Progress, State, Wake, done, refused};
use crate::differential::trace::{Event, NOBODY, Outcome, STOP, Value, Why};

impl Model<'_> {
    pub(super) fn balance(&self, channel: usize) -> isize {
        let channel = &self.channels[channel];
        let count = channel.waiting.len() as isize;
        if channel.senders { count } else { -count }
    }

    /// Whoever watches sees an operation, whether it will succeed or not.
    fn act(&mut self, me: usize, channel: usize, sending: bool) {
        let balance = self.balance(channel);
        let waits = if sending { balance >= 0 } else { balance <= 0 };
        if self.program.watched {
            self.note(me, Event::Acts(channel, sending, waits));
        }
    }

    /// Why the actor may not wait in a channel.
    fn why_no_wait(&self, me: usize, channel: usize) -> Option<Why> {
        if self.tasks[me].block_trap {
            Some(Why::BlockTrap)
        } else if self.channels[channel].closing {
            Some(Why::Closed)
        } else {
            self.forbidden
        }
    }

    fn wait_in(&mut self, me: usize, channel: usize, senders: bool) -> Progress {
        self.channels[channel].senders = senders;
        self.channels[channel].waiting.push_back(me);
        self.leave(State::Blocked)
    }

    /// Takes the partner that has waited longest off the channel.
    fn partner(&mut self, channel: usize) -> usize {
        let waiting = &mut self.channels[channel].waiting;
        waiting.pop_front().expect("a partner waits")
    }

    /// Queues the partner of a hand-over, `first` if it is the preferred one;
    /// gives way if the preference wants that.
    fn queue(&mut self, channel: usize, partner: usize, first: bool) -> Option<Progress> {
        if self.channels[channel].schedule_all {
            self.append(partner);
            Some(self.go_to_next())
        } else if first {
            self.insert_after_current(partner);
            self.promised = true;
            Some(self.go_to_next())
        } else {
            self.append(partner);
            None
        }
    }

    /// Whether a hand-over by the side of this sign gives way.
    fn gives_way(&self, channel: usize, sign: i32) -> bool {
        let channel = &self.channels[channel];
        channel.schedule_all || channel.preference == sign
    }

    pub(super) fn send(&mut self, me: usize, channel: usize, parcel: Parcel) -> Progress {
        self.act(me, channel, true);
        let unsent = |why| Ended(Outcome::Unsent(why, parcel.is_ok()));
        if self.balance(channel) >= 0 {
            if let Some(why) = self.why_no_wait(me, channel) {
                return unsent(why);
            }
            self.tasks[me].parcel = Some(parcel);
            return self.wait_in(me, channel, true);
        }
        if let Some(why) = self.forbidden
            && self.gives_way(channel, -1)
        {
            return unsent(why);
        }
        let partner = self.partner(channel);
        self.tasks[partner].parcel = Some(parcel);
        let first = self.channels[channel].preference == -1;
        self.queue(channel, partner, first).unwrap_or_else(done)
    }

    pub(super) fn receive(&mut self, me: usize, channel: usize) -> Progress {
        self.act(me, channel, false);
        if self.balance(channel) <= 0 {
            return match self.why_no_wait(me, channel) {
                Some(why) => refused(why),
                None => self.wait_in(me, channel, false),
            };
        }
        if let Some(why) = self.forbidden
            && self.gives_way(channel, 1)
        {
            return refused(why);
        }
        let partner = self.partner(channel);
        self.tasks[me].parcel = self.tasks[partner].parcel.take();
        let first = self.channels[channel].preference == 1;
        let switched = self.queue(channel, partner, first);
        switched.unwrap_or_else(|| self.received(me))
    }

    /// What a receiver makes of its parcel.
    fn received(&mut self, me: usize) -> Progress {
        match self.tasks[me].parcel.take() {
            Some(Ok(value)) => Ended(Outcome::Got(value)),
            Some(Err(error)) => refused(Why::Thrown(error)),
            None => unreachable!("it was handed something"),
        }
    }

    pub(super) fn try_send(&mut self, me: usize, channel: usize) -> Progress {
        match self.balance(channel) {
            ..0 => self.send(me, channel, Ok(self.value(me))),
            _ if self.channels[channel].closing => Ended(Outcome::Unsent(Why::Closed, true)),
            _ => Ended(Outcome::Unsent(Why::WouldBlock, true)),
        }
    }

    pub(super) fn try_receive(&mut self, me: usize, channel: usize) -> Progress {
        match self.balance(channel) {
            1.. => self.receive(me, channel),
            _ if self.channels[channel].closing => refused(Why::Closed),
            _ => refused(Why::WouldBlock),
        }
    }

    /// A send resumes; errors come back by unwinding only if `wake` is none.
    pub(super) fn sent(&mut self, me: usize, wake: Option<Wake>) -> Progress {
        let back = matches!(self.tasks[me].parcel.take(), Some(Ok(_)));
        match wake {
            None => done(),
            Some(Wake::Thrown(error)) => Ended(Outcome::Unsent(Why::Thrown(error), back)),
            Some(_) => Ended(Outcome::Unsent(Why::Deadlock, back)),
        }
    }

    /// A receive resumes.
    pub(super) fn got(&mut self, me: usize, wake: Option<Wake>) -> Progress {
        let Some(wake) = wake else {
            return self.received(me);
        };
        self.tasks[me].parcel = None;
        refused(match wake {
            Wake::Thrown(error) => Why::Thrown(error),
            _ => Why::Deadlock,
        })
    }

    /// Goes on with a loop over a channel, whose current item may have come.
    pub(super) fn iterate(&mut self, me: usize, channel: usize, most: usize) -> Progress {
        loop {
            if self.tasks[me].items == most {
                return done();
            }
            let progress = self.receive(me, channel);
            let Some(progress) = self.item(me, progress) else {
                continue;
            };
            return progress;
        }
    }

    /// Notes an item of a loop; gives what is no item, but the loop's own.
    pub(super) fn item(&mut self, me: usize, progress: Progress) -> Option<Progress> {
        match progress {
            Ended(Outcome::Refused(Why::Closed | Why::Thrown(STOP))) => Some(done()),
            Ended(outcome) => {
                self.note(me, Event::Item(self.tasks[me].step, outcome));
                self.tasks[me].items += 1;
                None
            }
            other => Some(other),
        }
    }

    /// Goes on with a sequence, whose current item may have been sent.
    pub(super) fn sequence(&mut self, me: usize, channel: usize, count: usize) -> Progress {
        loop {
            let item = self.tasks[me].items;
            if item == count {
                return Ended(Outcome::Sent(count, None));
            }
            self.note(me, Event::Pulled(item));
            let value = Value {
                item,
                ..self.value(me)
            };
            let progress = self.send(me, channel, Ok(value));
            if let Some(progress) = self.item_sent(me, progress) {
                return progress;
            }
        }
    }

    /// Counts an item of a sequence, unless that ends or waits here.
    pub(super) fn item_sent(&mut self, me: usize, progress: Progress) -> Option<Progress> {
        let sent = self.tasks[me].items;
        match progress {
            Ended(Outcome::Unsent(why, back)) => {
                Some(Ended(Outcome::Sent(sent, Some((why, back)))))
            }
            Ended(_) => {
                self.tasks[me].items += 1;
                None
            }
            other => Some(other),
        }
    }

    /// Goes on killing those who waited in a channel when the step began.
    pub(super) fn clear(&mut self, me: usize, channel: usize) -> Progress {
        while let Some(task) = self.tasks[me].targets.pop_front() {
            if task == 0 || !self.channels[channel].waiting.contains(&task) {
                continue;
            }
            match self.signal(me, task, Wake::Killed, true) {
                Ended(Outcome::Done) => self.tasks[me].items += 1,
                other => return other,
            }
        }
        Ended(Outcome::Cleared(self.tasks[me].items))
    }

    pub(super) fn look_around(&self, task: usize) -> Progress {
        let number = |task: Option<&usize>| task.map_or(NOBODY, |&task| task as u8);
        let mut lists = self.channels.iter().map(|channel| &channel.waiting);
        let channel = lists.position(|list| list.contains(&task));
        let mut joins = self.tasks.iter().map(|task| &task.joiners);
        let list = channel.map(|channel| &self.channels[channel].waiting);
        let list = list.or_else(|| joins.find(|list| list.contains(&task)));
        let (prev, next) = if let Some(list) = list {
            let at = list.iter().position(|&t| t == task).expect("found above");
            (at.checked_sub(1).map(|at| &list[at]), list.get(at + 1))
        } else if let Some(at) = self.ring.iter().position(|&t| t == task) {
            let last = self.ring.len() - 1;
            let prev = at.checked_sub(1).unwrap_or(last);
            let next = if at == last { 0 } else { at + 1 };
            (self.ring.get(prev), self.ring.get(next))
        } else {
            (None, None)
        };
        let channel = channel.map_or(NOBODY, |channel| channel as u8);
        Ended(Outcome::Around(number(prev), number(next), channel))
    }

    pub(super) fn look(&self, channel: usize) -> Progress {
        let channel = &self.channels[channel];
        let mut waiting = [NOBODY; crate::differential::program::TASKS];
        for (place, &task) in waiting.iter_mut().zip(&channel.waiting) {
            *place = task as u8;
        }
        Ended(Outcome::Seen(
            waiting,
            channel.closing,
            channel.closing && channel.waiting.is_empty(),
            channel.preference,
            channel.schedule_all,
        ))
    }
}
