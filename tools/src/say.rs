//! The output of the command line for people.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line writes results to stdout and errors to stderr"
)]

use std::fmt::Display;

/// A line about the current step.
pub fn step(what: impl Display) {
    println!("==> {what}");
}

/// A result, unchanged.
pub fn answer(text: impl Display) {
    println!("{text}");
}

/// The reason for a failure.
pub fn failure(why: &str) {
    eprintln!("checkout: {why}");
}

/// A text for stderr, unchanged.
pub fn complain(text: &str) {
    eprintln!("{text}");
}
