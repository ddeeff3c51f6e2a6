//! One integration binary: the rules of this repository, and every function against real servers.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that meets what it didn't expect has failed")]

mod architecture;
mod checkout;
mod harness;
