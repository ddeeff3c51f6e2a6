//! The checkout that every function shares: domain, pricing, use cases, and the adapters behind them.
//!
//! Data flows one way: event → function → use case → port ⇐ adapter. `docs/ARCHITECTURE.md` walks one request through
//! these modules; a test in `tests/` checks the import rules.

pub mod adapters;
pub mod app;
pub mod checkout;
pub mod config;
pub mod crash;
pub mod domain;
pub mod http;
pub mod ports;
pub mod pricing;
pub mod telemetry;
