//! One module for each command, and what they share.

pub mod catalog;
pub mod dev;
mod environment;
pub mod run_tied;
pub mod seed;
mod settings;
mod store;
pub mod token;
