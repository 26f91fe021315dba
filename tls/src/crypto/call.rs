//! How this module calls OpenSSL, and what it says when that fails.

use openssl::error::ErrorStack;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::ssl::{clear_error_queue, on_system_stack};

/// The largest input that is looked at. More than any container of certificates
/// needs, and within the `int` that OpenSSL takes for lengths.
pub(crate) const SIZE_MAX: usize = 64 << 20;

/// Calls OpenSSL on the system stack, with an error queue that is empty before and
/// afterwards: what it holds in between belongs to this call.
pub(crate) fn call<T>(f: impl FnOnce() -> Result<T, ErrorStack>) -> Result<T, ErrorStack> {
    look(f)
}

/// As [`call`], for what cannot fail and may yet leave something in the error queue.
pub(crate) fn look<T>(f: impl FnOnce() -> T) -> T {
    // The first call into OpenSSL decides whether it frees itself when the process
    // exits, under the hands of threads that use it. This one says that it does not.
    openssl::init();
    on_system_stack(|| {
        clear_error_queue();
        let result = f();
        clear_error_queue();
        result
    })
}

/// Refuses inputs that are larger than [`SIZE_MAX`].
pub(crate) fn check_size(subject: &str, bytes: &[u8]) -> Result<(), ConfigError> {
    if bytes.len() <= SIZE_MAX {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::TooLarge,
        subject,
        format!("is larger than {} MiB", SIZE_MAX >> 20),
    ))
}
