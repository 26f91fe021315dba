//! Handshakes and streams.
use crate::stage::{Stage, kill_tests};

kill_tests! {}
