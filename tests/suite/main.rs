//! One integration binary: the rules of this repository, and every function against real servers.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test makes up its own ids, and one that meets what it didn't expect has failed"
)]

mod architecture;
mod checkout;
mod degradation;
mod deployment;
mod dev_server;
mod harness;
mod history;
mod operator;
mod payments;
mod pricing;
mod runbooks;
mod topologies;
