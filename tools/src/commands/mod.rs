//! One module for each command, and what they share.

pub mod catalog;
pub mod customer;
pub mod dev;
pub mod doctor;
mod doctor_stack;
mod environment;
pub mod keys;
pub mod limits;
pub mod new_route;
pub mod order;
pub mod output;
mod replay;
pub mod run_tied;
pub mod seed;
pub mod session;
mod settings;
pub mod stats;
pub mod stock;
mod store;
pub mod target;
pub mod token;
pub mod top;
