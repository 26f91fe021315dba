//! Compiles the runtime's `context/aarch64.rs`, unchanged, without a Rust
//! standard library for that target.
//!
//! A cross build of the crate needs an aarch64 `core`, which machines that
//! only develop on x86-64 do not have. The file under test uses no more of
//! `core` than raw pointers and the assembly macros, so this crate is its own
//! `core` (`no_core`): the items below are what the compiler and the file ask
//! for, and nothing else. `run.sh` compiles it and links it with `main.c`.
#![feature(no_core, lang_items, intrinsics, rustc_attrs, decl_macro, auto_traits)]
#![no_core]
#![no_std]
#![crate_type = "staticlib"]
#![rustc_coherence_is_core]
#![allow(internal_features, dead_code, reason = "a core of its own, and only what is needed")]

extern crate self as core;

#[path = "../../runtime/src/context/aarch64.rs"]
mod aarch64;

/// As in the runtime's `context/mod.rs`.
pub(crate) type Entry = unsafe extern "C" fn(*mut u8) -> !;
/// As in the runtime's `context/mod.rs`.
pub(crate) type Callee = unsafe extern "C-unwind" fn(*mut u8);
/// As in the runtime's `context/mod.rs`.
pub(crate) type Visitor = unsafe extern "C" fn(*mut u8);

/// `prepare` for `main.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shim_prepare(top: *mut u8, entry: Entry, arg: *mut u8) -> *mut u8 {
    // SAFETY: passed on to the caller.
    unsafe { aarch64::prepare(top, entry, arg) }
}

/// `switch` for `main.c`, with nothing else around it.
#[unsafe(no_mangle)]
unsafe extern "C" fn shim_switch(save: *mut *mut u8, to: *mut u8) {
    // SAFETY: passed on to the caller.
    unsafe { aarch64::switch(save, to) }
}

/// `leave` for `main.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shim_leave(to: *mut u8) -> ! {
    // SAFETY: passed on to the caller.
    unsafe { aarch64::leave(to) }
}

/// `call_on` for `main.c`.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn shim_call_on(top: *mut u8, f: Callee, arg: *mut u8) {
    // SAFETY: passed on to the caller.
    unsafe { aarch64::call_on(top, f, arg) }
}

/// `call_beneath` for `main.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn shim_call_beneath(sp: *const u8, f: Visitor, arg: *mut u8) {
    // SAFETY: passed on to the caller.
    unsafe { aarch64::call_beneath(sp, f, arg) }
}

/// The numbers that `shim_compute` works on, as `struct numbers` in `main.c`.
#[repr(C)]
struct Numbers {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    x: f64,
    y: f64,
    z: f64,
}

/// Iterates maps without a closed form and switches to `*other` in each step,
/// so that integers and floats are live across a switch that is inlined
/// between other code, as in the scheduler.
#[unsafe(no_mangle)]
unsafe extern "C" fn shim_compute(
    save: *mut *mut u8,
    other: *mut *mut u8,
    rounds: u64,
    numbers: *mut Numbers,
) {
    // SAFETY: the caller passes valid numbers and leaves them alone meanwhile.
    let Numbers { mut a, mut b, mut c, mut d, mut x, mut y, mut z } = unsafe { numbers.read() };
    let mut done = 0_u64;
    while done != rounds {
        a = a * a + 1;
        b = b * b + a;
        c = c * c + b;
        d = d * d + c;
        x = 3.7 * x * (1.0 + -x);
        y = 3.8 * y * (1.0 + -y);
        z = 3.9 * z * (1.0 + -z);
        // SAFETY: passed on to the caller.
        unsafe { aarch64::switch(save, *other) };
        done = done + 1;
    }
    // SAFETY: as above.
    unsafe { numbers.write(Numbers { a, b, c, d, x, y, z }) };
}

/// Where an unwind would leave an `extern "C"` function; there is none.
#[lang = "panic_cannot_unwind"]
fn panic_cannot_unwind() -> ! {
    loop {}
}

/// Asked for by functions with clean-up; there are none.
#[lang = "eh_personality"]
fn eh_personality() {}

pub mod arch {
    pub use crate::{asm, naked_asm};
}

#[rustc_builtin_macro]
pub macro asm("assembly template", $(operands,)* $(options($(option),*))?) {
    /* compiler built-in */
}

#[rustc_builtin_macro]
pub macro naked_asm("assembly template", $(operands,)* $(options($(option),*))?) {
    /* compiler built-in */
}

#[lang = "pointee_sized"]
pub trait PointeeSized {}
#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}
#[lang = "sized"]
pub trait Sized: MetaSized {}
#[lang = "copy"]
pub trait Copy {}
#[lang = "legacy_receiver"]
pub trait LegacyReceiver {}
impl<T: PointeeSized> LegacyReceiver for &T {}
#[lang = "freeze"]
unsafe auto trait Freeze {}

impl Copy for u8 {}
impl Copy for u64 {}
impl Copy for usize {}
impl<T: Copy, const N: usize> Copy for [T; N] {}
impl Copy for isize {}
impl Copy for f64 {}
impl Copy for Numbers {}
impl<T: PointeeSized> Copy for *mut T {}
impl<T: PointeeSized> Copy for *const T {}

/// A binary operator of the language, for the two number types in use.
macro operator($lang:literal, $Trait:ident, $method:ident, $token:tt) {
    #[lang = $lang]
    pub trait $Trait<Rhs = Self> {
        type Output;
        fn $method(self, other: Rhs) -> Self::Output;
    }
    impl $Trait for u64 {
        type Output = u64;
        fn $method(self, other: u64) -> u64 {
            self $token other
        }
    }
    impl $Trait for f64 {
        type Output = f64;
        fn $method(self, other: f64) -> f64 {
            self $token other
        }
    }
}

operator!("add", Add, add, +);
operator!("mul", Mul, mul, *);

#[lang = "neg"]
pub trait Neg {
    type Output;
    fn neg(self) -> Self::Output;
}
impl Neg for isize {
    type Output = isize;
    fn neg(self) -> isize {
        -self
    }
}
impl Neg for f64 {
    type Output = f64;
    fn neg(self) -> f64 {
        -self
    }
}

#[lang = "eq"]
pub trait PartialEq<Rhs: PointeeSized = Self>: PointeeSized {
    fn eq(&self, other: &Rhs) -> bool;
    fn ne(&self, other: &Rhs) -> bool;
}
impl PartialEq for u64 {
    fn eq(&self, other: &u64) -> bool {
        *self == *other
    }
    fn ne(&self, other: &u64) -> bool {
        *self != *other
    }
}

#[rustc_intrinsic]
unsafe fn arith_offset<T>(from: *const T, by: isize) -> *const T;

impl<T: Copy> *mut T {
    fn cast<U>(self) -> *mut U {
        self as *mut U
    }

    unsafe fn sub(self, count: usize) -> *mut T {
        // SAFETY: passed on to the caller.
        unsafe { arith_offset(self as *const T, -(count as isize)) as *mut T }
    }

    unsafe fn read(self) -> T {
        // SAFETY: passed on to the caller.
        unsafe { *self }
    }

    unsafe fn write(self, value: T) {
        // SAFETY: passed on to the caller.
        unsafe { *self = value };
    }
}
