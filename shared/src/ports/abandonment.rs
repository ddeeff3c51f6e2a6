//! Abandoned checkouts: sessions that have ended without an order, of which the shop is told once.

use std::future::Future;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    domain::{ids::CheckoutId, session::Session},
    ports::{ChangeId, StoreError},
};

/// An entry of the index of sessions that will be abandoned, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingSession {
    pub id: String,
    /// RFC 3339 in UTC. Such texts sort by time.
    pub at: String,
}

/// A page of one shard of the index.
#[derive(Clone, Debug, Default)]
pub struct EndingPage {
    /// The longest waiting first.
    pub sessions: Vec<EndingSession>,
    /// The entry after which the next page begins; none at the end.
    pub next: Option<EndingSession>,
}

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbandonedRun {
    /// Abandoned checkouts that will be told.
    pub told: u32,
    /// Sessions that were used since, or have changed at the same moment.
    pub postponed: u32,
    /// Sessions that could not be read or written, and parts of the index that could not be read; the log says why.
    pub failed: u32,
}

/// The index of open sessions by when they count as abandoned, and the outbox of those that do. The index is eventually
/// consistent. With the database down every call is an error, and nothing is lost: the next run finds the same.
pub trait AbandonedCheckouts: Sync {
    /// The number of shards of the index; none if the shop wants to hear nothing of abandoned checkouts.
    fn shards(&self) -> u8;

    /// A page of one shard: sessions that may be abandoned at `now`, after the `next` of the page before.
    fn ending(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<EndingSession>,
    ) -> impl Future<Output = Result<EndingPage, StoreError>> + Send;

    /// The session, strongly consistent.
    fn session(&self, id: CheckoutId) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;

    /// Whether the session is abandoned at `now`.
    fn is_abandoned(&self, session: &Session, now: OffsetDateTime) -> bool;

    /// Moves the entry of a session that was used since to when it may be abandoned next. Nothing is written if the entry
    /// has moved meanwhile.
    fn postpone(&self, entry: &EndingSession, session: &Session)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Moves an entry without reading its session. Nothing is written if it has moved meanwhile.
    fn put_off(
        &self,
        entry: &EndingSession,
        until: OffsetDateTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends the session and stores its event, in one transaction: the event leaves by the table's stream. False if the
    /// session has changed meanwhile: then nothing is written. If the answer is lost, it is done or not, and a repetition
    /// finds out.
    fn tell(
        &self,
        session: &Session,
        now: OffsetDateTime,
        change: ChangeId,
        deadline: Instant,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Records how a run ended, for metrics.
    fn note_abandoned(&self, run: AbandonedRun);
}
