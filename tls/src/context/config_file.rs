//! OpenSSL's own configuration file.

use std::sync::atomic::{AtomicBool, Ordering};

use super::sys;
use crate::error::Error;
use crate::ssl::on_system_stack;

/// Whether a context was built, and the file therefore read.
static READ: AtomicBool = AtomicBool::new(false);

pub(super) fn is_read_now() {
    READ.store(true, Ordering::Relaxed);
}

/// Lets this process do without OpenSSL's configuration file, be it `openssl.cnf`
/// or what `OPENSSL_CONF` in the environment names.
///
/// By default it is read once, when a process first uses OpenSSL: a distribution
/// or an administrator may demand things there. All that
/// [`ContextBuilder`](crate::ContextBuilder) sets takes precedence; what it leaves
/// alone, such as the algorithms for signatures, follows the file. To have an
/// effect this must be called before anything else that uses OpenSSL, in this
/// crate or elsewhere: first thing in `main`.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// [`Error::Local`] when a context was built already.
#[doc(alias = "OPENSSL_INIT_NO_LOAD_CONFIG")]
#[doc(alias = "OPENSSL_CONF")]
pub fn no_config() -> Result<(), Error> {
    if READ.load(Ordering::Relaxed) {
        return Err(Error::local("OpenSSL has read its configuration already"));
    }
    on_system_stack(sys::skip_config_file)?;
    Ok(())
}
