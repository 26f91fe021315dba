//! Making tasklets: `spawn`, and `Builder` for those who want to say more.

use super::binding::TaskletResult;
use super::entry::{self, Joined, Kind, Stackless};
use super::handle::Tasklet;
use super::join::JoinHandle;
use super::limit::too_many;
use super::raw::TcbRef;
use crate::error::Thrown;
use crate::scheduler::{Scheduler, local};
use crate::stack::{default_stack_size, slot_size};
use std::io;
use std::panic::Location;

/// Starts a tasklet at the end of the run queue and returns its join handle.
///
/// The closure need not be `Send`: a tasklet never leaves the OS thread that
/// made it, so tasklets of one thread may share `Rc<RefCell<..>>` state.
/// Dropping the handle detaches the tasklet.
///
/// # Scheduling
///
/// Never switches: the tasklet runs when the caller next waits or yields.
///
/// # Panics
///
/// When no stack can be had, the limit of
/// [`set_max_tasklets`](crate::set_max_tasklets) is reached, or the thread is
/// ending. Servers use [`Builder::spawn`], which returns the error.
///
/// # Examples
///
/// ```
/// let handle = greenling::spawn(|| 6 * 7);
/// assert_eq!(handle.join().unwrap(), 42);
/// ```
#[track_caller]
#[inline]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let scheduler = local::expect();
    match scheduler.make_tasklet::<Joined, F, T>(f, None, Location::caller()) {
        Ok(task) => {
            scheduler.append(task);
            JoinHandle::new(task)
        }
        Err(error) => panic!("greenling: no stack for a new tasklet: {error}"),
    }
}

/// Makes tasklets with a name or a stack size of their own.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let handle = greenling::Builder::new()
///     .name("parser")
///     .stack_size(1 << 20)
///     .spawn(|| greenling::current().name())?;
/// assert_eq!(handle.join().unwrap().as_deref(), Some("parser"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it spawns"]
pub struct Builder {
    name: Option<Box<str>>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A builder for tasklets without a name, with stacks of the default size.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// The name that dumps and reports show.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Address space of the stack in bytes, its guard of 64 KiB included;
    /// rounded up to whole pages, at least 96 KiB. Memory is only taken as it
    /// is touched. The default is 256 KiB, or `GREENLING_STACK_SIZE`.
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// As [`spawn`], with the error returned.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// When no stack can be had (`OutOfMemory` and the like), when the limit of
    /// [`set_max_tasklets`](crate::set_max_tasklets) is reached (`QuotaExceeded`),
    /// when the size is out of range (`InvalidInput`: more than 1 GiB), or when the
    /// thread is ending.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let scheduler = local::get_or_make().ok_or_else(ended)?;
        let task = self.make::<Joined, F, T>(scheduler, f, Location::caller())?;
        scheduler.append(task);
        Ok(JoinHandle::new(task))
    }

    /// A paused [`Tasklet`], as [`Tasklet::new`] makes it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn tasklet<F, R>(self, f: F) -> io::Result<Tasklet>
    where
        F: FnOnce() -> R + 'static,
        R: TaskletResult,
    {
        let scheduler = local::get_or_make().ok_or_else(ended)?;
        let closure = move || f().into_result();
        let task =
            self.make::<Stackless, _, Result<(), Thrown>>(scheduler, closure, Location::caller())?;
        task.set(super::raw::flag::STACKLESS);
        scheduler.pause(task);
        Ok(Tasklet::from_tcb(task))
    }

    fn make<K: Kind<T>, F: FnOnce() -> T + 'static, T: 'static>(
        self,
        scheduler: &Scheduler,
        f: F,
        location: &'static Location<'static>,
    ) -> io::Result<TcbRef> {
        let size = match self.stack_size {
            Some(asked) => Some(slot_size(asked).ok_or_else(too_large)?),
            None => None,
        };
        let size = size.filter(|&size| size != default_stack_size());
        let task = scheduler.make_tasklet::<K, F, T>(f, size, location)?;
        if let Some(name) = self.name {
            task.with_extras(|extras| extras.name = Some(name));
        }
        Ok(task)
    }
}

impl Scheduler {
    /// A tasklet on a stack of the given size, or of the default one. The caller
    /// queues or pauses it.
    #[inline]
    pub(crate) fn make_tasklet<K: Kind<T>, F: FnOnce() -> T + 'static, T: 'static>(
        &self,
        f: F,
        size: Option<usize>,
        location: &'static Location<'static>,
    ) -> io::Result<TcbRef> {
        if !self.may_be_born() {
            return Err(too_many());
        }
        let stack = match size {
            None => self.stacks().borrow_mut().take_default(),
            Some(size) => self.stacks().borrow_mut().take(size),
        }?;
        let task = self.table().take(self.next_id(), location);
        entry::arm::<K, F, T>(task, stack, f);
        self.count_birth();
        Ok(task)
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread is ending and runs no tasklets any more")
}

fn too_large() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "a stack is at most 1 GiB of address space",
    )
}
