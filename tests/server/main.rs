//! Servers: limits, balance, and the end by two deadlines.
//!
//! | file | has |
//! |---|---|
//! | `support` | clients on plain threads, and servers run under a watchdog |
//! | `serving` | many connections, limits, panics, listeners of other kinds |
//! | `ends` | idle, busy and never-started connections at the shutdown |
//! | `balance` | uneven load by both balances, and a worker that stalls |
//! | `resting` | connections that wait without a tasklet |
//! | `rests` | a server's own that do so |
//! | `shortage` | descriptors and tasklets run out |
//! | `signals` | a server process that is told to stop |

mod balance;
mod ends;
mod resting;
mod rests;
mod serving;
mod shortage;
mod signals;
mod support;
