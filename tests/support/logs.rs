//! What the calling thread has logged.

use std::cell::{Cell, RefCell};
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static ON_RECORD: Cell<Option<fn(&str)>> = const { Cell::new(None) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        // Nothing to keep while the thread's locals are being destroyed.
        if let Ok(Some(extra)) = ON_RECORD.try_with(Cell::get) {
            extra(&line);
        }
        let _ = LINES.try_with(|lines| lines.borrow_mut().push(line));
    }

    fn flush(&self) {}
}

/// Keeps what is logged from now on, by thread.
///
/// # Panics
///
/// When the process has another logger.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).expect("the only logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
    let _ = take();
}

/// Has `extra` called with each line that the calling thread logs: a logger
/// that does more than a logger should.
pub fn also_call(extra: Option<fn(&str)>) {
    ON_RECORD.set(extra);
}

/// The lines that the calling thread has logged since the last call.
pub fn take() -> Vec<String> {
    LINES.take()
}
