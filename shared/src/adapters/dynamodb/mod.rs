//! `DynamoDB`: the system of record.

pub mod abandonment;
mod call_timer;
pub mod catalog;
pub mod catalog_load;
pub mod catalog_plan;
pub mod client;
pub mod counter_parts;
mod coupon_limits;
pub mod customers;
pub mod diagnosis;
mod document_text;
pub mod due;
pub mod erasure;
pub mod events;
pub mod inventory;
pub mod open_orders;
pub mod order_links;
pub mod order_search;
pub mod orders;
mod parsed_rules;
pub mod place;
mod products;
pub mod sessions;
pub mod stock;
mod stock_levels;
pub mod stored_responses;
pub mod transaction;
