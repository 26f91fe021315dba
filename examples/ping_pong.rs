//! Two players and a ball: who runs next when a channel is used.
//!
//! ```sh
//! cargo run --release --example ping_pong
//! ```
//!
//! Shows the preference of channels, which is Stackless'. It decides who goes
//! on when a sender and a receiver meet, and so the order of everything:
//!
//! * `Receiver`, the default: whoever is waiting to receive runs at once, and
//!   the sender goes to the end of the ring.
//! * `Sender`: the sender goes on, and the receiver runs when its turn comes.

use std::cell::RefCell;
use std::rc::Rc;

use greenling::{Channel, Preference, enter, run, spawn};

/// What happened, in order. Tasklets of one thread share it without a lock.
type Score = Rc<RefCell<Vec<String>>>;

fn main() {
    for preference in [Preference::Receiver, Preference::Sender] {
        println!("{preference:?}: {}", play(preference, 2).join(", "));
    }
}

/// The course of a game of `strokes` over a channel with this preference.
fn play(preference: Preference, strokes: usize) -> Vec<String> {
    enter(|| {
        let score = Score::default();
        let court = Channel::new();
        court.set_preference(preference);

        let (theirs, ball) = (score.clone(), court.clone());
        spawn(move || {
            while let Ok(stroke) = ball.receive() {
                theirs.borrow_mut().push(format!("receives {stroke}"));
            }
        });
        let ours = score.clone();
        spawn(move || {
            for stroke in 0..strokes {
                ours.borrow_mut().push(format!("serves {stroke}"));
                court.send(stroke).expect("the other is there");
                ours.borrow_mut().push(format!("served {stroke}"));
            }
        });
        // Runs until nobody can any more: the receiver still waits for the ball.
        run().expect("no tasklet failed");
        score.take()
    })
}

#[cfg(test)]
#[test]
fn preference_decides_who_goes_on() {
    let receiver = [
        "serves 0",
        "receives 0",
        "served 0",
        "serves 1",
        "receives 1",
        "served 1",
    ];
    assert_eq!(play(Preference::Receiver, 2), receiver);
    let sender = [
        "serves 0",
        "served 0",
        "serves 1",
        "receives 0",
        "served 1",
        "receives 1",
    ];
    assert_eq!(play(Preference::Sender, 2), sender);
}
