//! Where a tasklet is, and how it gets elsewhere.
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

use super::super::remote::Remote;
use crate::error::TaskletError;
use crate::scheduler::{Doom, Scheduler, local};
use crate::tasklet::movable::Function;
use crate::tasklet::raw::{State, TcbRef, flag};
use crate::tasklet::{Builder, Tasklet};
use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Where a tasklet is, as far as other threads need to know.
pub(super) struct Address {
    /// Goes with the tasklet when that moves.
    pub(super) id: u64,
    home: Mutex<Option<Home>>,
    /// What can be moved.
    function: Option<Arc<Function>>,
}

/// A thread, and the block in its table once there is one.
#[derive(Clone)]
pub(super) struct Home {
    pub(super) remote: Remote,
    pub(super) slot: Option<u32>,
}

impl Home {
    /// The same place, of a thread that has not ended.
    pub(super) fn is(&self, other: &Home) -> bool {
        let thread = self.remote.thread_id();
        thread.is_some() && thread == other.remote.thread_id() && self.slot == other.slot
    }
}

/// What is to be done where the tasklet is.
pub(super) type Request = dyn FnOnce(&Scheduler, TcbRef) + Send;

impl Address {
    /// That of a tasklet of this thread; there is one at a time.
    pub(super) fn of(task: TcbRef, here: Remote) -> Arc<Address> {
        let known = task.with_extras(|extras| extras.address.as_ref().and_then(Weak::upgrade));
        if let Some(Ok(address)) = known.map(Arc::downcast::<Address>) {
            return address;
        }
        let home = Home {
            remote: here,
            slot: Some(task.slot.get()),
        };
        let address = Arc::new(Address {
            id: task.id.get(),
            home: Mutex::new(Some(home)),
            function: task.with_extras(|extras| extras.function.clone()),
        });
        note_address(task, &address);
        address
    }

    /// The tasklet, whose home is this thread.
    pub(super) fn find_here(&self) -> Result<Tasklet, TaskletError> {
        let scheduler = local::get().ok_or(TaskletError::Dead)?;
        let slot = self.home().as_ref().and_then(|home| home.slot);
        let task = find(scheduler, slot, self.id);
        task.map(Tasklet::from_tcb).ok_or(TaskletError::Dead)
    }

    /// `None` only if it could not settle where it was sent, and at the end.
    pub(super) fn home(&self) -> MutexGuard<'_, Option<Home>> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `operation` done on the tasklet by its own thread, if it is still
    /// alive when the request arrives. One that finds it moved follows it.
    pub(super) fn request(self: &Arc<Self>, operation: Box<Request>) -> Result<(), TaskletError> {
        let home = self.home().clone().ok_or(TaskletError::Dead)?;
        let address = self.clone();
        let sent = home.remote.run(move || {
            let Some(home) = address.home().clone() else {
                return;
            };
            if home.remote.thread_id() == Some(std::thread::current().id()) {
                // It may have left and come back since: then its arrival lies
                // behind this request.
                arrive(&address, &home.remote);
                let slot = address.home().as_ref().and_then(|home| home.slot);
                carry_out(slot, address.id, operation);
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
    let task = scheduler.table().get(slot?)?;
    (task.id.get() == id && task.is_alive()).then_some(task)
}

fn note_address(task: TcbRef, address: &Arc<Address>) {
    let address: Arc<dyn Any + Send + Sync> = address.clone();
    task.with_extras(|extras| extras.address = Some(Arc::downgrade(&address)));
    task.set(flag::REMOTE);
}

/// Takes the function out of a tasklet of this thread, which is unbound then,
/// and sends it to another.
pub(super) fn let_go(
    scheduler: &Scheduler,
    task: TcbRef,
    address: &Arc<Address>,
    to: &Remote,
) -> Result<(), TaskletError> {
    match task.state.get() {
        State::Blocked => return Err(TaskletError::Blocked),
        State::Runnable => return Err(TaskletError::Scheduled),
        // A kill that is on its way to it must not be lost.
        State::Paused if task.has(flag::STARTED) || task.has_signals() => {
            return Err(TaskletError::Pinned);
        }
        State::Paused => {}
        _ => return Err(TaskletError::Dead),
    }
    let function = task.take_function().ok_or(TaskletError::Pinned)?;
    let call = function.take();
    // What stays is another tasklet.
    task.id.set(scheduler.next_id());
    scheduler.count_unbound();
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
pub(super) fn settle(
    address: &Arc<Address>,
    here: &Remote,
) -> Result<Option<Tasklet>, TaskletError> {
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
