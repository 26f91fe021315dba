//! What is hard on a connection: both directions full at once, refusals in the
//! middle, ends in every place.

#[cfg(feature = "greenling")]
mod duplex;
mod queue;
#[cfg(feature = "greenling")]
mod stack;
mod support;
