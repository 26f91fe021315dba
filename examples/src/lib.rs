//! What the example programs share.

#[path = "../webserver/http/mod.rs"]
pub mod http;
