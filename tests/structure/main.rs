//! Tasklets that belong together: scopes, cancel tokens, `select!`, intervals.

mod cancel;
mod foreign;
mod intervals;
mod scopes;
mod selects;
