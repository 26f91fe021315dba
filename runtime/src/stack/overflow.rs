//! Says which tasklet ran out of stack, before the process dies of it.
//!
//! A write below a stack's usable part hits its guard and raises SIGSEGV (on
//! some systems SIGBUS). The handler runs on the alternate signal stack, asks
//! whether the fault address lies in the guard of the tasklet that runs on
//! this thread, and if so writes its name, its size and the knob to turn, and
//! aborts. Any other fault goes to the handler that was there before, which in
//! a Rust program is std's own overflow report for the thread's native stack.
//!
//! Only async-signal-safe calls happen here: `write` and `abort`. Which tasklet
//! runs is asked of a function that the scheduler hands in, so that stacks know
//! nothing of schedulers.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The handlers that were installed before ours, by signal.
static PREVIOUS_SEGV: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());
static PREVIOUS_BUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());

/// The tasklet whose guard a fault address lies in.
pub(crate) struct Suspect {
    pub(crate) id: u64,
    pub(crate) name: &'static [u8],
    pub(crate) size: usize,
    pub(crate) usable: usize,
}

/// Finds the suspect for a fault address on the calling thread. The handler calls
/// it, so it must be async-signal-safe.
pub(crate) type FindSuspect = fn(usize) -> Option<Suspect>;

static FIND_SUSPECT: OnceLock<FindSuspect> = OnceLock::new();

/// Installs the process's handler once, and makes sure that the calling
/// thread has an alternate signal stack. Threads made by std have one.
pub(crate) fn install(find_suspect: FindSuspect) {
    FIND_SUSPECT.get_or_init(|| {
        install_handler(libc::SIGSEGV, &PREVIOUS_SEGV);
        install_handler(libc::SIGBUS, &PREVIOUS_BUS);
        find_suspect
    });
    ensure_alternate_stack();
}

fn install_handler(signal: libc::c_int, previous: &AtomicPtr<libc::sigaction>) {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: reads the present disposition into `old`.
    let got = unsafe { libc::sigaction(signal, ptr::null(), old.as_mut_ptr()) };
    if got != 0 {
        return;
    }
    // SAFETY: the call above succeeded and filled it in.
    let old = unsafe { old.assume_init() };
    // Kept for ever: a handler may run at any time.
    previous.store(Box::into_raw(Box::new(old)), Ordering::Release);
    // SAFETY: an all-zero sigaction is a valid value of the C structure.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = on_fault as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `action` is fully initialised and names a handler of the right type.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

fn ensure_alternate_stack() {
    let mut old = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: asks for the present alternate stack.
    unsafe { libc::sigaltstack(ptr::null(), old.as_mut_ptr()) };
    // SAFETY: zeroed, then filled in by the kernel.
    let old = unsafe { old.assume_init() };
    if old.ss_flags & libc::SS_DISABLE == 0 {
        return;
    }
    // Foreign threads only. The block is leaked: the thread may take a signal
    // at any moment until its very end.
    let size = libc::SIGSTKSZ.max(32 * 1024);
    let block = Box::leak(vec![0u8; size].into_boxed_slice());
    let stack = libc::stack_t {
        ss_sp: block.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: size,
    };
    // SAFETY: the block is writable, large enough and never freed.
    unsafe { libc::sigaltstack(&stack, ptr::null_mut()) };
}

extern "C" fn on_fault(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid siginfo for SA_SIGINFO handlers.
    let fault = unsafe { &*info };
    // SAFETY: SIGSEGV and SIGBUS carry an address.
    let address = unsafe { fault.si_addr() } as usize;
    // A set `OnceLock` is read by one atomic load.
    let find_suspect = FIND_SUSPECT.get();
    if let Some(suspect) = find_suspect.and_then(|find| find(address)) {
        let mut line = Line::new();
        line.text("\ngreenling: tasklet ");
        line.number(suspect.id & 0xff_ffff_ffff);
        line.text(" (");
        line.bytes(suspect.name);
        line.text(") has overflowed its stack of ");
        line.number(suspect.usable as u64 / 1024);
        line.text(" KiB (with its guard ");
        line.number(suspect.size as u64 / 1024);
        line.text(" KiB); use Builder::stack_size or GREENLING_STACK_SIZE for a larger one\n");
        line.write();
        // SAFETY: abort is async-signal-safe.
        unsafe { libc::abort() };
    }
    let previous = if signal == libc::SIGBUS {
        &PREVIOUS_BUS
    } else {
        &PREVIOUS_SEGV
    };
    forward(signal, info, context, previous.load(Ordering::Acquire));
}

/// Hands a signal that is not ours to whoever handled it before; a fault that
/// nobody handled happens again, for good.
pub(crate) fn forward(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
    previous: *const libc::sigaction,
) {
    // SAFETY: set once by `install_handler` to a leaked box, or null.
    let previous = unsafe { previous.as_ref() };
    let handler = previous.map_or(libc::SIG_DFL, |p| p.sa_sigaction);
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // Back to the default, and return: the instruction faults again.
        // SAFETY: resetting a signal to its default is always allowed.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        return;
    }
    let flags = previous.map_or(0, |p| p.sa_flags);
    if flags & libc::SA_SIGINFO != 0 {
        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: SA_SIGINFO says that the address is a handler of this type.
        let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
        handler(signal, info, context);
    } else {
        type Handler = extern "C" fn(libc::c_int);
        // SAFETY: without SA_SIGINFO it is a handler of this type.
        let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
        handler(signal);
    }
}

/// A message put together without allocating.
struct Line {
    bytes: [u8; 400],
    len: usize,
}

impl Line {
    fn new() -> Line {
        Line {
            bytes: [0; 400],
            len: 0,
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, more: &[u8]) {
        let room = self.bytes.len() - self.len;
        let n = more.len().min(room);
        self.bytes[self.len..self.len + n].copy_from_slice(&more[..n]);
        self.len += n;
    }

    fn number(&mut self, mut value: u64) {
        let mut digits = [0u8; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.bytes(&digits[start..]);
    }

    fn write(&self) {
        // SAFETY: the bytes are initialised and the descriptor is stderr.
        unsafe { libc::write(2, self.bytes.as_ptr().cast(), self.len) };
    }
}
