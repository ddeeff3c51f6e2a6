//! The harness of the suite: stores that can be made to fail, events as API Gateway sends them, tokens as an
//! identity provider signs them.
//!
//! Everything listens on loopback only, and everything started is stopped when its value is dropped.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness has a clock and an environment of its own, and fails the test at once where it can't do its work"
)]

pub mod account;
pub mod answering;
pub mod arrivals;
pub mod binaries;
pub mod copies;
pub mod dynamo_faults;
pub mod event;
pub mod gate;
pub mod growth;
pub mod handlers;
pub mod hot;
pub mod identity;
pub mod keys;
pub mod marked;
pub mod openapi;
pub mod pipe;
pub mod problem_codes;
pub mod proxy;
pub mod race;
pub mod runtime_api;
pub mod seed;
pub mod servers;
pub mod spread;
pub mod stack;
pub mod stream;
pub mod tables;
pub mod token;
pub mod topologies;
mod watch;
pub mod world;
pub mod worth;
