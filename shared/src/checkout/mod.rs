//! The use cases: what the checkout does, in terms of the domain and the ports.

pub mod abandon;
pub mod address;
pub mod cart;
pub mod confirm;
pub mod confirmation;
pub mod correct;
pub mod coupon;
pub mod initiate;
pub mod items;
pub mod lines;
pub mod merge_guest;
pub mod order_link;
pub mod orders;
pub mod payment;
mod placed;
pub mod preview;
pub mod reconcile;
pub mod request_context;
mod reserve;
pub mod saved_cards;
pub mod search;
pub mod session;
pub mod shipping;
pub mod stock;
pub mod storefront;
pub mod tax;
pub mod webhook;
