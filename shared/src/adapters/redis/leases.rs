//! Cached fields with leases and holds. A field is filled under a lease, so a fill that began before an invalidation
//! has no effect after it. A hold keeps it empty during a change, so a process that dies before the invalidation leaves
//! no old copy. Readers who come while one fills it wait for a moment, so they don't all read the database.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{FromRedisValue, Value};

use crate::{
    adapters::redis::{command::Command, connection::RedisConnection, keys::Keys, scripts},
    domain::{ids::Owner, retry::backoff},
    ports::{ChangeId, OrderFilter, OrderLook, OrderView},
    telemetry::counts::count,
};

/// The time of a lease: how long a caller may take to read the database and fill the field.
const LEASE_MS: u64 = 5_000;
/// The most fields of one hash, documents and leases together. A full hash is deleted and starts again.
const MAX_FIELDS: u32 = 32;
/// The largest document that is cached, in bytes. A list may have a hundred orders, but these are rarely of the largest
/// size.
const MAX_DOCUMENT: usize = 256 * 1024;
/// Early refresh: in the last tenth of its life, and at most in this time, one caller reads a document again while the
/// others still get it. So a document in frequent use never expires, and others are not read more often.
const EARLY: time::Duration = time::Duration::SECOND;
/// How long the absence of an order is cached.
pub const ABSENT_LIFE: time::Duration = time::Duration::seconds(10);
/// How many absences one container may cache in that time. Anyone can invent ids, so they must not fill Redis.
const MAX_ABSENT: u32 = 100;

/// One field of one cached hash.
#[derive(Clone, Debug)]
pub struct Field {
    pub key: String,
    pub field: String,
    /// The time to live of its documents.
    pub life: time::Duration,
}

/// The times to live of documents in the order cache.
#[derive(Clone, Copy, Debug)]
pub struct Lives {
    pub order: time::Duration,
    pub list: time::Duration,
}

impl Field {
    /// The field of an owner's view. The owner is part of its name, so another caller finds nothing.
    pub fn of(keys: &Keys, lives: Lives, owner: &Owner, view: &OrderView) -> Self {
        match view {
            OrderView::One(id) => Self { key: keys.order(*id), field: owner.to_string(), life: lives.order },
            OrderView::Page(OrderFilter { status, limit, after }) => {
                let status = status.map_or("all", |status| status.name());
                let after = after.map(|id| id.to_string()).unwrap_or_default();
                let field = format!("{owner}|{status}|{limit}|{after}");
                Self { key: keys.orders(owner), field, life: lives.list }
            }
        }
    }
}

/// The number of absences that this container has cached lately.
#[derive(Debug, Default)]
pub struct Absences(Mutex<Option<(Instant, u32)>>);

impl Absences {
    /// Whether one more may be cached at `now`.
    pub fn permit(&self, now: Instant) -> bool {
        const PERIOD: Duration = ABSENT_LIFE.unsigned_abs();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            Some((since, used)) if now.saturating_duration_since(*since) < PERIOD => {
                *used = used.saturating_add(1);
                *used <= MAX_ABSENT
            }
            _ => {
                *state = Some((now, 1));
                true
            }
        }
    }
}

/// For how long another reader's fill is worth waiting for: as long as an answer of Redis, which is a multiple of what the
/// database takes. Whoever has had a lease for longer is slow or dead: then nobody waits, and each reads the database.
fn patience(redis: &RedisConnection) -> Duration {
    redis.timeout().min(Duration::from_millis(LEASE_MS))
}

/// The command that reads a field, or takes the lease on it for `request`.
pub fn look(redis: &RedisConnection, at: &Field, request: ChangeId) -> Command {
    Command::script("read cache", &scripts::LEASE, &at.key)
        .arg(&at.field)
        .arg(request.0.to_string())
        .arg(LEASE_MS)
        .arg(MAX_FIELDS)
        .arg(time::Duration::min(at.life / 10, EARLY).whole_milliseconds().to_string())
        .arg(patience(redis).as_millis().to_string())
}

/// The result of the reply to [`look`].
pub fn found(reply: Option<Value>, request: ChangeId) -> OrderLook {
    let Some(Value::Array(items)) = reply else { return OrderLook::default() };
    let document = items.first().and_then(|item| Option::<String>::from_redis_value_ref(item).ok()?);
    let is_being_filled = document.is_none() && items.len() == 1;
    OrderLook { document, token: items.get(1).map(|_| request.0.to_string()), is_being_filled }
}

/// Looks again after pauses that grow and are random, until there is something to do: the document is there, this reader may
/// fill it now, or there is nothing to wait for any more. Redis that fails meanwhile isn't asked again.
pub async fn wait_for_fill(redis: &RedisConnection, at: &Field, request: ChangeId) -> OrderLook {
    let end = tokio::time::Instant::now() + patience(redis);
    for attempt in 0.. {
        let now = tokio::time::Instant::now();
        if now >= end {
            break;
        }
        tokio::time::sleep_until(end.min(now + backoff(request.0, attempt))).await;
        let look = found(redis.send(&[look(redis, at, request)]).await.pop().flatten(), request);
        if !look.is_being_filled {
            return look;
        }
    }
    OrderLook::default()
}

/// The command that gives a lease back.
pub fn give_back(at: &Field, token: &str) -> Command {
    Command::script("fill cache", &scripts::FILL, &at.key).arg(&at.field).arg(token)
}

/// Fills the field if the lease is still valid. Without a document to cache, it gives the lease back. If the document is
/// too large, no other reader waits for it in the time of a lease.
pub async fn fill(redis: &RedisConnection, at: &Field, token: &str, document: Option<String>, life: time::Duration) {
    let mut command = give_back(at, token);
    if let Some(document) = document {
        command = if document.len() <= MAX_DOCUMENT {
            command.arg(document).arg(life.whole_milliseconds().to_string())
        } else {
            command.arg("").arg(LEASE_MS)
        };
    }
    // A failed fill is logged already; the next reader reads the database.
    if let Some(Some(Value::Int(1))) = redis.send(&[command]).await.pop() {
        count(|counts| counts.order_cache_fills += 1);
    }
}

/// The command that deletes a document. Leases and holds stay.
pub fn drop(at: &Field) -> Command {
    Command::new("drop unreadable copy", "HDEL").arg(&at.key).arg(format!("d:{}", at.field))
}

/// The command that empties a hash before a change, and keeps it empty until the release or for `hold`.
pub fn hold(key: &str, change: ChangeId, hold: time::Duration) -> Command {
    Command::script("hold cache", &scripts::HOLD, key)
        .arg(change.0.to_string())
        .arg(hold.whole_milliseconds().to_string())
}

/// The command that empties a hash after a change, and ends its hold.
pub fn release(key: &str, change: ChangeId) -> Command {
    Command::script("release cache", &scripts::RELEASE, key).arg(change.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_absences_are_remembered_at_a_time() {
        let (absences, start) = (Absences::default(), Instant::now());
        let permitted = (0..10 * MAX_ABSENT).filter(|_| absences.permit(start)).count();
        assert_eq!(permitted, MAX_ABSENT as usize);
        let later = start + ABSENT_LIFE.unsigned_abs();
        assert_eq!((0..10 * MAX_ABSENT).filter(|_| absences.permit(later)).count(), MAX_ABSENT as usize);
    }
}
