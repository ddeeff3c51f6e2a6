//! One module for each command.

pub mod dev;
pub mod run_tied;
pub mod token;
