//! Checkout sessions.

use std::future::Future;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    domain::{
        ids::{CheckoutId, Owner},
        session::Session,
    },
    ports::{ChangeId, Saved, StoreError, StoredResponse},
};

/// A copy of a session from the cache.
#[derive(Clone, Debug)]
pub struct CachedSession {
    pub session: Session,
    /// When the database was last known to have this version.
    pub verified_at: OffsetDateTime,
}

/// A session as loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub session: Session,
    /// Whether it comes from a trusted copy, which may be older than the database by the trust window.
    pub from_cache: bool,
}

/// Sessions, stored in `DynamoDB` and copied to Redis. With Redis down every load is a consistent database read. With
/// `DynamoDB` down all writes are errors, and all loads that a trusted copy can't answer.
pub trait Sessions: Sync {
    /// The session, from `cached` while that may be trusted, else from the database. Doesn't fill the cache.
    fn load(
        &self,
        id: CheckoutId,
        cached: Option<CachedSession>,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send;

    /// After a read: records the activity if that is due, and refreshes the copy. Best effort; failures are logged.
    fn touch(&self, loaded: Loaded, now: OffsetDateTime) -> impl Future<Output = Session> + Send;

    /// Stores a new session, together with the stored response of its request.
    fn create(
        &self,
        session: &Session,
        change: ChangeId,
        stored_response: Option<&StoredResponse>,
        deadline: Instant,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;

    /// The sessions of an owner, from an eventually consistent index: some may not be theirs any more, and a new one
    /// may be missing.
    fn owned_by(&self, owner: &Owner) -> impl Future<Output = Result<Vec<CheckoutId>, StoreError>> + Send;

    /// Replaces the session, open or completed, that had the version before this one's.
    fn transfer(
        &self,
        session: &Session,
        change: ChangeId,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;

    /// Replaces the open session that had the version before this one's.
    fn save(
        &self,
        session: &Session,
        change: ChangeId,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;
}
