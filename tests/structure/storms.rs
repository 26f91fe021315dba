//! Ten thousand tasklets whose waits end at once: none is lost, none is woken
//! twice, and what they waited for is as good as new.

use greenling::net::TcpStream;
use greenling::time::{CancelToken, sleep, sleep_until, timeout_at};
use greenling::{
    Channel, JoinHandle, ReceiveError, SendErrorKind, WaitError, schedule, scope, spawn, thread,
};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::isolated;
use tests::sockets::pair;

/// The sanitizer has a second stack for each.
const MANY: usize = if cfg!(greenling_asan) { 1_000 } else { 10_000 };

/// Objects of each kind; several tasklets wait for each.
const OBJECTS: usize = 20;

const KINDS: usize = 6;

const LONG: Duration = Duration::from_secs(3600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    TimedOut,
    Cancelled,
}

fn end_of(error: &WaitError) -> End {
    match error {
        WaitError::TimedOut => End::TimedOut,
        WaitError::Cancelled => End::Cancelled,
        error => panic!("{error:?}"),
    }
}

/// What they wait for.
struct Objects {
    sockets: Vec<(TcpStream, TcpStream)>,
    empty: Vec<Channel<usize>>,
    full: Vec<Channel<usize>>,
    far: Vec<(thread::Sender<usize>, thread::Receiver<usize>)>,
    /// How often each tasklet has gone on, in whichever way.
    left: Vec<Cell<u32>>,
    ends: RefCell<Vec<End>>,
}

/// Counts its tasklet as gone on when it is dropped.
struct Leaving<'a>(&'a Cell<u32>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Objects {
    fn new() -> Objects {
        Objects {
            sockets: (0..OBJECTS).map(|_| pair()).collect(),
            empty: (0..OBJECTS).map(|_| Channel::new()).collect(),
            full: (0..OBJECTS).map(|_| Channel::new()).collect(),
            far: (0..OBJECTS).map(|_| thread::channel(1)).collect(),
            left: (0..MANY).map(|_| Cell::new(0)).collect(),
            ends: RefCell::default(),
        }
    }

    /// Waits in the way of tasklet `n` for what does not come.
    fn wait(&self, n: usize) {
        let _leaving = Leaving(&self.left[n]);
        let object = n / KINDS % OBJECTS;
        let end = match n % KINDS {
            0 => {
                let read = (&self.sockets[object].0).read(&mut [0]);
                let error = read.expect_err("nothing comes");
                let error = error.get_ref().and_then(|inner| inner.downcast_ref());
                end_of(error.expect("it says why"))
            }
            1 => match self.empty[object].receive() {
                Err(ReceiveError::Wait(error)) => end_of(&error),
                other => panic!("{other:?}"),
            },
            2 => {
                let error = self.full[object].send(n).expect_err("nobody receives");
                let SendErrorKind::Wait(why) = error.kind() else {
                    panic!("{error}");
                };
                let end = end_of(why);
                assert_eq!(error.into_inner(), Some(n), "the value comes back");
                end
            }
            3 => {
                sleep(LONG);
                // It does not tell; the next wait does.
                match Channel::<()>::new().receive() {
                    Err(ReceiveError::Wait(error)) => end_of(&error),
                    other => panic!("{other:?}"),
                }
            }
            4 => match self.far[object].1.receive() {
                Err(thread::ReceiveError::Wait(error)) => end_of(&error),
                other => panic!("{other:?}"),
            },
            _ => {
                let (near, far) = (&self.empty[object], &self.far[object].1);
                let chosen = greenling::select! {
                    _ = near.receiving() => (),
                    _ = far.receiving() => (),
                    () = greenling::select::after(LONG) => (),
                };
                end_of(&chosen.expect_err("nothing comes"))
            }
        };
        self.ends.borrow_mut().push(end);
    }

