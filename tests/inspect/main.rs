//! Seeing inside: dumps, backtraces, metrics, the watchdog, and gdb's view.

mod backtraces;
mod dumps;
mod gdb;
mod numbers;
mod watchdogs;
mod zoo;
