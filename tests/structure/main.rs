//! Tasklets that belong together: scopes, cancel tokens, `select!`, intervals.

mod cancel;
mod coroutines;
mod edges;
mod foreign;
mod hostile;
mod intervals;
mod nesting;
mod places;
mod random;
mod reuse;
mod scopes;
mod selects;
mod storms;
mod tokens;
