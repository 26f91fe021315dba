//! Why a tasklet is parked, so that a dump of all tasklets explains itself.
//!
//! Reasons are statics, compared by address, and never shared by two kinds of
//! wait: add a new one instead.

/// The name of one kind of wait.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::WaitReason;
/// static TABLE_LOCK: WaitReason = WaitReason::new("table lock");
/// assert_eq!(TABLE_LOCK.name(), "table lock");
/// ```
#[derive(Debug)]
pub struct WaitReason {
    name: &'static str,
}

impl WaitReason {
    /// A reason with the name that dumps show.
    pub const fn new(name: &'static str) -> WaitReason {
        WaitReason { name }
    }

    /// The name that dumps show.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

macro_rules! reasons {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(pub(crate) static $name: WaitReason = WaitReason::new($text);)*

        /// Every reason for which this crate parks a tasklet.
        pub static WAIT_REASONS: &[&WaitReason] = &[$(&$name),*];
    };
}

/// A tasklet that is not parked.
pub(crate) static NOTHING: WaitReason = WaitReason::new("nothing");

reasons! {
    CHANNEL_SEND = "channel send",
    CHANNEL_RECEIVE = "channel receive",
    JOIN = "join",
    SLEEP = "sleep",
    IO_READ = "descriptor readable",
    IO_WRITE = "descriptor writable",
    IO_EITHER = "descriptor readable or writable",
    ACCEPT = "accept",
    ACCEPT_BACKOFF = "accept back-off",
    CONNECT = "connect",
    OFFLOAD = "offload",
    THREAD_SEND = "thread channel send",
    THREAD_RECEIVE = "thread channel receive",
    SHUTDOWN = "shutdown of the workers",
    NOTIFY = "notify",
    EVENT = "event",
    ONCE_VALUE = "once value",
    SEMAPHORE = "semaphore",
    BARRIER = "barrier",
    WAIT_GROUP = "wait group",
    QUEUE_PUT = "queue put",
    QUEUE_GET = "queue get",
    MUTEX = "mutex",
    REENTRANT_MUTEX = "reentrant mutex",
    RW_READ = "rwlock read",
    RW_WRITE = "rwlock write",
    CONDVAR = "condvar",
    LOCK_TABLE = "lock table",
    PUMPED_SLEEP = "sleep until a pump",
    BE_NICE = "being nice until a pump",
    QUEUE_CHANNEL_SEND = "queue channel send",
    QUEUE_CHANNEL_RECEIVE = "queue channel receive",
    FUTURE = "future",
    SEVERAL = "one of several",
    PARALLEL = "parallel calls",
    BLOCK_ON = "future polled by block_on",
    DRAIN = "end of the other tasklets",
    CANCEL = "cancellation",
    INTERVAL = "interval",
    SELECT = "select",
    SCOPE = "the tasklets of a scope",
    CHILD = "child process",
    CHILD_OUTPUT = "output of a child process",
    SERVER_DRAIN = "end of the connections",
    THREAD_CLOSED = "thread channel closed",
}
