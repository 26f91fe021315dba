//! Tasklets that borrow from the one that started them.
//!
//! ```text
//!   scope(|s| { s.spawn(A); s.spawn(B); body })
//!
//!   body returns ---------------------> wait for A and B ---> return, or resume
//!   body unwinds --> kill A and B --+        | killed, thrown at,     the first panic
//!                                   |        | out of time
//!                                   +--------+--> kill A and B, wait for them with
//!                                                 kills held back ---> go on with that
//! ```
//!
//! # Why this is sound
//!
//! * [`scope`] neither returns nor unwinds before every closure it was given has
//!   been dropped, with all that was in it. It counts them by guards that are
//!   dropped after the closures; `children` holds the details.
//! * The wait for them can't be refused: where the caller may not park at all
//!   (it is unwinding, say), nothing is started in the first place, and a switch
//!   trap that was set meanwhile is lifted for the wait.
//! * To forget a handle or the scope does not matter: neither is what waits.
//! * Should anything go wrong all the same, `NoneLeft` ends the process.
//! * If the thread ends meanwhile, the frame of the parent is never run again
//!   and never unmapped, nor are those of the children.

mod children;
mod handle;
#[allow(unsafe_code, reason = "lends closures that borrow to tasklets")]
mod spawn;

pub use handle::ScopedJoinHandle;

use crate::error::{WaitError, drop_payload, panic_message};
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::{Builder, defer_kill};
use crate::time::scope::without_scopes;
use crate::wait::reason;
use children::Children;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;

/// How often tasklets that nothing can wake are killed before this gives up.
const DEADLOCKS_MAX: usize = 10;

type Payload = Box<dyn Any + Send>;

/// What [`scope`] lends to its closure, to start tasklets with.
pub struct Scope<'scope, 'env: 'scope> {
    children: Rc<Children>,
    /// Why the caller can't wait, so that nothing is started.
    refused: bool,
    /// Invariant in both, as in std: neither may be shortened.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Runs `f`, which may start tasklets that borrow from the caller, and waits
/// for all of them, as [`std::thread::scope`].
///
/// If `f` unwinds, the tasklets are killed: nobody would use their results.
///
/// # Scheduling
///
/// Switches until the tasklets have ended, if there are any. A switch trap that
/// is in force then is lifted for that time.
///
/// Where the caller may not switch to begin with (it is unwinding, say),
/// closures are dropped instead of started, and joins say so.
///
/// # Cancellation
///
/// When the caller is killed, the tasklets are killed, in the order in which
/// they were started; the kill goes on once they have ended. An error thrown at
/// the caller unwinds from here likewise. When the time of a
/// [`timeout`](crate::time::timeout) scope around this is up, or a token is
/// cancelled, they are killed, and this returns what `f` has returned; likewise
/// when nothing could ever wake any of them, which the log tells. While
/// it waits for killed tasklets, further kills are held back, and no deadline
/// counts.
///
/// # Panics
///
/// With the panic of `f`; else with the first panic of a tasklet that nobody
/// has joined. When the thread is ending.
///
/// Aborts the process if tasklets catch every kill, and wait for what can
/// never happen.
///
/// # Examples
///
/// ```
/// let mut counts = [0; 3];
/// let text = String::from("to be or not to be");
/// greenling::scope(|s| {
///     for (count, word) in counts.iter_mut().zip(["to", "be", "or"]) {
///         let text = &text;
///         s.spawn(move || *count = text.matches(word).count());
///     }
/// });
/// assert_eq!(counts, [2, 2, 1]);
/// ```
#[doc(alias = "nursery")]
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let location = Location::caller();
    let scheduler = local::expect();
    let scope = Scope {
        children: Children::new(),
        refused: scheduler.check_may_park().is_err(),
        scope: PhantomData,
        env: PhantomData,
    };
    let children = scope.children.clone();
    // Lives to the end of this function, so that it looks by whatever way.
    let _none_left = NoneLeft(&children);
    let body = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    let interrupted = match children.running() {
        0 => None,
        _ => {
            let _lifted = LiftedTraps::new(scheduler);
            join_all(scheduler, &children, body.is_err(), location)
        }
    };
    let value = match body {
        Ok(value) => value,
        Err(payload) => go_on(payload, &children),
    };
    if let Some(payload) = interrupted {
        drop(value);
        go_on(payload, &children);
    }
    match children.take_panic() {
        None => value,
        Some(payload) => {
            drop(value);
            go_on(payload, &children)
        }
    }
}

