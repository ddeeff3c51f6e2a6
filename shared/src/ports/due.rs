//! Due orders: their payments have to be finished by the reconciler.

use std::future::Future;

use time::{Duration, OffsetDateTime};

use crate::ports::StoreError;

/// An entry of the index of due orders, as it is stored. Even a damaged one can be put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueOrder {
    pub owner: String,
    pub id: String,
    /// RFC 3339 in UTC. Such texts sort by time.
    pub due: String,
}

/// A page of one shard of the index.
#[derive(Clone, Debug, Default)]
pub struct DuePage {
    /// The longest waiting first.
    pub orders: Vec<DueOrder>,
    /// The entry after which the next page begins; none at the end.
    pub next: Option<DueOrder>,
}

/// The result of a run of the reconciler, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// At least one shard of the index could be read.
    pub has_run: bool,
    /// All shards could be read.
    pub is_whole: bool,
    /// Orders that could not be reconciled.
    pub failed: u32,
}

/// The index of due orders. It is eventually consistent. With the database down every call is an error.
pub trait DueOrders: Sync {
    /// The number of shards of the index.
    fn shards(&self) -> u8;

    /// A page of one shard: orders that are due at `now`, after the `next` of the page before.
    fn due(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<DueOrder>,
    ) -> impl Future<Output = Result<DuePage, StoreError>> + Send;

    /// Puts an order off without reading it, and counts how often that has happened since the order last changed.
    /// `until` gives the new due time for a count. Returns the count, or none if the order has changed or was put off
    /// meanwhile: then nothing is written.
    fn put_off(
        &self,
        order: &DueOrder,
        until: impl Fn(u32) -> OffsetDateTime + Send,
    ) -> impl Future<Output = Result<Option<u32>, StoreError>> + Send;

    /// Records how long the oldest order has been due, for metrics.
    fn note_oldest(&self, age: Duration);

    /// Records how a run ended, for metrics.
    fn note(&self, run: DueRun);
}
