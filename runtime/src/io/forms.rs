//! What a reader or writer of any type really is.
//!
//! Generic code can't ask that of a type that may borrow: std's `Any` is for
//! `'static` ones. The crate `typeid` names a type by its form, in which all
//! lifetimes are `'static`; that says which type it is, but for its lifetimes.
//! So nothing that is found leaves this file for longer than it was lent, and a
//! change concerns what has no lifetime: the limit of a [`Take`].

use std::any::TypeId;
use std::io::Take;

/// A type to look for.
///
/// # Safety
///
/// It has no lifetime parameter, nor does any of its type parameters, so that
/// its form is that of no other type.
pub(super) unsafe trait Plain: Sized + 'static {}

// SAFETY: it is a struct without parameters.
unsafe impl Plain for std::fs::File {}
// SAFETY: as above.
unsafe impl Plain for crate::fs::File {}
// SAFETY: as above.
unsafe impl Plain for crate::net::TcpStream {}
// SAFETY: as above.
unsafe impl Plain for crate::net::UnixStream {}
// SAFETY: its one parameter is a type without parameters.
unsafe impl Plain for crate::net::OwnedWriteHalf<crate::net::TcpStream> {}
// SAFETY: as above.
unsafe impl Plain for crate::net::OwnedWriteHalf<crate::net::UnixStream> {}

/// `object`, if it is a `T` or a reference to one.
pub(super) fn find<T: Plain>(object: &mut impl ?Sized) -> Option<&T> {
    if has_form::<T>(object) {
        // SAFETY: the form is `T`'s, which is no other type's.
        return Some(unsafe { with_form::<T>(object) });
    }
    if has_form::<&T>(object) {
        // SAFETY: it is a `&T`, which is copied out for as long as `object` is lent.
        return Some(*unsafe { with_form::<&T>(object) });
    }
    if has_form::<&mut T>(object) {
        // SAFETY: it is a `&mut T`, lent out again for as long as `object` is lent.
        return Some(&**unsafe { with_form::<&mut T>(object) });
    }
    None
}

/// The `T` in `object`, if that is a [`Take`] of a `T` or of a reference to
/// one, and what is left of its limit.
pub(super) fn find_limited<T: Plain>(object: &mut impl ?Sized) -> Option<(&T, u64)> {
    if has_form::<Take<T>>(object) {
        // SAFETY: the form is that of `Take<T>`, which is no other type's.
        let take = unsafe { with_form::<Take<T>>(object) };
        return Some((take.get_ref(), take.limit()));
    }
    if has_form::<Take<&T>>(object) {
        // SAFETY: it is a `Take<&T>`, from which the reference is copied out for
        // as long as `object` is lent.
        let take = unsafe { with_form::<Take<&T>>(object) };
        return Some((take.get_ref(), take.limit()));
    }
    if has_form::<Take<&mut T>>(object) {
        // SAFETY: it is a `Take<&mut T>`, whose reference is lent out again for
        // as long as `object` is lent.
        let take = unsafe { with_form::<Take<&mut T>>(object) };
        return Some((take.get_ref(), take.limit()));
    }
    None
}

/// Takes `count` off the limit of `object`, if it is what
/// [`find_limited`] finds.
pub(super) fn take_off<T: Plain>(object: &mut impl ?Sized, count: u64) {
    if has_form::<Take<T>>(object) {
        // SAFETY: as in `find_limited`; only a number is changed.
        let take = unsafe { with_form::<Take<T>>(object) };
        take.set_limit(take.limit() - count);
    } else if has_form::<Take<&T>>(object) {
        // SAFETY: as above.
        let take = unsafe { with_form::<Take<&T>>(object) };
        take.set_limit(take.limit() - count);
    } else if has_form::<Take<&mut T>>(object) {
        // SAFETY: as above.
        let take = unsafe { with_form::<Take<&mut T>>(object) };
        take.set_limit(take.limit() - count);
    }
}

/// Whether the object's type is `X`, lifetimes aside.
fn has_form<X>(object: &impl ?Sized) -> bool {
    form_of(object) == typeid::of::<X>()
}

fn form_of<R: ?Sized>(_: &R) -> TypeId {
    typeid::of::<R>()
}

/// The object by the type that it is found to have.
///
/// # Safety
///
/// The object has the form of `X`. Lifetimes in `X` are the caller's invention:
/// nothing leaves by them for longer than `object` is lent, and nothing that
/// has one is put in.
unsafe fn with_form<X>(object: &mut impl ?Sized) -> &mut X {
    let address = std::ptr::from_mut(object).cast::<X>();
    // SAFETY: the object has the form of `X`, by the caller's word, hence its
    // layout and its values; it is lent mutably for as long as the result.
    unsafe { &mut *address }
}
