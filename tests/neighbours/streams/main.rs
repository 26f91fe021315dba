//! Protocol crates over Greenling's streams, both ends in one OS thread.
//!
//! | file | crates |
//! |---|---|
//! | `websocket` | `tungstenite` |
//! | `http_parser` | `httparse` |
//! | `http_client` | `ureq` |
//! | `web` | the server that the HTTP tests share |

mod http_client;
mod http_parser;
mod web;
mod websocket;
