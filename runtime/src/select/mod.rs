//! Waiting for whichever of several operations comes first.
//!
//! ```text
//!   attempt each, in an order drawn ----- one has succeeded ----------> it
//!      |  none                    ^
//!      v                          |  news: look again
//!   prepare each, link all, park -+
//!                                 |  a partner has completed one: -----> it
//!                                 |  deadline, kill, throw: ----------> error
//! ```
//!
//! At most one operation takes place. A partner that finds the tasklet in a
//! list (a channel's, say) hands over there and then, and takes it off all
//! others, so nothing is ever handed to two operations. What other threads
//! wake is attempted again.
//!
//! # Operations
//!
//! | operation | output | completes when |
//! |---|---|---|
//! | [`Channel::receiving`](crate::Channel::receiving) | as `receive` | a sender comes |
//! | [`Channel::sending`](crate::Channel::sending) | as `send` | a receiver comes |
//! | [`thread::Receiver::receiving`][tr] | as `receive` | a value is there |
//! | [`thread::Sender::sending`][ts] | as `send` | there is room |
//! | [`JoinHandle::ending`](crate::JoinHandle::ending) | `()` | the tasklet has ended |
//! | [`after`], [`at`] | `()` | the time has come |
//! | [`Interval::ticking`](crate::time::Interval::ticking) | `Instant` | the next tick is due |
//! | [`readiness`](crate::io::Readiness) of sockets | `io::Result<Ready>` | a direction is ready |
//! | [`CancelToken::cancelling`][cc] | `()` | the token is cancelled |
//! | [`Shutdown::triggering`](crate::Shutdown::triggering) | `()` | the workers are to stop |
//! | [`Signals::arriving`](crate::signal::Signals::arriving) | as `wait` | a signal has come |
//!
//! [ts]: crate::thread::Sender::sending
//! [tr]: crate::thread::Receiver::receiving
//! [cc]: crate::time::CancelToken::cancelling

pub(crate) mod steps;
mod timer;

pub use timer::{Timer, after, at};

use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler, local};
use crate::wait::{Places, reason};
use std::cell::Cell;
use std::panic::Location;
use std::time::Instant;
use steps::{Alarm, Here, Links, Steps};

/// Something to [`select!`](crate::select!). Implemented by the operations of
/// this crate only.
pub trait Operation: Steps {
    /// What a completed operation gives.
    type Output;

    /// The output, once, if the operation has taken place.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    fn take(&mut self) -> Option<Self::Output>;
}

/// Waits until one of the operations has taken place, and returns its index;
/// [`Operation::take`] has the output. [`select!`](crate::select!) is the same
/// for a number of operations that is known beforehand.
///
/// If several could take place, chance decides. The others can be used again.
///
/// # Scheduling
///
/// Switches unless one can take place at once; the one that does may switch
/// even then, as it does by itself. After 32 in a row that could, it gives way to
/// others before it begins.
///
/// # Cancellation
///
/// Nothing is lost: values to be sent are still in their operations. As for a
/// plain receive, a value that was handed over already is dropped by a kill or
/// a throw that comes before the tasklet runs.
///
/// # Errors
///
/// The reasons of [`WaitError`]; `Deadlock` also for no operations at all.
///
/// # Panics
///
/// If it is to send to and receive from the same channel.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, select::{Operation, select}, spawn};
/// let channels: Vec<_> = (0..5).map(|_| Channel::new()).collect();
/// let third = channels[3].clone();
/// spawn(move || third.send("hello").unwrap());
/// let mut operations: Vec<_> = channels.iter().map(Channel::receiving).collect();
/// let mut all: Vec<_> = operations.iter_mut().map(|one| one as _).collect();
/// let index = select(&mut all).unwrap();
/// assert_eq!(index, 3);
/// assert_eq!(operations[index].take().unwrap().unwrap(), "hello");
/// ```
#[track_caller]
pub fn select(operations: &mut [&mut dyn Steps]) -> Result<usize, WaitError> {
    let location = Location::caller();
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    scheduler.give_way_when_due()?;
    loop {
        if let Some(index) = attempt_all(scheduler, operations) {
            return Ok(index);
        }
        scheduler.check_may_park()?;
        scheduler.announce_park(&reason::SELECT);
        if let Some(index) = wait_once(scheduler, operations, location)? {
            return Ok(index);
        }
    }
}

