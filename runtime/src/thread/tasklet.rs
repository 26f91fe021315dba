//! Tasklets as seen from other OS threads.
//!
//! An [`Address`] says where a tasklet is: whose inbox, which block, which id.
//! Operations travel to that thread as requests and are checked there, since
//! the tasklet may have ended, or started, on the way:
//!
//! ```text
//!   this thread                     the tasklet's thread
//!   insert() --- request(slot, id) --inbox--> still that id, and alive? insert
//! ```
//!
//! A function that is `Send` and has not started may move, sent by its own
//! thread or at the request of an adopter. While it is on its way there is no
//! block for it yet, but requests can follow it already; one whose thread has
//! ended waits for an adopter:
//!
//! ```text
//!   A, block 7 --sent to B--> B, no block --arrives--> B, block 3
//!       \--A ends--> A, block 7, ended --adopted--> C, block 9
//! ```

use super::channel;
use super::remote::{Remote, remote};
use crate::error::{TaskletError, Thrown};
use crate::scheduler::{Doom, Scheduler, local};
use crate::tasklet::movable::Function;
use crate::tasklet::raw::{State, TcbRef, flag};
use crate::tasklet::{Builder, Tasklet};
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Where a tasklet is, as far as other threads need to know.
pub(super) struct Address {
    /// Goes with the tasklet when that moves.
    id: u64,
    home: Mutex<Option<Home>>,
    /// What can be moved.
    function: Option<Arc<Function>>,
}

/// A thread, and the block in its table once there is one.
#[derive(Clone)]
struct Home {
    remote: Remote,
    slot: Option<u32>,
}

impl Home {
    /// The same place, of a thread that has not ended.
    fn is(&self, other: &Home) -> bool {
        let thread = self.remote.thread_id();
        thread.is_some() && thread == other.remote.thread_id() && self.slot == other.slot
    }
}

type Request = dyn FnOnce(&Scheduler, TcbRef) + Send;

impl Address {
    fn home(&self) -> MutexGuard<'_, Option<Home>> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `operation` done on the tasklet by its own thread, if it is still
    /// alive when the request arrives.
    /// A request that finds it moved follows it.
    fn request(self: &Arc<Self>, operation: Box<Request>) -> Result<(), TaskletError> {
        let home = self.home().clone().ok_or(TaskletError::Dead)?;
        let address = self.clone();
        let sent = home.remote.run(move || {
            let Some(home) = address.home().clone() else {
                return;
            };
            if home.remote.thread_id() == Some(std::thread::current().id()) {
                carry_out(home.slot, address.id, operation);
            } else {
                let _ = address.request(operation);
            }
        });
        sent.then_some(()).ok_or(TaskletError::Dead)
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // Nobody may be left who could insert it.
        if let Some(home) = self.home().take() {
            let id = self.id;
            let abandon: Box<Request> = Box::new(|scheduler, task| {
                if task.state.get() == State::Paused {
                    scheduler.doom(task, Doom::Abandoned);
                }
            });
            home.remote.run(move || carry_out(home.slot, id, abandon));
        }
    }
}

/// Does on this thread what another has requested.
fn carry_out(slot: Option<u32>, id: u64, operation: Box<Request>) {
    if let Some(scheduler) = local::get()
        && let Some(task) = find(scheduler, slot, id)
    {
        // Whatever the operation drops, its block stays for as long as this.
        let _handle = Tasklet::from_tcb(task);
        operation(scheduler, task);
    }
}

/// The live tasklet with this id.
fn find(scheduler: &Scheduler, slot: Option<u32>, id: u64) -> Option<TcbRef> {
    let task = scheduler.table().borrow().get(slot?)?;
    (task.id.get() == id && task.is_alive()).then_some(task)
}

/// A tasklet of any OS thread: what other threads may hold of it.
///
/// Operations are requests. They are carried out by the tasklet's own thread
/// when that next looks at its inbox, in the order in which they were made,
/// and do nothing if the tasklet has ended by then, or if the operation does
/// not fit its state. The caller always goes on, so there is no `switch`.
///
/// While one exists, the tasklet's thread reports no deadlock, and a paused
/// tasklet is not abandoned.
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
    /// `Pinned` if it has started or its function is not `Send`; `Scheduled`
    /// if it is queued; `Dead` if it has ended, or no stack can be had; `Wait`
    /// if the wait failed.
    #[track_caller]
    pub fn bind_thread(&self) -> Result<Tasklet, TaskletError> {
        let here = remote().map_err(|_| TaskletError::Dead)?;
        loop {
            let home = self.address.home().clone();
            match home {
                Some(home) if home.remote.thread_id() != here.thread_id() => {
                    self.ask_to_let_go(&home, &here)?;
                }
                Some(Home { slot: Some(_), .. }) => return self.find_here(),
                // It waits for an adopter, or is still on its way here.
                _ => {}
            }
            if let Some(tasklet) = settle(&self.address, &here)? {
                return Ok(tasklet);
            }
        }
    }

    fn find_here(&self) -> Result<Tasklet, TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        let slot = self.address.home().as_ref().and_then(|home| home.slot);
        let task = find(scheduler, slot, self.address.id);
        task.map(Tasklet::from_tcb).ok_or(TaskletError::Dead)
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
        let task = self.tcb();
        let known = task.with_extras(|extras| extras.address.as_ref().and_then(|it| it.upgrade()));
        if let Some(Ok(address)) = known.map(Arc::downcast::<Address>) {
            return Ok(RemoteTasklet { address });
        }
        let home = Home {
            remote,
            slot: Some(task.slot.get()),
        };
        let address = Arc::new(Address {
            id: task.id.get(),
            home: Mutex::new(Some(home)),
            function: task.with_extras(|extras| extras.function.clone()),
        });
        note_address(task, &address);
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
    /// `Pinned` if it has started or its function is not `Send`; `Current`,
    /// `Scheduled`, `Blocked`, `Dead`. If the thread of `to` has ended, the
    /// tasklet is in the same state as one whose thread ends later: it can be
    /// taken over by [`RemoteTasklet::bind_thread`].
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

