//! `DynamoDB`: the system of record.

pub mod catalog;
pub mod client;
pub mod events;
pub mod inventory;
pub mod orders;
pub mod receipts;
pub mod sessions;
pub mod transaction;
