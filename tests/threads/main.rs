//! Between OS threads: channels, remote spawns, workers, offload, signals.
//!
//! | file | has |
//! |---|---|
//! | `channel` | order, closing, and what kills and time limits may not lose |
//! | `stress` | the same with many threads, and wake-ups through the inbox |
//! | `million` | channels and foreign operations at once, a million of them |
//! | `remote` | tasklets started from other threads |
//! | `workers` | one scheduler per thread, shared listeners, the end of all |
//! | `drain` | graceful ends by two deadlines |
//! | `offload` | the pool: results, panics, limits, jobs that need each other |
//! | `signals` | signals as messages, each in a process of its own |

mod channel;
mod drain;
mod million;
mod offload;
mod remote;
mod signals;
mod stress;
mod workers;
