//! Everything that is stored about a person: found, exported and erased.

mod counters;
pub mod erase;
pub mod export;
pub mod find;
mod keys;
mod tables;

use redis::RedisError;
use shared::ports::StoreError;

/// Why a person's data can't be searched or erased. What was erased before stays erased, and a repeated run goes on.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("Redis refused: {0}")]
    Redis(#[from] RedisError),
}
