//! What the benchmark programs share: figures with their spread, what the
//! kernel says about a process, and the Go compiler.
//!
//! The programs are `compare` (`src/bin/compare/`) and `http`
//! (`src/bin/http/`); `README.md` says what each case measures.

pub mod figure;
pub mod go;
pub mod machine;
