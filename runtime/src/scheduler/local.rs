//! The calling thread's scheduler: made on first use, ended with the thread.
//!
//! ```text
//!   NONE --first use--> a scheduler --thread-local destructors--> ENDED
//! ```
//!
//! At the thread's end no tasklet can be unwound any more: thread-locals that
//! its frames use may be gone. So only closures that never started are
//! dropped; stacks with frames on them stay mapped for ever, and every later
//! call is refused. `enter` ends a thread's tasklets properly, before that.
//! Inside `process::exit`, called on a tasklet, not even that is done.

use super::account::Accounts;
use super::external::External;
use super::{Pace, Scheduler, guard};
use crate::error::contain;
use crate::stack::{StackPool, Suspect, install_overflow_report};
use crate::tasklet::entry::{self, drop_quietly};
use crate::tasklet::raw::{State, Table, flag};
use crate::timer::Timers;
use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};
use std::time::Instant;

thread_local! {
    /// Null, or the scheduler. No destructor, so that reading it is one load.
    static LOCAL: Cell<*const Scheduler> = const { Cell::new(ptr::null()) };

    /// Set when the thread's scheduler has ended.
    static ENDED: Cell<bool> = const { Cell::new(false) };

    /// Has the destructor; touched when the scheduler is made.
    static END: EndOfThread = const { EndOfThread };
}

struct EndOfThread;

impl Drop for EndOfThread {
    fn drop(&mut self) {
        end();
    }
}

/// The thread's scheduler, if it has one.
#[inline(always)]
pub(crate) fn get() -> Option<&'static Scheduler> {
    let pointer = LOCAL.get();
    // SAFETY: null, or a box leaked by `make`. It is freed by `end` after
    // LOCAL was set to null; whoever got the reference before that ran on this
    // thread and has returned, or is a suspended frame that never runs again.
    unsafe { pointer.as_ref() }
}

/// The thread's scheduler, made if need be; `None` when it has ended. The caller's
/// place is where its main tasklet was made.
#[inline(always)]
#[track_caller]
pub(crate) fn get_or_make() -> Option<&'static Scheduler> {
    match get() {
        Some(scheduler) => Some(scheduler),
        None => make(),
    }
}

/// As [`get_or_make`], for calls that can't report an ended thread.
#[inline(always)]
#[track_caller]
pub(crate) fn expect() -> &'static Scheduler {
    match get_or_make() {
        Some(scheduler) => scheduler,
        None => panic!("greenling: this thread is ending and runs no tasklets any more"),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn make() -> Option<&'static Scheduler> {
    static SCHEDULERS: AtomicU64 = AtomicU64::new(1);
    // Refused once the thread's destructors have run past ours.
    if ENDED.get() || END.try_with(|_| ()).is_err() {
        return None;
    }
    install_overflow_report(overflow_suspect);
    let number = SCHEDULERS.fetch_add(1, Ordering::Relaxed);
    let table = Table::default();
    let main = table.take(number << super::ID_BITS, Location::caller());
    main.link_to_self();
    main.state.set(State::Runnable);
    main.set(flag::MAIN | flag::STARTED);
    main.with_extras(|extras| extras.name = Some("main".into()));
    // The scheduler itself holds a handle to main, so its block stays.
    main.retain();
    let now = Instant::now();
    let scheduler = Box::new(Scheduler {
        current: Cell::new(main),
        apart: Cell::new(main),
        guarded: Cell::new(0),
        countdown: Cell::new(Scheduler::first_interval()),
        parked: Cell::new(false),
        run_count: Cell::new(1),
        alive: Cell::new(1),
        max_tasklets: Cell::new(usize::MAX),
        paused: Cell::new(0),
        main,
        runners: RefCell::default(),
        doomed: RefCell::default(),
        table,
        stacks: RefCell::new(StackPool::new(first_stack)),
        timers: RefCell::new(Timers::new()),
        driver: OnceCell::new(),
        external: External::new(),
        pace: Pace {
            interval: Cell::new(Scheduler::first_interval()),
            last: Cell::new(now),
            trimmed: Cell::new(now),
        },
        order: Cell::default(),
        budget: RefCell::default(),
        error_handler: RefCell::new(None),
        hooks: RefCell::default(),
        park_hook: RefCell::new(None),
        traps: Cell::new(0),
        number,
        next_id: Cell::new(main.id.get() + 1),
        entered: Cell::new(false),
        polls: Cell::new(0),
        spree: Cell::new((0, 0)),
        accounts: Accounts::new(Scheduler::first_interval()),
        anchor: OnceCell::new(),
        pulse: OnceCell::new(),
    });
    let scheduler: *const Scheduler = Box::into_raw(scheduler);
    // A signal handler of this thread that finds it finds it whole.
    compiler_fence(Ordering::SeqCst);
    LOCAL.set(scheduler);
    let scheduler = get()?;
    let _ = scheduler.anchor.set(scheduler.show_to_debuggers());
    Some(scheduler)
}

