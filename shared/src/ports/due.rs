//! Orders whose payment somebody has to look at.

use std::future::Future;

use time::{Duration, OffsetDateTime};

use crate::ports::StoreError;

/// An entry of the index of due orders, as it is stored. It may be damaged, and can be put off all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueOrder {
    pub owner: String,
    pub id: String,
    /// RFC 3339 in UTC; such texts sort as their times do.
    pub due: String,
}

/// A part of what one shard of the index holds.
#[derive(Clone, Debug, Default)]
pub struct DuePage {
    /// The longest waiting first.
    pub orders: Vec<DueOrder>,
    /// After which entry the next page begins; none at the end.
    pub next: Option<DueOrder>,
}

/// What a run of the reconciler was, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// Something of the index could be read.
    pub has_run: bool,
    /// All of it could be read.
    pub is_whole: bool,
    /// Orders that could not be looked at.
    pub failed: u32,
}

/// The index of due orders. It follows the table by a moment. An error when the database is down.
pub trait DueOrders: Sync {
    /// In how many shards the index is.
    fn shards(&self) -> u8;

    /// A page of one shard: orders that are due at `now`, after the entry that the last page named.
    fn due(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<DueOrder>,
    ) -> impl Future<Output = Result<DuePage, StoreError>> + Send;

    /// Puts an order off without reading it, and counts how often that has been done since the order last changed.
    /// `until` gives the time for a count. Returns the count, or none when the order has changed or was put off
    /// meanwhile: then nothing is written.
    fn put_off(
        &self,
        order: &DueOrder,
        until: impl Fn(u32) -> OffsetDateTime + Send,
    ) -> impl Future<Output = Result<Option<u32>, StoreError>> + Send;

    /// Tells for how long the longest waiting order has been due.
    fn note_oldest(&self, age: Duration);

    /// Tells how a run ended.
    fn note(&self, run: DueRun);
}
