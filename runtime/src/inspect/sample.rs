//! What a thread does at this moment, asked of it by a signal.
//!
//! ```text
//!   watcher                               the thread asked
//!   ASKED, tgkill(SIGURG)  ------------>  handler: TAKING
//!   waits a while                           registers, who runs, copy of stack
//!   reads, IDLE            <------------  DONE
//! ```
//!
//! The handler does what is safe at any instruction: it reads cells of its own
//! thread, and has the kernel copy the stack, which fails instead of faulting
//! where nothing is mapped. No locks, no memory, no unwinding; that is done on
//! the copy, by the asker. It runs on the alternate signal stack, since the
//! tasklet's own may be nearly full.
//!
//! SIGURG is ignored by default, so a signal that comes late, or to a thread
//! that knows nothing of it, does no harm. One that is not ours goes on to the
//! handler that was there before.

use crate::scheduler::local;
use crate::stack::forward_signal;
use crate::tasklet::raw::NAMELESS;
use framehop::UnwindRegsNative;
use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Bytes of stack that are copied: from the stack pointer upwards, and while
/// code runs on the system stack, from the hot end of the tasklet's.
const OWN_BYTES: usize = 192 * 1024;
const OTHER_BYTES: usize = 64 * 1024;

/// The kernel copies up to the first page that is not there, if each page is
/// asked for by itself.
const PAGE: usize = 4096;

/// Bytes of a tasklet's name.
const NAME_MAX: usize = 64;

/// How long a thread gets to take the signal. It may have it blocked.
const PATIENCE: Duration = Duration::from_millis(200);

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const TAKING: u32 = 2;
const DONE: u32 = 3;
const NOBODY: u32 = 4;

/// A copy of a part of memory.
#[derive(Debug, Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn contains(&self, address: u64) -> bool {
        address
            .checked_sub(self.start)
            .is_some_and(|at| at < self.bytes.len() as u64)
    }

    /// The word that was at this address.
    pub(super) fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let word = self.bytes.get(at..at.checked_add(8)?)?;
        Some(u64::from_ne_bytes(word.try_into().ok()?))
    }
}

/// What a thread was found at.
#[derive(Debug)]
pub(super) struct Sample {
    /// Changes with every switch.
    pub(super) switches: u64,
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) spawned_at: &'static Location<'static>,
    pub(super) alive: usize,
    pub(super) on_system_stack: bool,
    pub(super) pc: u64,
    pub(super) registers: UnwindRegsNative,
    /// The stack that was run on, and that of the tasklet if it is another.
    pub(super) windows: [Window; 2],
}

/// What the handler writes and the asker reads, the bytes of stack excepted.
#[derive(Clone, Copy)]
struct Head {
    switches: u64,
    id: u64,
    name: [u8; NAME_MAX],
    name_length: usize,
    spawned_at: &'static Location<'static>,
    alive: usize,
    on_system_stack: bool,
    pc: u64,
    registers: UnwindRegsNative,
    /// Where each window began, and how much of it was copied.
    windows: [(usize, usize); 2],
}

struct Slot {
    state: AtomicU32,
    /// Whom the question is for.
    thread: AtomicI32,
    head: UnsafeCell<Option<Head>>,
    bytes: UnsafeCell<[u8; OWN_BYTES + OTHER_BYTES]>,
}

// SAFETY: the cells are touched by the handler between TAKING and DONE and by
// the asker, who holds `ASKING`, between DONE and IDLE.
unsafe impl Sync for Slot {}

static SLOT: Slot = Slot {
    state: AtomicU32::new(IDLE),
    thread: AtomicI32::new(0),
    head: UnsafeCell::new(None),
    bytes: UnsafeCell::new([0; OWN_BYTES + OTHER_BYTES]),
};

static ASKING: Mutex<()> = Mutex::new(());

/// The disposition before ours.
static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());

/// The calling thread, for [`take`].
pub(super) fn this_thread() -> i32 {
    // SAFETY: has no preconditions.
    unsafe { libc::gettid() }
}

