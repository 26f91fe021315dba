//! Helpers shared by the test suites.

pub mod child;
pub mod example;
pub mod forks;
pub mod isolated;
pub mod logs;
pub mod process;
pub mod sockets;
pub mod tools;
pub mod trace;
pub mod webserver;

pub use isolated::{isolated, on_bare_thread};
pub use trace::Trace;

/// README.md's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The reproducers of docs/soundness.md, compiled, and run where they end.
#[cfg(doctest)]
#[doc = include_str!("../../docs/soundness.md")]
#[derive(Debug)]
pub struct Soundness;

/// The guide's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
#[derive(Debug)]
pub struct Guide;

/// Those of the document on debugging.
#[cfg(doctest)]
#[doc = include_str!("../../docs/debugging.md")]
#[derive(Debug)]
pub struct Debugging;

/// Those of the document on TLS.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tls.md")]
#[derive(Debug)]
pub struct Tls;

/// Those of the document on pyOpenSSL.
#[cfg(doctest)]
#[doc = include_str!("../../docs/pyopenssl.md")]
#[derive(Debug)]
pub struct PyOpenSsl;

/// Those of the document on Python's `ssl`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/python-ssl.md")]
#[derive(Debug)]
pub struct PythonSsl;

/// Those of the document on Stackless.
#[cfg(doctest)]
#[doc = include_str!("../../docs/stackless.md")]
#[derive(Debug)]
pub struct Stackless;

/// Those of the document on porting; its excerpts of programs are compared with
/// them by the suite `ported`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/porting.md")]
#[derive(Debug)]
pub struct Porting;

/// What the compiler refuses in scopes and selects.
#[cfg(doctest)]
#[doc = include_str!("../structure/lifetimes.md")]
#[derive(Debug)]
pub struct Lifetimes;

/// Those of the document on serving.
#[cfg(doctest)]
#[doc = include_str!("../../docs/serving.md")]
#[derive(Debug)]
pub struct Serving;
