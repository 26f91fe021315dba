//! hyper on tasklets: HTTP/1 and HTTP/2, served and fetched, over TCP and TLS.
//!
//! | file | has |
//! |---|---|
//! | `pair` | both ends of a connection, with hyper's client and server on them |
//! | `traffic` | bodies both ways at once, many streams, slow readers |
//! | `endings` | cuts, kills, time limits, shutdowns |
//! | `programs` | the example `h2_server` against curl and h2load |

mod endings;
mod pair;
mod programs;
mod traffic;
