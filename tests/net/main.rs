//! Sockets that park their tasklet: what std's do, what waiting adds, what
//! peers and shortages can do to them.
//!
//! | file | has |
//! |---|---|
//! | `activation` | sockets that a service manager passes on |
//! | `same` | edge cases, with std's sockets on threads and ours on tasklets |
//! | `parity` | what a user of std's sockets expects |
//! | `waits` | time limits, closing, several waiters on one socket |
//! | `endings` | ends of streams: half close, FIN, RST |
//! | `urgent` | edges that a reactor may lose: urgent data, error queues, yields |
//! | `crowd` | many connections, big transfers, fairness |
//! | `sockets` | closing, waking, options and descriptors of every kind of socket |
//! | `eyeballs` | connecting to one of several addresses |
//! | `listening` | options of listeners, closing them, errors of `accept` |
//! | `halves` | streams taken apart |
//! | `programs` | netcat and socat at the other end |
//! | `interrupted` | signals while an operation waits |
//! | `shortage` | descriptors run out |
//! | `lifetime` | descriptors that come, go, and move between threads |

mod activation;
mod crowd;
mod endings;
mod eyeballs;
mod halves;
#[allow(unsafe_code, reason = "sets a signal handler")]
mod interrupted;
mod lifetime;
mod listening;
mod parity;
mod programs;
mod same;
mod shortage;
mod sockets;
mod urgent;
mod waits;
