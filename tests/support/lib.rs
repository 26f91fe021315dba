//! Helpers shared by the test suites.

pub mod tools;
pub mod webserver;

/// README.md's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
