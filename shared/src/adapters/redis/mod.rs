//! Redis: fast copies and exact limits. The checkout is correct without it.

pub mod admission;
pub mod blocks;
mod breaker;
pub mod cluster;
pub mod command;
pub mod connect;
pub mod connection;
pub mod diagnosis;
pub mod documents;
pub mod iam;
pub mod keys;
pub mod leases;
pub mod local_limits;
pub mod node;
pub mod scripts;
pub mod slots;
mod turns;
