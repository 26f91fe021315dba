//! What the suites share: many conversations at once, and connectors.

mod crowd;

pub use crowd::{Midway, crowd};
