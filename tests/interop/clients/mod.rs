//! Clients that we did not write, each against the whole [`table`](super::table).

mod curl;
mod gnutls;
mod go;
mod nginx;
mod openssl;
mod python;

use std::path::PathBuf;

use super::hosts::Hosts;
use super::table::{Ask, Client, Printed, check};
