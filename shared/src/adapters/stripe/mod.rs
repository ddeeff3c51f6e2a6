//! Stripe: a thin client over the HTTP stack that the SDK brings anyway.

mod amount;
mod client;
pub mod diagnosis;
mod event;
mod find;
mod secrets;

pub use client::Stripe;
