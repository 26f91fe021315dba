//! What the scheduler asks of whoever knows the operating system.

use super::Scheduler;
use std::any::Any;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Waits for the outside world on behalf of an idle scheduler.
///
/// The reactor implements it; the scheduler knows nothing of descriptors.
pub(crate) trait Driver: Any {
    /// Waits until something happens or `timeout` has passed (`None`: for
    /// ever), and makes the tasklets concerned runnable.
    fn poll(&self, scheduler: &Scheduler, timeout: Option<Duration>) -> io::Result<()>;

    /// True if a tasklet waits for a descriptor.
    fn has_waiters(&self) -> bool;

    /// How many descriptors are watched.
    fn watched(&self) -> usize;

    /// Ends a `poll` from another OS thread.
    fn waker(&self) -> Arc<dyn Fn() + Send + Sync>;

    /// For whoever knows the concrete type.
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
}
