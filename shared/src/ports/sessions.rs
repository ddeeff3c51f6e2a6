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

/// A copy of a session out of the cache.
#[derive(Clone, Debug)]
pub struct CachedSession {
    pub session: Session,
    /// When the database was last known to hold just this.
    pub verified_at: OffsetDateTime,
}

/// A session as loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub session: Session,
    /// A trusted copy answered; it may be older than the database by the trust window.
    pub from_cache: bool,
}

/// Sessions, kept in `DynamoDB` and copied to Redis. With Redis down every load is a consistent database read.
/// With `DynamoDB` down, loads that a trusted copy can't answer and all writes are errors.
pub trait Sessions: Sync {
    /// The session, from `cached` while that may be trusted, else from the database. Fills no cache.
    fn load(
        &self,
        id: CheckoutId,
        cached: Option<CachedSession>,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send;

    /// After a read: notes the activity where that is due, and refreshes the copy. Best effort; failures are logged.
    fn touch(&self, loaded: Loaded, now: OffsetDateTime) -> impl Future<Output = Session> + Send;

    /// Stores a new session, and with it the stored response of the request that opened it.
    fn create(
        &self,
        session: &Session,
        change: ChangeId,
        stored_response: Option<&StoredResponse>,
        deadline: Instant,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;

    /// The sessions of an owner, of which some may not be theirs any more. One opened in the last moment may be missing:
    /// an index answers, and follows the table.
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
