//! Clients that we did not write, each against the whole [`table`](super::table).

mod curl;
mod gnutls;
mod go;
mod nginx;
mod openssl;
mod python;

use std::path::PathBuf;
use std::process::Command;

use super::hosts::Hosts;
use super::table::{Ask, Client, Printed, check};
use tests::tools;

/// Asks a program that reads a question from each line and answers it by one.
fn ask_by_lines(command: &mut Command, asks: &[Ask]) -> Vec<Printed> {
    let asks: String = asks.iter().map(|ask| ask.to_line() + "\n").collect();
    let done = tools::run(command, asks.as_bytes()).success();
    let printed = String::from_utf8(done.stdout).expect("UTF-8");
    printed.lines().map(str::to_owned).collect()
}
