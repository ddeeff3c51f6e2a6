//! What the command line says to the person in front of it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers on stdout and complains on stderr"
)]

use std::fmt::Display;

/// A line about what is being done.
pub fn step(what: impl Display) {
    println!("==> {what}");
}

/// Something that was asked for, as it is.
pub fn answer(text: impl Display) {
    println!("{text}");
}

/// Why it didn't work.
pub fn failure(why: &str) {
    eprintln!("checkout: {why}");
}

/// A text for whoever looks at stderr, as it is.
pub fn complain(text: &str) {
    eprintln!("{text}");
}
