//! Counted stock, as staff and operators change it.

use std::future::Future;

use tokio::time::Instant;

use crate::{
    domain::{
        ids::Sku,
        stock::{StockChange, StockCounter},
    },
    ports::{ChangeId, StoreError},
};

/// The counters of stock beside the sales, which orders take with their own transactions. With the database down every
/// call is an error.
pub trait Stock: Sync {
    /// A counter and its changes, strongly consistent.
    fn counter(&self, sku: &Sku) -> impl Future<Output = Result<StockCounter, StoreError>> + Send;

    /// What is left of each, strongly consistent; none of what isn't counted.
    fn left(&self, skus: &[Sku]) -> impl Future<Output = Result<Vec<Option<i64>>, StoreError>> + Send;

    /// Brings up to date what the shop is told of counters in parts: their levels, by the sum of the parts.
    fn tell_levels(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the last change of `after`, whose counter was read one version before: all or nothing, and once for each
    /// `attempt`. False, and nothing is written, if others have changed the counter so that the change must be decided
    /// again. Sales don't get into the way of a delivery: it is added to whatever is there. An error says nothing of
    /// whether it was written.
    fn write(
        &self,
        sku: &Sku,
        change: &StockChange,
        after: &StockCounter,
        attempt: ChangeId,
        deadline: Instant,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