/// As [`select`], but does not wait: `None` if no operation can take place now.
///
/// # Scheduling
///
/// Switches only if the operation that takes place does, as by itself.
///
/// # Cancellation
///
/// As [`select`].
pub fn poll(operations: &mut [&mut dyn Steps]) -> Option<usize> {
    attempt_all(local::get_or_make()?, operations)
}

/// Operations whose order is drawn without an allocation.
const FEW: usize = 8;

/// The index of the one that takes place, each of those that can being as likely
/// as any other. To go round from anywhere would favour one whose neighbours can't.
fn attempt_all(scheduler: &Scheduler, operations: &mut [&mut dyn Steps]) -> Option<usize> {
    let count = operations.len();
    let (mut few, mut many) = ([0; FEW], Vec::new());
    let order = if count <= FEW {
        &mut few[..count]
    } else {
        many.resize(count, 0);
        &mut many[..]
    };
    for (index, place) in order.iter_mut().enumerate() {
        *place = index;
    }
    for next in 0..count {
        order.swap(next, next + draw(count - next));
        let index = order[next];
        if operations[index].attempt(Here(scheduler)) {
            return Some(index);
        }
    }
    None
}

/// Parks once. The index of an operation that a partner has completed, or that
/// has taken place since; `None` if the news has gone already.
fn wait_once(
    scheduler: &Scheduler,
    operations: &mut [&mut dyn Steps],
    location: &'static Location<'static>,
) -> Result<Option<usize>, WaitError> {
    let mut prepared = Prepared(operations);
    let (mut deadline, mut external) = (None::<Instant>, false);
    for operation in prepared.0.iter_mut() {
        external |= operation.prepare(Here(scheduler))?;
        let later = |at: &Instant| deadline.is_some_and(|earliest| earliest <= *at);
        if let Some(at) = operation.deadline().filter(|at| !later(at)) {
            deadline = Some(at);
        }
    }
    let ticket = if external {
        let (ticket, waker) = scheduler.ticket()?;
        let alarm = Alarm(waker);
        for operation in prepared.0.iter_mut() {
            if !operation.enrol(&alarm) {
                return Ok(None);
            }
        }
        Some(ticket)
    } else {
        None
    };
    let park = Park::new(&reason::SELECT, location).until(deadline);
    let result = park_in_all(scheduler, prepared.0, park);
    drop(ticket);
    let completed = prepared.settle(result.is_ok());
    match result {
        // The time of one of them has come, not that of a scope.
        Err(WaitError::TimedOut) if deadline.is_some_and(|at| at <= Instant::now()) => {}
        result => result?,
    }
    // Before they leave: what they were woken for is theirs first.
    Ok(completed.or_else(|| attempt_all(scheduler, prepared.0)))
}

/// Links the tasklet wherever one of the operations may be found, and parks it.
fn park_in_all(
    scheduler: &Scheduler,
    operations: &[&mut dyn Steps],
    park: Park,
) -> Result<(), WaitError> {
    let mut links = Links(Places::new(scheduler));
    for operation in operations {
        operation.link(&mut links);
    }
    links.0.park(park)
}

/// Operations that may be enlisted somewhere; they leave also by unwinding.
struct Prepared<'a, 'b>(&'a mut [&'b mut dyn Steps]);

impl Prepared<'_, '_> {
    /// Ends what the park was for; the one that a partner has completed.
    fn settle(&mut self, woken: bool) -> Option<usize> {
        let mut completed = None;
        for (index, operation) in self.0.iter_mut().enumerate() {
            if operation.settle(woken) {
                debug_assert!(completed.is_none(), "two operations have taken place");
                completed = Some(index);
            }
        }
        completed
    }
}

impl Drop for Prepared<'_, '_> {
    fn drop(&mut self) {
        self.settle(false);
        self.0.iter_mut().for_each(|operation| operation.leave());
    }
}

/// A number below `count`, by chance, the same in every run: what comes first must
/// not follow a pattern of the program's, but programs should be repeatable.
fn draw(count: usize) -> usize {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
    }
    if count <= 1 {
        return 0;
    }
    // Xorshift, as Marsaglia gives it.
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        // The upper half as a fraction of one, times the count.
        (((x >> 32) * count as u64) >> 32) as usize
    })
}

