//! The use cases: what the checkout does, in terms of the domain and the ports.

pub mod address;
pub mod claim;
pub mod confirm;
pub mod coupon;
pub mod initiate;
pub mod orders;
pub mod payment;
pub mod preview;
pub mod reconcile;
mod reserve;
pub mod session;
pub mod shipping;
pub mod tax;
pub mod visit;
pub mod webhook;
