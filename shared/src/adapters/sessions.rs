//! Sessions in `DynamoDB` with copies in Redis.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use crate::{
    adapters::{
        dynamodb::client::Dynamo,
        redis::{connection::RedisConnection, documents},
        stored::{abandonment, payment::due, session::StoredSession},
    },
    domain::{
        ids::{CheckoutId, Owner},
        session::{Session, SessionLife},
    },
    ports::{
        AbandonedCheckouts, AbandonedRun, CachedSession, ChangeId, EndingPage, EndingSession, Loaded, Saved, Sessions,
        StoreError, StoredResponse,
    },
    telemetry::counts::{Store, count, degraded},
};

#[derive(Clone, Debug)]
pub struct SessionStore {
    pub dynamo: Dynamo,
    pub redis: Arc<RedisConnection>,
    pub life: SessionLife,
    /// How long a copy is trusted after it was written or verified.
    pub trust: Duration,
}

impl SessionStore {
    async fn refill(&self, session: &Session, change: ChangeId, verified_at: OffsetDateTime) {
        let stored = StoredSession::new(session, change, self.life);
        if let Some(command) = documents::put(&self.redis, stored, verified_at, self.life.ttl) {
            // A failed write of a copy is logged already; the next reader reads the database.
            Box::pin(self.redis.send(&[command])).await;
        }
    }
}

// Calls of the database are boxed: their futures are large, would be moved with whoever waits for them, and most reads need none.
impl Sessions for SessionStore {
    async fn load(
        &self,
        id: CheckoutId,
        cached: Option<CachedSession>,
        now: OffsetDateTime,
    ) -> Result<Option<Loaded>, StoreError> {
        // A copy from the future was verified by a container with another clock: it isn't trusted either.
        let trusted = cached.filter(|c| c.session.id == id && (now - c.verified_at).abs() <= self.trust);
        if let Some(cached) = trusted {
            count(|counts| counts.session_hits += 1);
            return Ok(Some(Loaded { session: cached.session, from_cache: true }));
        }
        count(|counts| counts.session_misses += 1);
        let session = Box::pin(self.dynamo.session(id)).await?;
        Ok(session.map(|session| Loaded { session, from_cache: false }))
    }

    async fn touch(&self, loaded: Loaded, now: OffsetDateTime) -> Session {
        let Loaded { mut session, from_cache } = loaded;
        // A copy from the cache keeps the time at which it was verified.
        let mut verified = !from_cache;
        if session.wants_touch(now) {
            session.active_at = now;
            verified = Box::pin(self.dynamo.touch_session(&session, self.life)).await.unwrap_or_else(|error| {
                degraded(Store::DynamoDb, error.operation, &*error.source);
                false
            });
        }
        if verified {
            self.refill(&session, ChangeId(uuid::Uuid::nil()), now).await;
        }
        session
    }

    async fn create(
        &self,
        session: &Session,
        change: ChangeId,
        stored_response: Option<&StoredResponse>,
        deadline: Instant,
    ) -> Result<Saved<Session>, StoreError> {
        let saved = Box::pin(self.dynamo.create_session(session, change, self.life, stored_response, deadline)).await?;
        if matches!(saved, Saved::Done) {
            self.refill(session, change, session.updated_at).await;
        }
        Ok(saved)
    }

    async fn save(&self, session: &Session, change: ChangeId) -> Result<Saved<Session>, StoreError> {
        let saved = Box::pin(self.dynamo.save_session(session, change, self.life)).await?;
        match saved {
            Saved::Done => self.refill(session, change, session.updated_at).await,
            Saved::Conflict(_) => count(|counts| counts.version_conflicts += 1),
            Saved::AlreadyAnswered => {}
        }
        Ok(saved)
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<CheckoutId>, StoreError> {
        self.dynamo.sessions_of(owner).await
    }

    async fn transfer(&self, session: &Session, change: ChangeId) -> Result<Saved<Session>, StoreError> {
        let saved = Box::pin(self.dynamo.transfer_session(session, change, self.life)).await?;
        if matches!(saved, Saved::Done) {
            self.refill(session, change, session.updated_at).await;
        }
        Ok(saved)
    }
}

impl AbandonedCheckouts for SessionStore {
    fn shards(&self) -> u8 {
        if self.life.abandoned_after.is_some() { abandonment::SHARDS } else { 0 }
    }

    async fn ending(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<EndingSession>,
    ) -> Result<EndingPage, StoreError> {
        self.dynamo.ending_sessions(shard, now, after).await
    }

    async fn session(&self, id: CheckoutId) -> Result<Option<Session>, StoreError> {
        self.dynamo.session(id).await
    }

    fn is_abandoned(&self, session: &Session, now: OffsetDateTime) -> bool {
        session.is_abandoned(now, self.life)
    }

    async fn postpone(&self, entry: &EndingSession, session: &Session) -> Result<(), StoreError> {
        let Some(until) = abandonment::at(session.active_at, self.life) else { return Ok(()) };
        self.dynamo.move_ending_session(entry, until).await
    }

    async fn put_off(&self, entry: &EndingSession, until: OffsetDateTime) -> Result<(), StoreError> {
        self.dynamo.move_ending_session(entry, due::text(until)).await
    }

    async fn tell(
        &self,
        session: &Session,
        now: OffsetDateTime,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        self.dynamo.tell_abandoned(session, now, change, deadline).await
    }

    fn note_abandoned(&self, run: AbandonedRun) {
        count(|counts| {
            counts.checkouts_abandoned += u64::from(run.told);
            counts.abandoned_not_told += u64::from(run.failed);
        });
    }
}
