//! What only old programs and devices still ask for.

mod dsa;
mod spkac;

pub use dsa::generate_dsa;
pub use spkac::{Spkac, SpkacBuilder};
