//! The example server from outside: the real program on a free port, and clients that behave well,
//! badly and slowly.
//!
//! A test that waits does so for an event, with a watchdog of many seconds on the client's socket;
//! only limits that are themselves the subject (`--header-timeout` and the like) are short.

mod client;
mod content;
mod files;
mod limits;
mod requests;
mod resting;
mod server;
mod shutdown;
mod tls;