    /// All have gone on once, with that end or by an unwind, and everything
    /// works.
    fn check(&self, end: Option<End>) {
        assert!(self.left.iter().all(|left| left.get() == 1));
        match end {
            Some(end) => {
                assert_eq!(self.ends.borrow().len(), MANY);
                assert!(self.ends.borrow().iter().all(|&one| one == end));
            }
            None => assert!(self.ends.borrow().is_empty()),
        }
        for object in 0..OBJECTS {
            let (ours, theirs) = &self.sockets[object];
            (&*theirs).write_all(b"x").unwrap();
            let mut got = [0; 1];
            (&*ours).read_exact(&mut got).unwrap();
            assert_eq!(&got, b"x");
            for channel in [&self.empty[object], &self.full[object]] {
                assert_eq!(channel.balance(), 0, "the dead still wait");
                let sender = channel.clone();
                let sent = spawn(move || sender.send(object).is_ok());
                assert_eq!(channel.receive().unwrap(), object);
                assert!(sent.join().unwrap());
            }
            let (sender, receiver) = &self.far[object];
            sender.send(object).unwrap();
            assert_eq!(receiver.receive().unwrap(), object);
        }
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    }
}

fn spawn_all(objects: &Rc<Objects>, wait: impl Fn(&dyn Fn()) + Clone + 'static) -> Tasks {
    let spawn_one = |n| {
        let (objects, wait) = (objects.clone(), wait.clone());
        spawn(move || wait(&|| objects.wait(n)))
    };
    (0..MANY).map(spawn_one).collect()
}

type Tasks = Vec<JoinHandle<()>>;

/// Lets all go to their waits.
fn until_all_wait(tasks: &Tasks) {
    while !tasks.iter().all(|task| task.tasklet().is_blocked()) {
        schedule();
    }
}

#[test]
fn one_token_ends_ten_thousand_waits() {
    isolated(|| {
        let (objects, token) = (Rc::new(Objects::new()), CancelToken::new());
        let under = token.clone();
        let tasks = spawn_all(&objects, move |wait| {
            under.run(wait).unwrap_err().into_inner()
        });
        until_all_wait(&tasks);
        token.cancel();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        objects.check(Some(End::Cancelled));
    });
}

#[test]
fn equal_deadlines_end_ten_thousand_waits() {
    isolated(|| {
        let objects = Rc::new(Objects::new());
        let deadline = Instant::now() + Duration::from_millis(300);
        let tasks = spawn_all(&objects, move |wait| {
            timeout_at(deadline, wait).unwrap_err().into_inner()
        });
        tasks.into_iter().for_each(|task| task.join().unwrap());
        objects.check(Some(End::TimedOut));
    });
}

#[test]
fn kills_end_ten_thousand_waits() {
    isolated(|| {
        let objects = Rc::new(Objects::new());
        let tasks = spawn_all(&objects, |wait| wait());
        until_all_wait(&tasks);
        // Half of them when their turns come, the others now.
        for (n, task) in tasks.iter().enumerate() {
            let tasklet = task.tasklet();
            let killed = if n % 2 == 0 {
                tasklet.kill_pending()
            } else {
                tasklet.kill()
            };
            killed.unwrap();
        }
        for task in tasks {
            assert!(task.join().unwrap_err().is_killed());
        }
        objects.check(None);
    });
}

#[test]
fn the_end_of_a_scope_ends_ten_thousand_waits() {
    isolated(|| {
        let objects = Objects::new();
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                for n in 0..MANY {
                    let objects = &objects;
                    s.spawn(move || objects.wait(n));
                }
                schedule();
                std::panic::resume_unwind(Box::new("over"));
            })
        }));
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"over"));
        objects.check(None);
    });
}

#[test]
fn ten_thousand_sleepers_with_equal_deadlines_wake_once_and_in_order() {
    isolated(|| {
        let mut pause = Duration::from_millis(200);
        // Again, should the machine be so slow that some come too late to sleep.
        loop {
            let (woken, deadline) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(None)));
            let sleepers: Vec<_> = (0..MANY)
                .map(|n| {
                    let (woken, deadline) = (woken.clone(), deadline.clone());
                    spawn(move || {
                        sleep_until(deadline.get().unwrap());
                        woken.borrow_mut().push(n);
                    })
                })
                .collect();
            let at = Instant::now() + pause;
            deadline.set(Some(at));
            schedule();
            let in_time = Instant::now() < at;
            sleepers.into_iter().for_each(|task| task.join().unwrap());
            if in_time {
                assert_eq!(*woken.borrow(), (0..MANY).collect::<Vec<_>>());
                return;
            }
            pause *= 2;
        }
    });
}
