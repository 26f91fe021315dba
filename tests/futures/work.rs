//! Tasklets that futures wait for.

use futures_util::future::{join_all, select};
use greenling::future::{self, block_on};
use greenling::{Channel, schedule};
use std::cell::Cell;
use std::rc::Rc;
use tests::isolated;

#[test]
fn its_value_arrives() {
    isolated(|| {
        let channel = Channel::new();
        let receiving = channel.clone();
        greenling::spawn(move || channel.send(3).unwrap());
        let work = future::spawn(move || receiving.receive().unwrap() * 2).unwrap();
        assert_eq!(block_on(work).unwrap().unwrap(), 6);
    });
}

#[test]
fn one_that_has_ended_before_it_is_polled() {
    isolated(|| {
        let work = future::spawn(|| 1).unwrap();
        while work.tasklet().is_alive() {
            schedule();
        }
        assert_eq!(block_on(work).unwrap().unwrap(), 1);
    });
}

#[test]
fn many_at_once() {
    isolated(|| {
        let all = (0..1000u64).map(|number| {
            future::spawn(move || {
                for _ in 0..number % 7 {
                    schedule();
                }
                number
            })
            .unwrap()
        });
        let results = block_on(join_all(all.collect::<Vec<_>>())).unwrap();
        let sum: u64 = results.into_iter().map(Result::unwrap).sum();
        assert_eq!(sum, 999 * 1000 / 2);
    });
}

#[test]
fn its_panic_and_its_kill_arrive() {
    isolated(|| {
        let panics = future::spawn(|| std::panic::resume_unwind(Box::new("quietly"))).unwrap();
        let result: Result<(), _> = block_on(panics).unwrap();
        assert_eq!(
            result.unwrap_err().into_panic().downcast_ref(),
            Some(&"quietly")
        );

        let waits = future::spawn(greenling::schedule_remove).unwrap();
        let tasklet = waits.tasklet();
        greenling::spawn(move || tasklet.kill().unwrap());
        assert!(block_on(waits).unwrap().unwrap_err().is_killed());

        let never_begun = future::spawn(|| ()).unwrap();
        never_begun.tasklet().kill_pending().unwrap();
        assert!(block_on(never_begun).unwrap().unwrap_err().is_killed());
    });
}

#[test]
fn dropped_it_goes_on_unless_it_is_to_be_killed() {
    isolated(|| {
        for kill in [false, true] {
            let ended = Rc::new(Cell::new(false));
            let setting = ended.clone();
            let work = future::spawn(move || {
                schedule();
                setting.set(true);
            });
            let work = work.unwrap();
            let tasklet = work.tasklet();
            let work = if kill { work.kill_on_drop() } else { work };
            drop(block_on(select(work, std::future::ready(()))).unwrap());
            while tasklet.is_alive() {
                schedule();
            }
            assert_eq!(ended.get(), !kill);
        }
    });
}
