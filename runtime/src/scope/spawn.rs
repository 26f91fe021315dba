//! The one place where a closure that borrows becomes a tasklet's.

use super::children::Child;
use super::{Scope, ScopedJoinHandle};
use crate::tasklet::{Builder, JoinHandle};
use std::io;
use std::mem;

impl Builder {
    /// As [`Scope::spawn`], with the name and stack size of this builder, and
    /// with the error returned.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        let (child, outcome) = Child::new(f, &scope.children);
        if scope.refused {
            return Ok(ScopedJoinHandle::refused(outcome));
        }
        let number = child.number();
        let run: Box<dyn FnOnce() + 'scope> = Box::new(move || child.run());
        // SAFETY: only the lifetime changes. The closure and all in it is gone
        // when the guard in the child is, and `scope` does not return before:
        // see the header.
        let run = unsafe { mem::transmute::<Box<dyn FnOnce() + 'scope>, Box<dyn FnOnce()>>(run) };
        let handle: JoinHandle<()> = self.spawn(run)?;
        scope.children.keep(number, handle.tasklet());
        Ok(ScopedJoinHandle::new(handle, outcome))
    }
}
