//! Who runs after a hand-over.

use crate::queued;
use greenling::{Channel, Preference, run, schedule};
use std::rc::Rc;
use tests::{Trace, isolated};

const PREFERENCES: [Preference; 3] = [
    Preference::Receiver,
    Preference::Sender,
    Preference::Neither,
];

/// A partner waits in the channel, X and Y are queued, and the actor acts.
fn order(act_sends: bool, preference: Preference, schedule_all: bool, in_tasklet: bool) -> String {
    let trace = Trace::new();
    let channel = Channel::new();
    channel.set_preference(preference);
    channel.set_schedule_all(schedule_all);
    let (inner, partner) = (trace.clone(), channel.clone());
    queued(move || {
        if act_sends {
            assert_eq!(partner.receive().unwrap(), 7);
        } else {
            partner.send(7).unwrap();
        }
        inner.note("partner");
    });
    schedule();
    assert_eq!(channel.balance(), if act_sends { -1 } else { 1 });
    let (inner, actor) = (trace.clone(), channel.clone());
    let act = move || {
        if act_sends {
            actor.send(7).unwrap();
        } else {
            assert_eq!(actor.receive().unwrap(), 7);
        }
        inner.note("actor");
    };
    if in_tasklet {
        queued(act);
        queued(trace.noting("X"));
        queued(trace.noting("Y"));
        run().unwrap();
    } else {
        queued(trace.noting("X"));
        queued(trace.noting("Y"));
        act();
        run().unwrap();
    }
    assert_eq!(channel.balance(), 0);
    trace.take()
}

#[test]
fn after_a_hand_over_each_cell_of_the_table_holds() {
    isolated(|| {
        for in_tasklet in [false, true] {
            for (sends, preference, expected) in [
                (true, Preference::Receiver, "partner X Y actor"),
                (true, Preference::Neither, "actor X Y partner"),
                (true, Preference::Sender, "actor X Y partner"),
                (false, Preference::Receiver, "actor X Y partner"),
                (false, Preference::Neither, "actor X Y partner"),
                (false, Preference::Sender, "partner X Y actor"),
            ] {
                assert_eq!(
                    order(sends, preference, false, in_tasklet),
                    expected,
                    "sends: {sends}, {preference:?}, in a tasklet: {in_tasklet}"
                );
            }
        }
    });
}

#[test]
fn schedule_all_queues_both_sides_whatever_the_preference() {
    isolated(|| {
        for in_tasklet in [false, true] {
            for sends in [false, true] {
                for preference in PREFERENCES {
                    assert_eq!(
                        order(sends, preference, true, in_tasklet),
                        "X Y partner actor",
                        "sends: {sends}, {preference:?}, in a tasklet: {in_tasklet}"
                    );
                }
            }
        }
    });
}

#[test]
fn with_schedule_all_a_lone_actor_lets_its_partner_run() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        channel.set_schedule_all(true);
        channel.set_preference(Preference::Sender);
        let (inner, receiver) = (trace.clone(), channel.clone());
        queued(move || inner.note(receiver.receive().unwrap()));
        schedule();
        channel.send(1).unwrap();
        trace.note("sender");
        assert_eq!(trace.take(), "1 sender");
    });
}

#[test]
fn by_default_the_receiver_is_preferred() {
    let channel = Channel::<()>::new();
    assert_eq!(channel.preference(), Preference::Receiver);
    assert_eq!(channel.preference().as_i32(), -1);
    assert!(!channel.schedule_all());
}

#[test]
fn only_the_sign_of_a_preference_counts() {
    let signs = [2, -2, 0, 1, i32::MIN].map(|n| Preference::from_i32(n).as_i32());
    assert_eq!(signs, [1, -1, 0, 1, -1]);
}

#[test]
fn preference_and_schedule_all_are_read_as_they_were_set() {
    let channel = Channel::<()>::new();
    for preference in PREFERENCES {
        channel.set_preference(preference);
        assert_eq!(channel.preference(), preference);
    }
    for on in [true, false] {
        channel.set_schedule_all(on);
        assert_eq!(channel.schedule_all(), on);
        assert_eq!(channel.preference(), Preference::Neither);
    }
}

#[test]
fn producer_and_consumer_alternate_whichever_starts_first() {
    isolated(|| {
        for consumer_first in [false, true] {
            let trace = Trace::new();
            let channel = Channel::new();
            let (notes, sender) = (trace.clone(), channel.clone());
            let produce = move || {
                for n in 0..3 {
                    notes.note(format!("s{n}"));
                    sender.send(n).unwrap();
                }
            };
            let (notes, receiver) = (trace.clone(), channel.clone());
            let consume = move || {
                for _ in 0..3 {
                    notes.note(format!("r{}", receiver.receive().unwrap()));
                }
            };
            if consumer_first {
                queued(consume);
                queued(produce);
            } else {
                queued(produce);
                queued(consume);
            }
            run().unwrap();
            assert_eq!(trace.take(), "s0 r0 s1 r1 s2 r2");
        }
    });
}

#[test]
fn when_senders_are_preferred_all_of_them_finish_before_any_receiver() {
    isolated(|| {
        for receivers_first in [false, true] {
            let trace = Trace::new();
            let channel = Rc::new(Channel::new());
            channel.set_preference(Preference::Sender);
            let spawn = |sends: bool| {
                for n in 0..3 {
                    let (trace, channel) = (trace.clone(), channel.clone());
                    queued(move || {
                        if sends {
                            channel.send(n).unwrap();
                            trace.note(format!("s{n}"));
                        } else {
                            let got = channel.receive().unwrap();
                            trace.note(format!("r{n}:{got}"));
                        }
                    });
                }
            };
            spawn(!receivers_first);
            spawn(receivers_first);
            run().unwrap();
            assert_eq!(trace.take(), "s0 s1 s2 r0:0 r1:1 r2:2");
        }
    });
}

#[test]
fn a_receiver_that_finds_senders_never_switches() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        for n in 0..10 {
            let (trace, channel) = (trace.clone(), channel.clone());
            queued(move || {
                channel.send(n).unwrap();
                trace.note(format!("s{n}"));
            });
        }
        schedule();
        let got: Vec<i32> = (0..10).map(|_| channel.receive().unwrap()).collect();
        assert_eq!(got, (0..10).collect::<Vec<_>>());
        assert_eq!(trace.take(), "");
        run().unwrap();
        assert_eq!(trace.take(), "s0 s1 s2 s3 s4 s5 s6 s7 s8 s9");
    });
}

#[test]
fn a_main_that_waits_to_receive_is_the_first_to_run_after_a_send() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, sender) = (trace.clone(), channel.clone());
        queued(move || {
            sender.send("value").unwrap();
            inner.note("sender");
        });
        queued(trace.noting("X"));
        trace.note(channel.receive().unwrap());
        run().unwrap();
        assert_eq!(trace.take(), "value X sender");
    });
}
