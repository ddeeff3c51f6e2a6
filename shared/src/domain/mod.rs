//! The shop's rules: pure values and functions. No IO, no clock, no randomness, nothing imported from other layers.

pub mod address;
mod as_text;
pub mod block;
pub mod calendar;
pub mod cart_issue;
pub mod cash;
pub mod catalog;
pub mod cause;
pub mod coupon;
pub mod explain;
pub mod ids;
pub mod invalid;
pub mod limit;
pub mod money;
pub mod open;
pub mod order;
pub mod order_payment;
pub mod payment;
pub mod place;
pub mod postal_code;
pub mod priced;
pub mod retry;
pub mod session;
pub mod shipping;
pub mod tax;
pub mod text;
pub mod vat;
