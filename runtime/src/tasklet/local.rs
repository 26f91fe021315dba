//! Tasklet-local storage.

use super::extras::Extras;
use super::handle::current;
use super::raw::flag;
use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A value that each tasklet has for itself; made by [`local!`](crate::local).
///
/// It is made when the tasklet first uses it, and dropped when the tasklet
/// ends, in its context: the destructor may use other tasklet-locals, but not
/// switch.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct LocalKey<T: 'static> {
    make: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn new(make: fn() -> T) -> LocalKey<T> {
        LocalKey { make }
    }

    /// Runs `f` with the current tasklet's value.
    ///
    /// # Scheduling
    ///
    /// Switches only as `f` does.
    ///
    /// # Cancellation
    ///
    /// That of `f`.
    ///
    /// # Panics
    ///
    /// When the thread is ending.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        let tasklet = current();
        let task = tasklet.tcb();
        let key = (&raw const *self).addr();
        let find = |extras: &mut Extras| {
            let mut locals = extras.values.locals.iter();
            locals.find(|&&(at, _)| at == key).map(|(_, it)| it.clone())
        };
        let found = task.with_extras(find);
        let value = found.unwrap_or_else(|| {
            let made: Rc<dyn Any> = Rc::new((self.make)());
            // Making it may have used it: then the first to be done is it.
            task.set(flag::VALUES);
            task.with_extras(|extras| {
                find(extras).unwrap_or_else(|| {
                    extras.values.locals.push((key, made.clone()));
                    made
                })
            })
        });
        f(value
            .downcast_ref()
            .expect("a key stands for one type of value"))
    }
}

impl<T: Clone + 'static> LocalKey<T> {
    /// A copy of the current tasklet's value.
    ///
    /// # Panics
    ///
    /// When the thread is ending.
    pub fn get(&'static self) -> T {
        self.with(T::clone)
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalKey")
    }
}

/// Declares values that each tasklet has for itself, like
/// [`std::thread_local!`].
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// greenling::local! {
///     static DEPTH: Cell<u32> = Cell::new(1);
/// }
/// DEPTH.with(|depth| depth.set(7));
/// let other = greenling::spawn(|| DEPTH.with(Cell::get));
/// assert_eq!(other.join().unwrap(), 1);
/// assert_eq!(DEPTH.with(Cell::get), 7);
/// ```
#[macro_export]
macro_rules! local {
    (
        $($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $make:expr);*
        $(;)?
    ) => {
        $(
            $(#[$attribute])*
            $visibility static $name: $crate::LocalKey<$type> = $crate::LocalKey::new(|| $make);
        )*
    };
}
