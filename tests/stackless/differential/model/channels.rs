//! Rendezvous: rules 26 to 36.

use super::{Ended, Model, Parcel, Progress, State, Wake, done, refused};
use crate::differential::trace::{Event, NOBODY, Outcome, Why};

impl Model<'_> {
    pub(super) fn balance(&self, channel: usize) -> isize {
        let channel = &self.channels[channel];
        let count = channel.waiting.len() as isize;
        if channel.senders { count } else { -count }
    }

    /// Why the actor may not wait in a channel.
    fn why_no_wait(&self, me: usize, channel: usize) -> Option<Why> {
        if self.forbidden.is_some() {
            self.forbidden
        } else if self.tasks[me].block_trap {
            Some(Why::BlockTrap)
        } else {
            self.channels[channel].closing.then_some(Why::Closed)
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
            Ended(Outcome::Refused(Why::Closed)) => Some(done()),
            Ended(outcome) => {
                self.note(me, Event::Item(self.tasks[me].step, outcome));
                self.tasks[me].items += 1;
                None
            }
            other => Some(other),
        }
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
