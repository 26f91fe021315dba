//! The pure callbacks: what they are told, what they decide, what becomes of a
//! panic in them. Nearly everything runs in memory, between two engines.

#![cfg(not(feature = "aws-lc"))]

mod authority;
mod commands;
mod limits;
mod ocsp;
mod order;
mod psk;
mod streams;
mod support;
mod verify;
mod watching;
