//! Listeners and clients as programs use them: what precedes the handshake, certificates
//! exchanged under load, sessions kept for the next connection.

#[cfg(feature = "greenling")]
mod arrival;
#[cfg(feature = "greenling")]
mod reload;
#[cfg(feature = "greenling")]
mod sessions;
#[cfg(feature = "greenling")]
mod support;
