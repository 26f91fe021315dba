//! Random programs are worth what they bring about: a test that they meet
//! everything the rules tell apart, as far as a single note shows it.

use super::model::Model;
use super::program::{How, Op, Program};
use super::trace::{Cause, Event, NOBODY, Note, Outcome, Why};

/// Enough to see each of them, a fraction of what the other test runs.
const PROGRAMS: u64 = 20_000;

type Seen = fn(usize, Op, Outcome) -> bool;

/// Outcomes of steps, and what they show.
const OUTCOMES: &[(&str, Seen)] = &[
    ("a sender of two that deadlock", |_, op, outcome| {
        matches!(op, Op::Send(_)) && outcome == Outcome::Unsent(Why::Deadlock, true)
    }),
    (
        "a value that is lost to a throw at its sender",
        |_, op, outcome| {
            matches!(op, Op::Send(_)) && matches!(outcome, Outcome::Unsent(Why::Thrown(_), false))
        },
    ),
    ("an error that is received", |_, op, outcome| {
        matches!(op, Op::Receive(_)) && matches!(outcome, Outcome::Refused(Why::Thrown(_)))
    }),
    (
        "a failure that a channel's user is told",
        |_, op, outcome| {
            matches!(op, Op::Receive(_)) && matches!(outcome, Outcome::Caught(Cause::Panic(_)))
        },
    ),
    ("a failure that run returns", |_, op, outcome| {
        matches!(op, Op::RunAll(_)) && matches!(outcome, Outcome::Refused(Why::Uncaught(_)))
    }),
    ("a failure that switch returns", |_, op, outcome| {
        matches!(op, Op::Switch(_)) && matches!(outcome, Outcome::Refused(Why::Uncaught(_)))
    }),
    (
        "a failure that a queued tasklet is told",
        |_, op, outcome| op == Op::Yield && matches!(outcome, Outcome::Caught(Cause::Panic(_))),
    ),
    ("a kill of a joiner", |_, op, outcome| {
        matches!(op, Op::Join(_)) && outcome == Outcome::Caught(Cause::Exit)
    }),
    ("a joined panic", |_, op, outcome| {
        matches!(op, Op::Join(_)) && matches!(outcome, Outcome::Refused(Why::Panicked(_)))
    }),
    ("joins that wait for each other", |_, op, outcome| {
        matches!(op, Op::Wait(_)) && outcome == Outcome::Refused(Why::Deadlock)
    }),
    (
        "a budget that is spent at the switch of one who lives",
        |_, op, outcome| {
            matches!(op, Op::RunSome(_))
                && matches!(outcome, Outcome::Ran(_, _, true, victim) if victim != NOBODY)
        },
    ),
    ("a budget that is spent at an end", |_, op, outcome| {
        matches!(op, Op::RunSome(_)) && matches!(outcome, Outcome::Ran(_, _, true, NOBODY))
    }),
    (
        "a turn that leaves others blocked and paused",
        |_, op, outcome| {
            op == Op::RunAll(How::Turn) && matches!(outcome, Outcome::Ran(1.., 1.., ..))
        },
    ),
    ("a sequence that is cut short", |_, _, outcome| {
        matches!(outcome, Outcome::Sent(1.., Some((Why::Closed, true))))
    }),
    (
        "several waiters that are killed together",
        |_, _, outcome| matches!(outcome, Outcome::Cleared(2..)),
    ),
    (
        "a value in the slot of one that pauses",
        |who, op, outcome| {
            op == Op::PauseWith && matches!(outcome, Outcome::Got(value) if value.by != who)
        },
    ),
    ("a tasklet that is bound again", |_, op, outcome| {
        matches!(op, Op::Bind(_)) && outcome == Outcome::Done
    }),
    ("one in the middle of a channel's queue", |_, _, outcome| {
        matches!(outcome, Outcome::Around(prev, next, channel)
            if ![prev, next, channel].contains(&NOBODY))
    }),
];

fn shows(note: &Note, seen: Seen) -> bool {
    matches!(note.event, Event::Step(_, step, outcome) if seen(note.who, step.op, outcome))
}

#[test]
fn random_programs_meet_what_the_rules_tell_apart() {
    let mut counts = vec![0; OUTCOMES.len()];
    let (mut trapped, mut cleaned_up, mut handled, mut meddled) = (0, 0, 0, 0);
    for seed in 1..=PROGRAMS {
        let program = Program::random(seed);
        for note in Model::trace(&program) {
            for (count, (_, seen)) in counts.iter_mut().zip(OUTCOMES) {
                *count += usize::from(shows(&note, *seen));
            }
            match note.event {
                Event::Step(_, step, outcome) => {
                    let refused = Outcome::Refused(Why::SwitchTrap);
                    trapped += usize::from(step.trapped && outcome == refused);
                }
                Event::Cleanup(..) => cleaned_up += 1,
                Event::Handled(_) => handled += 1,
                Event::Meddled(..) => meddled += 1,
                _ => {}
            }
        }
    }
    for (count, (what, _)) in counts.into_iter().zip(OUTCOMES) {
        assert!(count > 0, "no program shows {what}");
    }
    assert!(trapped > 0 && cleaned_up > 0 && handled > 0 && meddled > 0);
}
