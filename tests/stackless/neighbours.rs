//! Where a tasklet is linked: its neighbours in the ring or in a channel.

use crate::queued;
use greenling::{Channel, Tasklet, current, run, schedule};
use tests::isolated;

/// The queue order: the ring from the current tasklet onward.
fn ring() -> Vec<Tasklet> {
    let first = current();
    let mut ring = vec![first.clone()];
    let mut next = first.next().unwrap();
    while next != first {
        assert_eq!(next.prev().as_ref(), ring.last());
        ring.push(next.clone());
        next = next.next().unwrap();
    }
    ring
}

fn receiver(channel: &Channel<i32>) -> Tasklet {
    let channel = channel.clone();
    queued(move || drop(channel.receive()))
}

#[test]
fn the_ring_is_walked_from_the_current_tasklet_onward_and_back() {
    isolated(|| {
        let main = current();
        assert_eq!(ring(), std::slice::from_ref(&main), "its own neighbour");
        let [a, b, c] = [0; 3].map(|_| queued(schedule));
        assert_eq!(ring(), [main.clone(), a.clone(), b.clone(), c.clone()]);
        assert_eq!(main.prev(), Some(c.clone()));
        b.remove().unwrap();
        assert_eq!(ring(), [main.clone(), a.clone(), c.clone()]);
        b.insert().unwrap();
        assert_eq!(ring(), [main.clone(), a, c, b.clone()], "at the end");
        // Rotated only: main is behind B, and the others behind main.
        b.run().unwrap();
        assert_eq!(ring().last(), Some(&b));
    });
}

#[test]
fn after_a_failure_the_ring_starts_with_main_and_goes_on_behind_the_dead_one() {
    isolated(|| {
        let a = queued(|| {
            schedule();
            schedule();
        });
        Tasklet::new(|| Err::<(), _>("bad")).setup().unwrap();
        let c = queued(schedule);
        assert!(run().is_err());
        assert_eq!(ring(), [current(), c, a]);
    });
}

#[test]
fn the_queue_of_a_channel_is_walked_from_the_oldest_and_has_two_ends() {
    isolated(|| {
        let channel = Channel::new();
        let waiters = [0; 3].map(|_| receiver(&channel));
        schedule();
        let [first, second, third] = waiters;
        assert_eq!(channel.queue()[0], first);
        assert_eq!(first.prev(), None);
        assert_eq!(first.next(), Some(second.clone()));
        assert_eq!(second.prev(), Some(first.clone()));
        assert_eq!(second.next(), Some(third.clone()));
        assert_eq!(third.next(), None);
        second.kill().unwrap();
        assert_eq!(first.next(), Some(third.clone()));
        assert_eq!(third.prev(), Some(first.clone()));
        channel.send(1).unwrap();
        assert_eq!((third.prev(), third.next()), (None, None));
        channel.send(2).unwrap();
    });
}

#[test]
fn a_tasklet_is_linked_in_the_ring_or_in_one_channel_or_nowhere() {
    isolated(|| {
        let (channel, other) = (Channel::new(), Channel::<i32>::new());
        let unbound = Tasklet::unbound();
        assert_eq!((unbound.next(), unbound.prev()), (None, None));
        let tasklet = Tasklet::new({
            let channel = channel.clone();
            move || {
                channel.receive().unwrap();
            }
        });
        assert_eq!((tasklet.next(), tasklet.prev()), (None, None), "paused");
        tasklet.insert().unwrap();
        assert_eq!(ring(), [current(), tasklet.clone()]);
        assert!(!tasklet.waits_in(&channel));
        schedule();
        assert_eq!(ring(), [current()]);
        assert!(tasklet.waits_in(&channel) && !tasklet.waits_in(&other));
        assert_eq!(
            (tasklet.next(), tasklet.prev()),
            (None, None),
            "the only one"
        );
        channel.set_preference(greenling::Preference::Neither);
        channel.send(1).unwrap();
        assert!(!tasklet.waits_in(&channel));
        assert_eq!(ring(), [current(), tasklet.clone()], "at the end");
        schedule();
        assert_eq!((tasklet.next(), tasklet.prev()), (None, None), "ended");
    });
}

#[test]
fn a_tasklet_that_joins_another_is_in_no_channel() {
    isolated(|| {
        let channel = Channel::<i32>::new();
        let worker = greenling::spawn({
            let channel = channel.clone();
            move || channel.receive().unwrap()
        });
        let joiner = queued(move || assert_eq!(worker.join().unwrap(), 4));
        run().unwrap();
        assert!(joiner.is_blocked() && !joiner.waits_in(&channel));
        channel.send(4).unwrap();
        run().unwrap();
        assert!(!joiner.is_alive());
    });
}
