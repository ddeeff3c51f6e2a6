//! Session documents in Redis.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::{
        redis::{command::Command, connection::RedisConnection, scripts},
        stored::{Unreadable, session::StoredSession},
    },
    ports::CachedSession,
};

/// The document. `version` comes first, because the script reads it there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u64,
    #[serde(with = "rfc3339")]
    verified_at: OffsetDateTime,
    session: StoredSession,
}

/// In place of the copy of an erased session: its version is above every other, so a request that read the session
/// before can't store its copy again. It must live for longer than such a request.
pub const BARRED: &str = r#"{"version":9007199254740991}"#;

/// The command that stores a copy, unless a newer one is there.
pub fn put(
    redis: &RedisConnection,
    session: StoredSession,
    verified_at: OffsetDateTime,
    ttl: time::Duration,
) -> Option<Command> {
    let document = Document { version: session.version, verified_at, session };
    let text = serde_json::to_string(&document).ok()?;
    let command =
        Command::script("copy session", &scripts::PUT_SESSION, &redis.keys.session(document.session.checkout_id));
    Some(command.arg(document.version).arg(text).arg(ttl.whole_seconds().max(1)))
}

/// The command that reads a copy, and renews its time to live.
pub fn get(redis: &RedisConnection, id: crate::domain::ids::CheckoutId, ttl: time::Duration) -> Command {
    Command::new("read session", "GETEX").arg(redis.keys.session(id)).arg("EX").arg(ttl.whole_seconds().max(1))
}

/// # Errors
/// [`Unreadable`] if it isn't a session of a known schema.
pub fn parse(text: &str) -> Result<CachedSession, Unreadable> {
    let document: Document = serde_json::from_str(text).map_err(|e| Unreadable::new("cached session", e))?;
    Ok(CachedSession { verified_at: document.verified_at, session: document.session.try_into()? })
}
