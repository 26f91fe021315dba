//! What only old programs and devices still ask for.

mod dsa;

pub use dsa::generate_dsa;
