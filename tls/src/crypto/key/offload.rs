//! What takes long, off the thread of the tasklets.

use openssl::error::ErrorStack;

use super::call;
use crate::error::Error;

/// Runs `job` on a thread of the offload pool while the tasklet waits; on the spot
/// where it cannot wait.
#[cfg(feature = "greenling")]
pub(in crate::crypto) fn run<T, F>(job: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ErrorStack> + Clone + Send + 'static,
{
    use greenling::WaitError;

    let elsewhere = job.clone();
    match greenling::offload(move || call(elsewhere)) {
        Ok(result) => Ok(result?),
        Err(WaitError::Unwinding | WaitError::BlockTrap | WaitError::SwitchTrap) => Ok(call(job)?),
        Err(ended) => Err(std::io::Error::from(ended).into()),
    }
}

/// Without the scheduler there is no pool.
#[cfg(not(feature = "greenling"))]
pub(in crate::crypto) fn run<T>(job: impl FnOnce() -> Result<T, ErrorStack>) -> Result<T, Error> {
    Ok(call(job)?)
}
