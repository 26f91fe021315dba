//! Protocol crates over Greenling's streams, both ends in one OS thread.
//!
//! | file | crates |
//! |---|---|
//! | `http_parser` | `httparse` |

mod http_parser;
