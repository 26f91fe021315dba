//! The slots for data that hangs on an `SSL` or an `SSL_CTX`.

use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::ex_data::Index;

/// The index of a slot, which is made when it is first asked for.
///
/// Two threads may both make one; one of the two is then never used.
pub(crate) fn slot<O, T>(
    index: &OnceLock<Index<O, T>>,
    make: impl FnOnce() -> Result<Index<O, T>, ErrorStack>,
) -> Result<Index<O, T>, ErrorStack> {
    match index.get() {
        Some(index) => Ok(*index),
        None => {
            let made = make()?;
            Ok(*index.get_or_init(|| made))
        }
    }
}