static INSTALLED: OnceLock<Option<i32>> = OnceLock::new();

/// Whether threads can be asked.
pub(super) fn is_installed() -> bool {
    INSTALLED.get() == Some(&None)
}

/// Installs the handler, once.
pub(super) fn install() -> io::Result<()> {
    let failure = INSTALLED.get_or_init(|| {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: reads the present disposition into `old`.
        unsafe { libc::sigaction(libc::SIGURG, ptr::null(), old.as_mut_ptr()) };
        // SAFETY: all-zero is a valid value, if the call has not filled it in.
        let old = unsafe { old.assume_init() };
        // Kept for ever: the handler may run at any time.
        PREVIOUS.store(Box::into_raw(Box::new(old)), Ordering::Release);
        // SAFETY: an all-zero sigaction is a valid value of the C structure.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: `action` is initialised and names a handler of the right type.
        let result = unsafe { libc::sigaction(libc::SIGURG, &raw const action, ptr::null_mut()) };
        (result != 0).then(|| io::Error::last_os_error().raw_os_error().unwrap_or(0))
    });
    failure.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
}

/// Asks a thread what it does; `None` if it does not say, or has no scheduler.
pub(super) fn take(thread: i32) -> Option<Sample> {
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    SLOT.thread.store(thread, Ordering::Relaxed);
    SLOT.state.store(ASKED, Ordering::Release);
    let process = std::process::id() as libc::pid_t;
    // SAFETY: a thread that has ended, or that another has taken the number of,
    // finds that nothing is asked of it.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) } == 0;
    let step = Duration::from_micros(200);
    for _ in 0..PATIENCE.as_micros() / step.as_micros() {
        if !sent || SLOT.state.load(Ordering::Relaxed) >= DONE {
            break;
        }
        std::thread::park_timeout(step);
    }
    // Not in the middle of its answer, which takes microseconds.
    let withdrawn = SLOT
        .state
        .compare_exchange(ASKED, IDLE, Ordering::AcqRel, Ordering::Acquire);
    if withdrawn.is_ok() {
        return None;
    }
    while SLOT.state.load(Ordering::Acquire) == TAKING {
        std::thread::yield_now();
    }
    let sample = (SLOT.state.load(Ordering::Acquire) == DONE)
        .then(read)
        .flatten();
    SLOT.state.store(IDLE, Ordering::Release);
    sample
}

/// What the handler has left. The state is DONE.
fn read() -> Option<Sample> {
    // SAFETY: the handler is through, and we are the only asker.
    let head = unsafe { *SLOT.head.get() }?;
    // SAFETY: as above.
    let bytes = unsafe { &*SLOT.bytes.get() };
    let window = |index: usize, at: usize| {
        let (start, length) = head.windows[index];
        Window {
            start: start as u64,
            bytes: bytes[at..at + length].to_vec(),
        }
    };
    let name = &head.name[..head.name_length];
    Some(Sample {
        switches: head.switches,
        id: head.id,
        name: (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned()),
        spawned_at: head.spawned_at,
        alive: head.alive,
        on_system_stack: head.on_system_stack,
        pc: head.pc,
        registers: head.registers,
        windows: [window(0, 0), window(1, OWN_BYTES)],
    })
}

extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: one of the thread's own words.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: valid for the thread's life.
    let saved = unsafe { *errno };
    if this_thread() == SLOT.thread.load(Ordering::Relaxed)
        && SLOT
            .state
            .compare_exchange(ASKED, TAKING, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    {
        // SAFETY: the kernel passes the interrupted context to such handlers.
        let context = unsafe { &*context.cast::<libc::ucontext_t>() };
        let (pc, registers) = registers(context);
        let state = if answer(pc, registers) { DONE } else { NOBODY };
        SLOT.state.store(state, Ordering::Release);
    } else {
        pass_on(signal, info, context);
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = PREVIOUS.load(Ordering::Acquire);
    // SAFETY: null, or set once by `install` to a leaked box.
    let handler = unsafe { previous.as_ref() }.map_or(libc::SIG_DFL, |it| it.sa_sigaction);
    // By default this signal is ignored.
    if handler != libc::SIG_DFL && handler != libc::SIG_IGN {
        forward_signal(signal, info, context, previous);
    }
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> (u64, UnwindRegsNative) {
    let all = &context.uc_mcontext.gregs;
    let [pc, sp, fp] = [libc::REG_RIP, libc::REG_RSP, libc::REG_RBP].map(|it| all[it as usize]);
    let (pc, sp, fp) = (pc as u64, sp as u64, fp as u64);
    (pc, UnwindRegsNative::new(pc, sp, fp))
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> (u64, UnwindRegsNative) {
    let all = &context.uc_mcontext;
    let registers = UnwindRegsNative::new(all.regs[30], all.sp, all.regs[29]);
    (all.pc, registers)
}

/// Fills the slot in; false if this thread has no scheduler. The state is
/// TAKING.
fn answer(pc: u64, registers: UnwindRegsNative) -> bool {
    let Some(scheduler) = local::get() else {
        return false;
    };
    let glimpse = scheduler.glimpse();
    let task = glimpse.task;
    let (base, size, usable) = task.stack_bounds();
    // A tasklet that is about to end may have half of its stack's bounds left:
    // what comes out is read by a call that checks, so it need not be true.
    let (low, top) = (
        base.wrapping_add(size.wrapping_sub(usable)),
        base.wrapping_add(size),
    );
    let sp = registers.sp() as usize;
    let on_own = (low..top).contains(&sp);
    let windows = if on_own || size == 0 {
        let length = if on_own { top - sp } else { OWN_BYTES };
        [(sp, length.min(OWN_BYTES)), (0, 0)]
    } else {
        let other = usable.min(OTHER_BYTES);
        [(sp, OWN_BYTES), (top.wrapping_sub(other), other)]
    };
    let bytes: *mut u8 = SLOT.bytes.get().cast();
    let copied = [
        (windows[0].0, copy(windows[0], bytes)),
        (
            windows[1].0,
            copy(windows[1], bytes.wrapping_add(OWN_BYTES)),
        ),
    ];
    let named = task.name_bytes();
    let mut name = [0; NAME_MAX];
    let name_length = if named == NAMELESS {
        0
    } else {
        named.len().min(NAME_MAX)
    };
    name[..name_length].copy_from_slice(&named[..name_length]);
    let head = Head {
        switches: glimpse.switches,
        id: task.id.get(),
        name,
        name_length,
        spawned_at: task.spawned_at.get(),
        alive: glimpse.alive,
        on_system_stack: glimpse.on_system_stack,
        pc,
        registers,
        windows: copied,
    };
    // SAFETY: the state is TAKING, so the slot is this handler's.
    unsafe { SLOT.head.get().write(Some(head)) };
    true
}

/// Has the kernel copy memory of this process, as far as it is mapped.
fn copy((start, length): (usize, usize), to: *mut u8) -> usize {
    const PIECES: usize = OWN_BYTES / PAGE + 1;
    let nothing = libc::iovec {
        iov_base: ptr::null_mut(),
        iov_len: 0,
    };
    let mut pieces = [nothing; PIECES];
    let (mut count, mut at) = (0, start);
    while at < start + length && count < PIECES {
        let end = ((at / PAGE + 1) * PAGE).min(start + length);
        pieces[count] = libc::iovec {
            iov_base: at as *mut _,
            iov_len: end - at,
        };
        (count, at) = (count + 1, end);
    }
    let room = libc::iovec {
        iov_base: to.cast(),
        iov_len: length,
    };
    // SAFETY: has no preconditions.
    let process = unsafe { libc::getpid() };
    // SAFETY: `to` has room for `length` bytes, OWN_BYTES or OTHER_BYTES at
    // most; what is read need not be mapped.
    let copied = unsafe {
        libc::process_vm_readv(process, &raw const room, 1, pieces.as_ptr(), count as _, 0)
    };
    usize::try_from(copied).unwrap_or(0)
}