/// Waits for whichever of several [operations](mod@crate::select) comes first, and
/// runs what stands behind its arrow.
///
/// ```text
/// select! {
///     pattern = operation => expression,
///     pattern = operation => { block }
///     default => expression,            (optional, the last)
/// }
/// ```
///
/// Gives `Result<T, WaitError>`, where `T` is the type of all expressions. With
/// `default` it does not wait, and does that if nothing can take place at once: a
/// loop around it calls [`schedule`](crate::schedule()), or nobody else runs.
/// If several could, chance decides. Patterns must be irrefutable; `?`, `break`,
/// `continue` and `return` in an expression work as outside.
///
/// # Scheduling
///
/// As [`select::select`](crate::select::select).
///
/// # Cancellation
///
/// As [`select::select`](crate::select::select). A value that was to be sent is
/// dropped together with its operation: make that beforehand and pass
/// `&mut operation` to keep it.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, select, select::after, spawn};
/// use std::time::Duration;
/// let (numbers, words) = (Channel::new(), Channel::new());
/// let sender = words.clone();
/// spawn(move || sender.send("seven"));
/// let text = select! {
///     number = numbers.receiving() => number.map(|n: u32| n.to_string()),
///     word = words.receiving() => { word.map(str::to_string) }
///     () = after(Duration::from_secs(60)) => Ok("late".into()),
/// };
/// assert_eq!(text.unwrap().unwrap(), "seven");
/// ```
#[macro_export]
macro_rules! select {
    (
        @arms [$($id:ident $pattern:pat, $operation:expr, $body:expr;)*]
        default => $default:expr $(,)?
    ) => {{
        $(let mut $id = $operation;)*
        match $crate::select::poll(&mut [$(&mut $id),*]) {
            Some(index) => $crate::select!(@taken index [$($id $pattern, $body;)*]),
            None => $crate::select!(@ok $default),
        }
    }};
    (@arms [$($id:ident $pattern:pat, $operation:expr, $body:expr;)*]) => {{
        $(let mut $id = $operation;)*
        match $crate::select::select(&mut [$(&mut $id),*]) {
            Ok(index) => $crate::select!(@taken index [$($id $pattern, $body;)*]),
            Err(error) => ::core::result::Result::<_, $crate::WaitError>::Err(error),
        }
    }};
    // With a comma and without, as the arms of a `match`.
    (@arms [$($done:tt)*] $pattern:pat = $operation:expr => $body:block, $($rest:tt)*) => {
        $crate::select!(@arms [$($done)* operation $pattern, $operation, $body;] $($rest)*)
    };
    (@arms [$($done:tt)*] $pattern:pat = $operation:expr => $body:block $($rest:tt)*) => {
        $crate::select!(@arms [$($done)* operation $pattern, $operation, $body;] $($rest)*)
    };
    (@arms [$($done:tt)*] $pattern:pat = $operation:expr => $body:expr) => {
        $crate::select!(@arms [$($done)* operation $pattern, $operation, $body;])
    };
    (@arms [$($done:tt)*] $pattern:pat = $operation:expr => $body:expr, $($rest:tt)*) => {
        $crate::select!(@arms [$($done)* operation $pattern, $operation, $body;] $($rest)*)
    };
    (@taken $index:ident [$id:ident $pattern:pat, $body:expr; $($rest:tt)*]) => {
        // By its index: an operation that was selected before may have kept
        // its output.
        if $index == 0
            && let Some(output) = $crate::select::Operation::take(&mut $id)
        {
            let $pattern = output;
            $crate::select!(@ok $body)
        } else {
            let index = usize::wrapping_sub($index, 1);
            $crate::select!(@taken index [$($rest)*])
        }
    };
    (@taken $index:ident []) => {
        unreachable!("one of the operations has taken place: {}", $index)
    };
    // `Ok` of an expression that may leave by `return` or `break`, of which the
    // compiler needs not warn.
    (@ok $value:expr) => {{
        #[allow(clippy::diverging_sub_expression, reason = "it may be a jump")]
        let value = $value;
        #[allow(unreachable_code, reason = "as above")]
        let result = ::core::result::Result::<_, $crate::WaitError>::Ok(value);
        result
    }};
    () => {
        compile_error!("select! needs an operation")
    };
    ($($arms:tt)+) => {
        $crate::select!(@arms [] $($arms)+)
    };
}
