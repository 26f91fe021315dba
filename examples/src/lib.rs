//! What the example programs share.

pub mod arguments;
#[path = "../webserver/http/mod.rs"]
pub mod http;
