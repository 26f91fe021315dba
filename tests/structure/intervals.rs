//! Intervals: the pace, and what becomes of missed ticks.

use greenling::select::Operation;
use greenling::time::{MissedTick, interval_at, timeout};
use greenling::{Channel, select, spawn, time};
use std::time::{Duration, Instant};
use tests::isolated;

const MS: Duration = Duration::from_millis(1);

#[test]
fn ticks_are_a_period_apart_whatever_happens_between_them() {
    isolated(|| {
        let start = Instant::now();
        let mut pulse = interval_at(start, MS);
        for n in 0..5 {
            assert_eq!(pulse.tick().unwrap(), start + n * MS);
        }
    });
}

#[test]
fn missed_ticks_are_made_up_for_left_out_or_begin_a_new_pace() {
    isolated(|| {
        let start = Instant::now() - 10 * MS;
        let period = Duration::from_secs(100);
        let mut burst = interval_at(start - 3 * period, period);
        let ticks: Vec<_> = (0..4).map(|_| burst.tick().unwrap()).collect();
        assert_eq!(ticks[3], start);

        let mut skip = interval_at(start - 3 * period, period).missed(MissedTick::Skip);
        assert_eq!(skip.tick().unwrap(), start - 3 * period);
        assert_eq!(skip.next_due(), Some(start + period));

        let mut delay = interval_at(start - 3 * period, period).missed(MissedTick::Delay);
        delay.tick().unwrap();
        assert!(delay.next_due().unwrap() > start + period);
    });
}

#[test]
fn a_deadline_does_not_lose_a_tick() {
    isolated(|| {
        let start = Instant::now() + Duration::from_secs(3600);
        let mut pulse = interval_at(start, MS);
        let elapsed = timeout(MS, || pulse.tick().is_err());
        assert!(elapsed.unwrap_err().into_inner());
        assert_eq!(pulse.next_due(), Some(start));
    });
}

#[test]
fn a_tick_that_is_not_chosen_is_still_the_next() {
    isolated(|| {
        let start = Instant::now();
        let mut pulse = interval_at(start, MS);
        let channel = Channel::new();
        let sender = channel.clone();
        let sending = spawn(move || (0..50).for_each(|n| sender.send(n).unwrap()));
        let (mut ticks, mut received) = (0, 0);
        while ticks < 5 || received < 50 {
            select! {
                due = pulse.ticking() => {
                    assert_eq!(due, start + ticks * MS);
                    ticks += 1;
                }
                got = channel.receiving() => {
                    assert_eq!(got.unwrap(), received);
                    received += 1;
                }
            }
            .unwrap();
        }
        sending.join().unwrap();
        assert_eq!(pulse.tick().unwrap(), start + ticks * MS);
    });
}

#[test]
fn one_that_was_waited_for_is_not_late_in_a_select_either() {
    isolated(|| {
        let start = Instant::now() + MS;
        let mut pulse = interval_at(start, MS).missed(MissedTick::Delay);
        select! { due = pulse.ticking() => assert_eq!(due, start) }.unwrap();
        assert_eq!(pulse.next_due(), Some(start + MS), "the pace stays");
    });
}

#[test]
fn a_new_pace_begins_where_the_wait_has_ended() {
    isolated(|| {
        let (start, period) = (Instant::now() + 20 * MS, Duration::from_secs(100));
        let mut pulse = interval_at(start, period).missed(MissedTick::Delay);
        assert_eq!(pulse.tick().unwrap(), start);
        assert!(pulse.next_due().unwrap() >= start + period);
    });
}

#[test]
fn an_operation_that_has_waited_once_is_late_the_next_time() {
    isolated(|| {
        let (start, period) = (Instant::now() + MS, 5 * MS);
        let mut pulse = interval_at(start, period).missed(MissedTick::Delay);
        let mut ticking = pulse.ticking();
        for _ in 0..2 {
            assert!(ticking.take().is_none());
            assert_eq!(select::select(&mut [&mut ticking]).unwrap(), 0);
            assert!(ticking.take().is_some());
            time::sleep(3 * period);
        }
        // It is due, so this does not wait.
        let now = Instant::now();
        assert_eq!(select::poll(&mut [&mut ticking]), Some(0));
        assert!(pulse.next_due().unwrap() >= now + period);
    });
}

#[test]
fn a_reset_begins_a_whole_period() {
    let period = Duration::from_secs(100);
    let mut pulse = interval_at(Instant::now(), period);
    let now = Instant::now();
    pulse.reset();
    assert!(pulse.next_due().unwrap() >= now + period);
}