/// From the first tasklet on other threads can ask what there is.
fn first_stack() {
    if let Some(scheduler) = get() {
        scheduler.open_inbox();
    }
}

fn end() {
    ENDED.set(true);
    let Some(scheduler) = get() else {
        return;
    };
    scheduler.set_guard(guard::ENDED);
    if let Some(pulse) = scheduler.pulse.get() {
        pulse.end();
    }
    if scheduler.current() != scheduler.main {
        // `process::exit` was called on a tasklet, whose stack this is.
        LOCAL.set(ptr::null());
        return;
    }
    // From here on the thread has no scheduler: what the closures' destructors
    // ask of it is refused.
    let pointer = LOCAL.replace(ptr::null()).cast_mut();
    // Nor does such a handler find what is taken apart below.
    compiler_fence(Ordering::SeqCst);
    let leaked = drop_unstarted(scheduler);
    // SAFETY: made by `Box::into_raw` in `make`, and out of everyone's reach
    // now (see `get`).
    let mut scheduler = unsafe { Box::from_raw(pointer) };
    // Foreign destructors run below; they find the thread ended.
    let main = scheduler.main;
    scheduler.drop_values(main);
    drop_quietly(main, scheduler.error_handler.take());
    let hooks = scheduler.hooks.take();
    drop_quietly(main, hooks.schedule);
    drop_quietly(main, hooks.channel);
    drop_quietly(main, scheduler.park_hook.take());
    scheduler.external.close(main);
    scheduler.main.release();
    scheduler.main.state.set(State::Dead);
    scheduler.stacks.borrow_mut().release();
    scheduler.table.release(leaked);
}

/// Ends every tasklet on paper, and drops the closures that never started.
/// True if there were others, whose stacks stay.
fn drop_unstarted(scheduler: &Scheduler) -> bool {
    let mut leaked = false;
    let mut tasks: Vec<_> = scheduler.table.iter().collect();
    tasks.sort_by_key(|task| task.id.get());
    for task in tasks {
        if task.has(flag::MAIN) || !task.is_alive() {
            continue;
        }
        let started = task.has(flag::STARTED);
        // Its waits, its timer and its place in the ring are never looked at
        // again, as nothing can run any more.
        task.state.set(State::Dead);
        leaked |= started;
        if !started {
            scheduler.drop_values(task);
            let panicked = contain(|| {
                entry::drop_closure(task);
                drop((task.take_function(), scheduler.take_signals(task)));
            });
            if panicked {
                log::error!("greenling: the closure of {task:?} panicked when it was dropped");
            }
            let stack = task.stack.replace(crate::stack::Stack::none());
            if !stack.is_none() {
                scheduler.stacks.borrow_mut().give_back(stack);
            }
        }
    }
    leaked
}

/// The tasklet whose guard a fault address lies in. Called by the fault handler:
/// async-signal-safe, takes no locks.
fn overflow_suspect(address: usize) -> Option<Suspect> {
    let task = get()?.current();
    let (base, size, usable) = task.stack_bounds();
    let guard_end = base + (size - usable);
    if !(base..guard_end).contains(&address) {
        return None;
    }
    Some(Suspect {
        id: task.id.get(),
        name: task.name_bytes(),
        size,
        usable,
    })
}
