//! Sleeps.

use futures_util::future::{Either, join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use greenling::future::{block_on, sleep, sleep_until};
use greenling::spawn;
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tests::isolated;

const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn one_ends_after_its_time() {
    isolated(|| {
        let begun = Instant::now();
        block_on(sleep(SHORT)).unwrap();
        assert!(begun.elapsed() >= SHORT);
        block_on(sleep(Duration::ZERO)).unwrap();
        block_on(sleep_until(begun)).unwrap();
    });
}

#[test]
fn one_that_is_longer_than_the_clock_can_say() {
    isolated(|| {
        let forever = sleep(Duration::MAX);
        assert!(forever.deadline() > Instant::now() + LONG);
    });
}

#[test]
fn many_end_in_the_order_of_their_times() {
    isolated(|| {
        let order = RefCell::new(Vec::new());
        let now = Instant::now();
        // Equal times keep the order of their first poll.
        let sleeps = [5, 1, 3, 1, 4, 2].iter().enumerate().map(|(index, &time)| {
            let order = &order;
            async move {
                sleep_until(now + SHORT * time).await;
                order.borrow_mut().push((time, index));
            }
        });
        let mut sleeps: FuturesUnordered<_> = sleeps.collect();
        block_on(async { while sleeps.next().await.is_some() {} }).unwrap();
        let order = order.take();
        let times: Vec<_> = order.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [1, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn the_shorter_of_two_wins_and_the_other_leaves_nothing_behind() {
    isolated(|| {
        for _ in 0..10 {
            let won = block_on(select(sleep(SHORT), sleep(LONG)));
            assert!(matches!(won.unwrap(), Either::Left(_)));
        }
        // Its timer is gone: this is a deadlock, and not a wait of an hour.
        let result = block_on(async {
            let mut long = sleep(LONG);
            let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut long).poll(context)));
            assert!(polled.await.is_pending());
            drop(long);
            pending::<()>().await
        });
        assert!(matches!(result, Err(greenling::WaitError::Deadlock)));
    });
}

#[test]
fn others_run_while_it_sleeps() {
    isolated(|| {
        let sleeping = spawn(|| block_on(sleep(SHORT)).unwrap());
        let others: Vec<_> = (0..10)
            .map(|_| spawn(|| block_on(join_all([sleep(SHORT), sleep(SHORT)]))))
            .collect();
        sleeping.join().unwrap();
        for other in others {
            assert_eq!(other.join().unwrap().unwrap().len(), 2);
        }
    });
}

#[test]
fn one_that_is_reset_ends_at_its_new_time() {
    isolated(|| {
        let mut long = pin!(sleep(LONG));
        let mut first = true;
        block_on(poll_fn(|context| {
            if std::mem::take(&mut first) {
                assert!(long.as_mut().poll(context).is_pending());
                long.reset(Instant::now() + SHORT);
            }
            long.as_mut().poll(context)
        }))
        .unwrap();
    });
}

#[test]
fn one_may_move_from_one_block_on_to_another() {
    isolated(|| {
        let shared = Rc::new(RefCell::new(sleep(SHORT)));
        let poll_shared = move |shared: &RefCell<greenling::future::Sleep>,
                                context: &mut Context<'_>| {
            Pin::new(&mut *shared.borrow_mut()).poll(context)
        };
        let first = shared.clone();
        block_on(poll_fn(move |context| {
            assert!(poll_shared(&first, context).is_pending());
            Poll::Ready(())
        }))
        .unwrap();
        let second = shared.clone();
        let elsewhere = spawn(move || {
            block_on(poll_fn(move |context| poll_shared(&second, context))).unwrap();
        });
        elsewhere.join().unwrap();
    });
}

#[test]
fn one_inside_a_nested_block_on() {
    isolated(|| {
        block_on(async {
            let mut outer = sleep(SHORT * 2);
            let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut outer).poll(context)));
            assert!(polled.await.is_pending());
            block_on(sleep(SHORT)).unwrap();
            outer.await;
            sleep(SHORT).await;
        })
        .unwrap();
    });
}

#[test]
fn one_may_be_dropped_on_another_thread() {
    isolated(|| {
        let mut long = sleep(LONG);
        let mut long = block_on(async move {
            let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut long).poll(context)));
            assert!(polled.await.is_pending());
            Some(long)
        })
        .unwrap();
        let long = long.take();
        std::thread::spawn(move || drop(long)).join().unwrap();
    });
}

#[test]
fn a_time_limit_around_it_counts() {
    isolated(|| {
        let limited = greenling::time::timeout(SHORT, || block_on(sleep(LONG)));
        assert!(limited.unwrap_err().into_inner().is_err());
        let limited = greenling::time::timeout(LONG, || block_on(sleep(SHORT)));
        limited.unwrap().unwrap();
    });
}

#[test]
fn one_that_is_busy_otherwise_still_ends() {
    isolated(|| {
        let busy = poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let won = block_on(select(busy, sleep(SHORT)));
        assert!(matches!(won.unwrap(), Either::Right(_)));
    });
}

#[test]
#[should_panic(expected = "outside of greenling::block_on")]
fn an_executor_that_does_not_know_of_deadlines_is_refused() {
    isolated(|| {
        let mut long = pin!(sleep(LONG));
        let mut context = Context::from_waker(Waker::noop());
        let _ = long.as_mut().poll(&mut context);
    });
}
