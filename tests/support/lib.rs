//! Helpers shared by the test suites.

pub mod tools;
pub mod webserver;
