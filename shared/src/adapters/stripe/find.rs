//! Searches the intent of an order that doesn't know its intent's id.

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::{
    adapters::stripe::{client::Stripe, intent::intent},
    domain::{ids::OrderId, payment::Intent},
    ports::PaymentError,
};

/// The most pages that are read to find one payment, each of 100.
const MAX_PAGES: usize = 40;
/// The most by which Stripe's clock may differ.
const SKEW: Duration = Duration::minutes(1);
/// The longest time of an order's payment: Stripe deletes idempotency keys after a day.
const DAY: Duration = Duration::hours(24);
/// The most by which Stripe's search may lag: "during outages up to an hour".
/// <https://docs.stripe.com/search#data-freshness>
const SEARCH_LAG: Duration = Duration::hours(1);

impl Stripe {
    /// See [`crate::ports::Payments::find`].
    pub(super) async fn find_payment(
        &self,
        order: OrderId,
        limit: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Option<Intent>, PaymentError> {
        const OPERATION: &str = "search payment";
        if now < limit + SEARCH_LAG {
            return self.list(order, limit).await;
        }
        let query = [("query", format!("metadata['order_id']:'{order}'"))];
        let (found, _) = self.page(OPERATION, "/v1/payment_intents/search", &query).await?;
        found.first().map(|found| intent(OPERATION, found)).transpose()
    }

    /// A page of intents, and whether there are more.
    pub(super) async fn page(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<(Vec<Value>, bool), PaymentError> {
        let unknown = |reason: &str| PaymentError::Unknown { operation, reason: reason.to_owned() };
        let mut page = self.call(operation, "GET", path, query, None).await?.map_err(|fault| unknown(fault.code()))?;
        let more = page["has_more"].as_bool().ok_or_else(|| unknown("a list that doesn't say whether it ends"))?;
        match page["data"].take() {
            Value::Array(data) => Ok((data, more)),
            _ => Err(unknown("an answer without data")),
        }
    }

    /// Looks for the payment of an order among all that were begun since the order was placed. Unlike the search, the
    /// list has new payments at once.
    pub(super) async fn list(&self, order: OrderId, limit: OffsetDateTime) -> Result<Option<Intent>, PaymentError> {
        const OPERATION: &str = "list payments";
        let since = order.placed_at().unwrap_or(limit - DAY) - SKEW;
        let order = order.to_string();
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![
                ("created[gte]", since.unix_timestamp().to_string()),
                ("created[lte]", (limit + SKEW).unix_timestamp().to_string()),
                ("limit", "100".to_owned()),
            ];
            query.extend(after.take().map(|id: String| ("starting_after", id)));
            let (found, more) = self.page(OPERATION, "/v1/payment_intents", &query).await?;
            if let Some(found) = found.iter().find(|found| found["metadata"]["order_id"] == *order) {
                return intent(OPERATION, found).map(Some);
            }
            after = found.last().and_then(|last| last["id"].as_str()).map(ToOwned::to_owned);
            if !more || after.is_none() {
                return Ok(None);
            }
        }
        let reason =
            "too many payments to read them all; an hour after the deadline the search is used instead".to_owned();
        Err(PaymentError::Unknown { operation: OPERATION, reason })
    }
}
