//! Cached fields that are filled under a lease: a fill that began before an invalidation can't land after it.

use redis::{FromRedisValue, Value};
use uuid::Uuid;

use crate::adapters::redis::{
    link::{Degraded, Link},
    scripts,
};

/// How long a caller may take to read the database and fill the field.
const LEASE_MS: u64 = 5_000;
/// Fields in one hash, documents and leases together; past them nothing more is cached in it.
const MAX_FIELDS: u32 = 128;

/// One field of one cached hash.
#[derive(Clone, Debug)]
pub struct Field {
    pub key: String,
    pub field: String,
}

/// What a look into the cache found.
#[derive(Debug)]
pub enum Found {
    Document(String),
    /// Nothing; with a token, this caller is the one to fill it.
    Nothing {
        token: Option<String>,
    },
}

/// Reads a field, or takes the lease on it. `token` must be new.
pub async fn look(link: &Link, at: &Field, token: Uuid) -> Found {
    let token = token.to_string();
    let mut command = scripts::call(&link.scripts.lease, &at.key);
    command.arg(&at.field).arg(&token).arg(LEASE_MS).arg(MAX_FIELDS);
    let Ok(replies) = link.send("read cache", &[command]).await else { return Found::Nothing { token: None } };
    match replies.into_iter().next() {
        Some(Value::Array(items)) => match items.as_slice() {
            [] => Found::Nothing { token: None },
            [document] => match String::from_redis_value_ref(document) {
                Ok(document) => Found::Document(document),
                Err(_) => Found::Nothing { token: None },
            },
            _ => Found::Nothing { token: Some(token) },
        },
        _ => Found::Nothing { token: None },
    }
}

/// Fills the field if the lease still stands.
pub async fn fill(link: &Link, at: &Field, token: &str, document: &str, life: time::Duration) {
    let mut command = scripts::call(&link.scripts.fill, &at.key);
    command.arg(&at.field).arg(token).arg(document);
    command.arg(life.whole_milliseconds().to_string());
    // A fill that fails has been logged, and leaves the next reader to the database.
    let _: Result<_, Degraded> = link.send("fill cache", &[command]).await;
}

/// The command that drops a hash, and with it every lease on its fields.
pub fn drop(key: &str) -> redis::Cmd {
    let mut command = redis::cmd("UNLINK");
    command.arg(key);
    command
}
