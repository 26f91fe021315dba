//! Protocol crates over Greenling's streams, both ends in one OS thread.
//!
//! | file | crates |
//! |---|---|
//! | `standard` | std's adapters, `flate2` |
//! | `http_parser` | `httparse` |
//! | `http_client` | `ureq` |
//! | `web` | the server that the HTTP tests share |
//! | `websocket` | `tungstenite` |
//! | `mail` | `imap` |
//! | `smtp` | `io-smtp` |
//! | `tls_stacks` | `rustls` |
//! | `openssl_stream` | `openssl` |
//! | `limits` | all of them, cut off by time limits and kills |

mod http_client;
mod http_parser;
mod limits;
mod mail;
mod openssl_stream;
mod smtp;
mod standard;
mod tls_stacks;
mod web;
mod websocket;
