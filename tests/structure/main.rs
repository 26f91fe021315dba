//! Tasklets that belong together: scopes, cancel tokens, `select!`, intervals.

mod cancel;
mod foreign;
mod hostile;
mod intervals;
mod reuse;
mod scopes;
mod selects;
