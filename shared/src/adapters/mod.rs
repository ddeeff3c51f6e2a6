//! The implementations of the ports: `DynamoDB`, Redis, Stripe and token keys, and the stored forms.

pub mod aws;
pub mod crypto;
pub mod dynamodb;
pub mod https;
pub mod identity;
pub mod orders;
pub mod redis;
pub mod sessions;
pub mod stored;
pub mod stripe;
