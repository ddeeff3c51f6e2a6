//! What is stored of abandoned checkouts: the key of their index, and the event that the shop is told.

use serde::Serialize;
use time::{Duration, OffsetDateTime, serde::rfc3339};

use crate::{
    adapters::stored::payment::due,
    domain::{
        ids::{CheckoutId, Sku},
        money::{Currency, Minor},
        session::{Session, SessionLife},
    },
};

/// The number of shards of the index: each accepts a thousand writes a second.
pub const SHARDS: u8 = 8;
/// Times in the index are rounded up to this, so that most changes of a session don't move its entry: a move costs two
/// writes.
const GRAIN_SECONDS: i64 = 900;
/// How much longer an abandoned session is stored, in case nobody can be told for a while.
const UNTOLD: Duration = Duration::days(1);

/// Chosen by the random part of the session's id.
pub fn shard(session: CheckoutId) -> String {
    let [.., last] = session.uuid().into_bytes();
    (last % SHARDS).to_string()
}

/// Where in the index a session stands that was last active then. Such texts sort by time.
pub fn at(active_at: OffsetDateTime, life: SessionLife) -> Option<String> {
    let at = life.abandoned_at(active_at)?;
    let past = at.unix_timestamp().rem_euclid(GRAIN_SECONDS);
    let missing =
        Duration::seconds((GRAIN_SECONDS - past) % GRAIN_SECONDS) - Duration::nanoseconds(at.nanosecond().into());
    let rounded = if missing.is_negative() { missing + Duration::seconds(GRAIN_SECONDS) } else { missing };
    Some(due::text(at.saturating_add(rounded)))
}

/// How long an open session is stored after its last activity.
pub fn kept(life: SessionLife) -> Duration {
    life.abandoned_after.map_or(life.open(), |after| after.max(life.open()).saturating_add(UNTOLD))
}

/// The `detail` of the event `Checkout Abandoned`: docs/events/checkout-abandoned.schema.json.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckoutAbandoned {
    event_id: String,
    checkout_id: CheckoutId,
    currency: Currency,
    items: Vec<Item>,
    summary: Summary,
    /// Of the shipping address, to guess a language by.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// Only if the shopper agreed to mail about this cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    last_active_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    abandoned_at: OffsetDateTime,
}

/// A line without what the shopper typed for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(flatten)]
    sku: Sku,
    name: String,
    quantity: u32,
    unit_price: Minor,
    total_amount: Minor,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    subtotal: Minor,
    discount_amount: Minor,
    shipping_amount: Minor,
    tax_amount: Minor,
    total_amount: Minor,
    item_count: u32,
}

impl CheckoutAbandoned {
    pub fn new(session: &Session, now: OffsetDateTime) -> Self {
        let summary = &session.priced.summary;
        let address = session.shipping_address.as_ref().or(session.billing_address.as_ref());
        Self {
            event_id: format!("{}/abandoned", session.id),
            checkout_id: session.id,
            currency: session.currency,
            items: session
                .priced
                .lines
                .iter()
                .map(|line| Item {
                    sku: line.sku.clone(),
                    name: line.name.clone(),
                    quantity: line.quantity,
                    unit_price: line.unit_price,
                    total_amount: line.total,
                })
                .collect(),
            summary: Summary {
                subtotal: summary.subtotal,
                discount_amount: summary.discount,
                shipping_amount: summary.shipping,
                tax_amount: summary.tax,
                total_amount: summary.total,
                item_count: summary.item_count,
            },
            country: address.map(|address| address.destination().country().to_owned()),
            email: session.recovery_email(),
            created_at: session.created_at,
            last_active_at: session.active_at,
            abandoned_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_index_has_the_next_quarter_of_an_hour_and_no_earlier_time() {
        let life = SessionLife { ttl: Duration::minutes(30), abandoned_after: Some(Duration::HOUR) };
        for (active, expected) in [
            (datetime!(2026-11-27 10:00:00 UTC), "2026-11-27T11:00:00.000Z"),
            (datetime!(2026-11-27 10:00:00.001 UTC), "2026-11-27T11:15:00.000Z"),
            (datetime!(2026-11-27 10:00:01 UTC), "2026-11-27T11:15:00.000Z"),
            (datetime!(2026-11-27 10:14:59.999 UTC), "2026-11-27T11:15:00.000Z"),
            (datetime!(2026-11-27 22:45:01 UTC), "2026-11-28T00:00:00.000Z"),
        ] {
            assert_eq!(at(active, life).as_deref(), Some(expected), "{active}");
        }
        assert_eq!(at(OffsetDateTime::UNIX_EPOCH, SessionLife { abandoned_after: None, ..life }), None);
        let soon = SessionLife { abandoned_after: Some(Duration::MINUTE), ..life };
        let ends = at(datetime!(2026-11-27 10:00:00 UTC), soon);
        assert_eq!(ends.as_deref(), Some("2026-11-27T10:45:00.000Z"), "not before the session has expired");
    }
}
