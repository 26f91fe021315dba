//! What the benchmark programs share: contenders, figures with their spread and
//! their records, what the kernel says about a process, servers and the load on
//! them.
//!
//! The programs are in `bin/`: `compare` measures, `soak` looks for what is left
//! after connections were cut. `README.md` says what each case measures.

pub mod answers;
pub mod environment;
pub mod figure;
pub mod go;
pub mod machine;
pub mod policy;
pub mod record;
pub mod server;
pub mod who;
