//! The HTTP edge: decoding, identity, limits, idempotency keys, problems and views, with the wire types.

pub mod answer;
pub mod body;
pub mod card_data;
mod cart_problems;
pub mod claim_commands;
mod confirm_command;
mod correct_command;
pub mod credentials;
mod cursor;
pub mod event;
pub mod fields;
pub mod idempotency;
pub mod incident;
pub mod limits;
pub mod line_commands;
pub mod lookup_command;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod order_commands;
mod order_problems;
pub mod payment_commands;
pub mod preview_commands;
pub mod problem;
pub mod problems;
pub mod query;
pub mod reply;
pub mod route;
pub mod search_commands;
pub mod session_commands;
mod shape;
pub mod source;
mod stock_command;
mod stock_problems;
pub mod storefront_commands;
pub mod view;