/// Resumes one unwind; panics of children that nobody will hear of are logged.
fn go_on(payload: Payload, children: &Children) -> ! {
    while let Some(other) = children.take_panic() {
        let message = panic_message(&other);
        log::error!("greenling: another tasklet of a scope has panicked, too: {message}");
        drop_payload(other);
    }
    resume_unwind(payload)
}

/// Waits for the children, first killing them if `kill`. What has reached the
/// caller meanwhile and unwinds.
fn join_all(
    scheduler: &Scheduler,
    children: &Children,
    kill: bool,
    location: &'static Location<'static>,
) -> Option<Payload> {
    let park = Park::new(&reason::SCOPE, location);
    let mut payload = None;
    if !kill {
        match catch_unwind(AssertUnwindSafe(|| children.wait(scheduler, park))) {
            Ok(Ok(())) => return None,
            Ok(Err(WaitError::Thrown(error))) => payload = Some(Box::new(error) as Payload),
            Ok(Err(_)) => {}
            Err(unwinding) => payload = Some(unwinding),
        }
    }
    let _held_back = defer_kill();
    let mut deadlocks = 0;
    without_scopes(scheduler.current(), || {
        children.kill_all();
        while children.running() > 0 {
            match catch_unwind(AssertUnwindSafe(|| children.wait(scheduler, park))) {
                Err(unwinding) if payload.is_none() => payload = Some(unwinding),
                // Its destructor must not get in the way.
                Err(later) => drop_payload(later),
                Ok(Err(WaitError::Deadlock)) if deadlocks < DEADLOCKS_MAX => {
                    deadlocks += 1;
                    children.kill_all();
                }
                Ok(Err(WaitError::Deadlock)) => break,
                Ok(_) => {}
            }
        }
    });
    payload
}

/// The switch traps of the thread, lifted for as long as this lives.
struct LiftedTraps<'a> {
    scheduler: &'a Scheduler,
    count: i32,
}

impl<'a> LiftedTraps<'a> {
    fn new(scheduler: &'a Scheduler) -> LiftedTraps<'a> {
        let count = scheduler.lift_traps();
        LiftedTraps { scheduler, count }
    }
}

impl Drop for LiftedTraps<'_> {
    fn drop(&mut self) {
        self.scheduler.restore_traps(self.count);
    }
}

/// Ends the process rather than leave the frame that tasklets borrow from.
struct NoneLeft<'a>(&'a Children);

impl Drop for NoneLeft<'_> {
    fn drop(&mut self) {
        if self.0.running() > 0 {
            eprintln!("greenling: tasklets of a scope refuse to end; aborting");
            std::process::abort();
        }
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a tasklet at the end of the run queue, as
    /// [`spawn`](crate::spawn).
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Panics
    ///
    /// When no stack can be had; [`Builder::spawn_scoped`] returns the error.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        match Builder::new().spawn_scoped(self, f) {
            Ok(handle) => handle,
            Err(error) => panic!("greenling: no stack for a new tasklet: {error}"),
        }
    }

    /// Kills the tasklets of the scope that have not ended, when their turns
    /// come; one that kills itself by this unwinds from here.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn kill_all(&self) {
        self.children.kill_all();
    }

    /// How many tasklets of the scope have not ended.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn running(&self) -> usize {
        self.children.running()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("running", &self.running())
            .finish()
    }
}
