//! Tasklets as seen from other OS threads.

mod address;

use super::channel;
use super::remote::{Remote, remote};
use crate::error::{TaskletError, Thrown};
use crate::scheduler::local;
use crate::tasklet::Tasklet;
use crate::tasklet::raw::TcbRef;
use address::{Address, Home, Request, let_go, settle};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::ThreadId;

/// A tasklet of any OS thread: what other threads may hold of it.
///
/// Operations are requests. They are carried out by the tasklet's own thread
/// when that next looks at its inbox, in the order in which they were made
/// (unless the tasklet moves meanwhile), and do nothing if the tasklet has
/// ended by then, or if the operation does not fit its state. The caller always
/// goes on, so there is no `switch`.
///
/// While one exists, the tasklet's thread reports no deadlock, and a paused
/// tasklet is not abandoned.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::Tasklet;
/// let waiting = Tasklet::new(|| greenling::schedule_remove()).setup().unwrap();
/// greenling::run().unwrap();
/// let there = waiting.remote().unwrap();
/// let other = std::thread::spawn(move || there.insert().unwrap());
/// other.join().unwrap();
/// while waiting.is_alive() {
///     greenling::turn(None).unwrap();
/// }
/// ```
#[derive(Clone)]
pub struct RemoteTasklet {
    address: Arc<Address>,
}

impl RemoteTasklet {
    /// The tasklet's id.
    pub fn id(&self) -> u64 {
        self.address.id
    }

    /// The OS thread it belongs to; `None` if that has ended, or while the
    /// tasklet moves to another.
    pub fn thread_id(&self) -> Option<ThreadId> {
        self.address.home().as_ref()?.remote.thread_id()
    }

    /// Puts the tasklet at the end of its thread's run queue, if it is paused.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Dead` if its thread has ended.
    pub fn insert(&self) -> Result<(), TaskletError> {
        self.address.request(Box::new(|scheduler, task| {
            log_refusal("insert", task, scheduler.insert(task));
        }))
    }

    /// Takes the tasklet out of its thread's run queue, if it is there and not
    /// the one that runs next.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Dead` if its thread has ended.
    pub fn remove(&self) -> Result<(), TaskletError> {
        self.address.request(Box::new(|scheduler, task| {
            log_refusal("remove", task, scheduler.remove(task));
        }))
    }

    /// Makes the tasklet the next to run on its thread, if it is paused or
    /// queued.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Dead` if its thread has ended.
    pub fn run(&self) -> Result<(), TaskletError> {
        self.address.request(Box::new(|scheduler, task| {
            log_refusal("run", task, scheduler.queue_next(task));
        }))
    }

    /// Has the tasklet unwound with [`TaskletExit`](crate::TaskletExit) when
    /// its turn comes.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `PanicAbort`. A tasklet of an ended thread is dead already.
    pub fn kill(&self) -> Result<(), TaskletError> {
        if cfg!(panic = "abort") {
            return Err(TaskletError::PanicAbort);
        }
        let sent = self.address.request(Box::new(|scheduler, task| {
            scheduler.kill_from_outside(task)
        }));
        match sent {
            Err(TaskletError::Dead) => Ok(()),
            sent => sent,
        }
    }

    /// Has the tasklet's suspended call return
    /// [`WaitError::Thrown`](crate::WaitError::Thrown) when its turn comes.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Dead` if its thread has ended.
    pub fn throw(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), TaskletError> {
        let error: Thrown = error.into();
        self.address.request(Box::new(|scheduler, task| {
            scheduler.throw_from_outside(task, error);
        }))
    }

