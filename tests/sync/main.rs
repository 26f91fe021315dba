//! `greenling::sync`: tasklets that wait for each other.

mod locks;
mod signals;
