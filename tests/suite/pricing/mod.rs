//! The rules of `docs/PRICING.md`, held by examples, by a second implementation, and by what must be true of any cart.

mod agreement;
mod currencies;
mod examples;
mod naive;
mod payment_methods;
mod properties;
mod random;
mod refusals;
mod schema;
mod shop;
mod states;
mod stored;
mod warnings;

pub use shop::{Shop, priced};