    /// Takes the tasklet over to the calling thread, paused. It has been made
    /// by [`Tasklet::new_send`] and has not started; its own thread may have
    /// ended. One that is here already is just returned.
    ///
    /// # Scheduling
    ///
    /// Waits for the tasklet's thread to let it go, unless that has ended.
    ///
    /// # Cancellation
    ///
    /// The tasklet may have been let go: then it can still be taken over.
    ///
    /// # Errors
    ///
    /// `Pinned` if it has started, its function is not `Send`, or a kill or an
    /// error is on its way to it; `Scheduled` if it is queued; `Dead` if it has
    /// ended, or no stack can be had; `Wait` if the wait failed.
    #[track_caller]
    pub fn bind_thread(&self) -> Result<Tasklet, TaskletError> {
        let here = remote().map_err(|_| TaskletError::Dead)?;
        loop {
            let home = self.address.home().clone();
            match home {
                Some(home) if home.remote.thread_id() != here.thread_id() => {
                    self.ask_to_let_go(&home, &here)?;
                }
                Some(Home { slot: Some(_), .. }) => return self.address.find_here(),
                // It waits for an adopter, or is still on its way here.
                _ => {}
            }
            if let Some(tasklet) = settle(&self.address, &here)? {
                return Ok(tasklet);
            }
        }
    }

    /// Has the tasklet sent here.
    fn ask_to_let_go(&self, asked: &Home, here: &Remote) -> Result<(), TaskletError> {
        let (answer, receiver) = channel::channel(1);
        let (address, here) = (self.address.clone(), here.clone());
        let request: Box<Request> = Box::new(move |scheduler, task| {
            let released = let_go(scheduler, task, &address, &here);
            drop(answer.try_send(released));
        });
        if self.address.request(request).is_err() {
            return Ok(()); // Its thread has ended.
        }
        match receiver.receive() {
            Ok(released) => released,
            Err(super::ReceiveError::Wait(error)) => Err(TaskletError::Wait(error)),
            // Dropped unanswered: the tasklet has ended, if nothing else has
            // changed.
            Err(super::ReceiveError::Closed) => match self.address.home().as_ref() {
                Some(home) if home.is(asked) => Err(TaskletError::Dead),
                _ => Ok(()),
            },
        }
    }
}

impl fmt::Debug for RemoteTasklet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteTasklet").field(&self.id()).finish()
    }
}

impl PartialEq for RemoteTasklet {
    fn eq(&self, other: &RemoteTasklet) -> bool {
        self.id() == other.id()
    }
}

impl Eq for RemoteTasklet {}

impl Tasklet {
    /// What other threads may hold of this tasklet.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// When the scheduler can't make what wakes it up (out of descriptors), or
    /// the thread is ending.
    pub fn remote(&self) -> io::Result<RemoteTasklet> {
        let remote = remote()?;
        let address = Address::of(self.tcb(), remote);
        Ok(RemoteTasklet { address })
    }

    /// Moves the tasklet to the thread of `to`, where it arrives paused. It
    /// has been made by [`Tasklet::new_send`], and is paused and has never
    /// started. This handle then has an unbound tasklet.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `Pinned` if it has started, its function is not `Send`, or a kill or an
    /// error is on its way to it; `Current`, `Scheduled`, `Blocked`, `Dead`. If
    /// the thread of `to` has ended, the tasklet is where it would be if that
    /// ended later: it can be taken over by [`RemoteTasklet::bind_thread`].
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::Tasklet;
    /// let here = greenling::thread::remote().unwrap();
    /// let (done, ended) = greenling::thread::channel(1);
    /// std::thread::spawn(move || {
    ///     let tasklet = Tasklet::new_send(move || done.send("ran").unwrap());
    ///     tasklet.bind_thread(&here).unwrap().insert().unwrap();
    /// });
    /// assert_eq!(ended.receive().unwrap(), "ran");
    /// ```
    pub fn bind_thread(&self, to: &Remote) -> Result<RemoteTasklet, TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        let moving = self.remote().map_err(|_| TaskletError::Dead)?;
        if self.is_current() {
            return Err(TaskletError::Current);
        }
        let_go(scheduler, self.tcb(), &moving.address, to)?;
        Ok(moving)
    }
}

fn log_refusal(operation: &str, task: TcbRef, result: Result<(), TaskletError>) {
    if let Err(error) = result {
        log::debug!("greenling: {operation} of {task:?} by another thread: {error}");
    }
}
