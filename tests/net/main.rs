//! TCP sockets that park their tasklet: what std's do, what waiting adds, what
//! peers and shortages can do to them.
//!
//! | file | has |
//! |---|---|
//! | `activation` | sockets that a service manager passes on |
//! | `parity` | what a user of std's sockets expects |
//! | `waits` | time limits, closing, several waiters on one socket |
//! | `endings` | ends of streams: half close, FIN, RST |
//! | `urgent` | edges that a reactor may lose: urgent data, error queues, yields |
//! | `crowd` | many connections, big transfers, fairness |
//! | `shortage` | descriptors run out |
//! | `lifetime` | descriptors that come, go, and move between threads |

mod activation;
mod crowd;
mod endings;
mod lifetime;
mod parity;
mod shortage;
mod urgent;
mod waits;
