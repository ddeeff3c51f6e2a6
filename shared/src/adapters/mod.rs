//! The ports' other side: `DynamoDB` and Redis, and the forms in which things are stored there.

pub mod aws;
pub mod dynamodb;
pub mod https;
pub mod identity;
pub mod orders;
pub mod redis;
pub mod sessions;
pub mod stored;
pub mod stripe;
