//! Protocol crates against real servers, which the tests start.
//!
//! | file | what |
//! |---|---|
//! | `redis_server` | `redis`, by commands, pipelines and subscriptions |
//! | `postgres_server` | `postgres-protocol` |
//! | `postgres_client` | the client that it makes |
//! | `daemon` | starting and ending servers |

mod daemon;
mod postgres_client;
mod postgres_server;
mod redis_server;