fn note_address(task: TcbRef, address: &Arc<Address>) {
    let address: Arc<dyn Any + Send + Sync> = address.clone();
    task.with_extras(|extras| extras.address = Some(Arc::downgrade(&address)));
    task.set(flag::REMOTE);
}

/// Takes the function out of a tasklet of this thread, which is unbound then,
/// and sends it to another.
fn let_go(
    scheduler: &Scheduler,
    task: TcbRef,
    address: &Arc<Address>,
    to: &Remote,
) -> Result<(), TaskletError> {
    match task.state.get() {
        State::Blocked => return Err(TaskletError::Blocked),
        State::Runnable => return Err(TaskletError::Scheduled),
        State::Paused if task.has(flag::STARTED) => return Err(TaskletError::Pinned),
        State::Paused => {}
        _ => return Err(TaskletError::Dead),
    }
    let function = task.take_function().ok_or(TaskletError::Pinned)?;
    let call = function.take();
    // What stays is another tasklet.
    task.id.set(scheduler.next_id());
    task.with_extras(|extras| extras.address = None);
    task.clear(flag::REMOTE);
    scheduler.drop_function(task);
    if let Some(call) = call {
        function.put_back(call);
    }
    let mut home = address.home();
    *home = Some(Home {
        remote: to.clone(),
        slot: None,
    });
    // Sent before anybody sees the new home, so no request comes first.
    let (address, there) = (address.clone(), to.clone());
    to.run(move || arrive(&address, &there));
    Ok(())
}

/// Settles here a tasklet that was sent, unless it has been adopted meanwhile.
fn arrive(address: &Arc<Address>, here: &Remote) {
    let on_its_way =
        |home: &Home| home.slot.is_none() && home.remote.thread_id() == here.thread_id();
    if !address.home().as_ref().is_some_and(on_its_way) {
        return;
    }
    if let Err(error) = settle(address, here) {
        log::error!("greenling: tasklet {} can't settle: {error}", address.id);
        *address.home() = None;
    }
}

/// Makes a tasklet of this thread for the function at `address`; `None` if
/// another thread was faster.
fn settle(address: &Arc<Address>, here: &Remote) -> Result<Option<Tasklet>, TaskletError> {
    let mut home = address.home();
    let settled = |home: &Home| home.slot.is_some() && home.remote.thread_id().is_some();
    if home.as_ref().is_some_and(settled) {
        return Ok(None);
    }
    let function = address.function.clone().ok_or(TaskletError::Pinned)?;
    let call = function.take().ok_or(TaskletError::Dead)?;
    let made = Builder::new().movable(function.clone());
    function.put_back(call);
    let tasklet = made.map_err(|_| TaskletError::Dead)?;
    let task = tasklet.tcb();
    task.id.set(address.id);
    note_address(task, address);
    *home = Some(Home {
        remote: here.clone(),
        slot: Some(task.slot.get()),
    });
    Ok(Some(tasklet))
}

fn log_refusal(operation: &str, task: TcbRef, result: Result<(), TaskletError>) {
    if let Err(error) = result {
        log::debug!("greenling: {operation} of {task:?} by another thread: {error}");
    }
}

/// A scheduler at a moment; see [`Remote::info`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ThreadInfo {
    /// Its main tasklet.
    pub main: RemoteTasklet,
    /// The tasklet that ran when it answered, or ran last.
    pub current: RemoteTasklet,
    /// How many of its tasklets were runnable, the running one included.
    pub run_count: usize,
}

impl Remote {
    /// What that scheduler is at: Stackless' `get_thread_info`.
    ///
    /// # Scheduling
    ///
    /// Waits until that thread looks at its inbox, unless it is this one.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// [`TaskletError::Dead`] if its thread has ended; `Wait` if the wait failed.
    #[track_caller]
    pub fn info(&self) -> Result<ThreadInfo, TaskletError> {
        if self.thread_id() == Some(std::thread::current().id()) {
            return info_of_this_thread().map_err(|_| TaskletError::Dead);
        }
        let (answer, receiver) = channel::channel(1);
        self.run(move || {
            if let Ok(info) = info_of_this_thread() {
                drop(answer.try_send(info));
            }
        });
        receiver.receive().map_err(|error| match error {
            super::ReceiveError::Closed => TaskletError::Dead,
            super::ReceiveError::Wait(error) => TaskletError::Wait(error),
        })
    }
}

fn info_of_this_thread() -> io::Result<ThreadInfo> {
    Ok(ThreadInfo {
        main: crate::main_tasklet().remote()?,
        current: crate::current().remote()?,
        run_count: crate::run_count(),
    })
}
