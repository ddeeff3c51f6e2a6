//! Stripe: a thin client over the HTTP stack of the AWS SDK.

mod amount;
mod client;
mod customers;
pub mod diagnosis;
mod event;
mod fault;
mod find;
mod incident;
mod intent;
mod payments;
mod refund;
mod secrets;
mod webhook;

pub use client::Stripe;
