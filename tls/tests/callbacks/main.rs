//! Callbacks that may wait: which context, which identity, whether the peer will
//! do. Each refusal and each choice is seen at the other side.

mod approval;
mod identity;
mod resolver;
#[cfg(feature = "greenling")]
mod streams;
mod support;
