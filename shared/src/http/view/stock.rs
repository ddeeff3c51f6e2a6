//! A delivery of stock as staff see it.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

use crate::{checkout::stock::StockChanged, domain::ids::Sku};

/// `{"productId": …, "variantId": …, "available": 537, "delivery": {…}}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReceivedStockView {
    #[serde(flatten)]
    sku: Sku,
    /// What is left to sell, with everything that was sold meanwhile; negative while more is sold than has come.
    available: i64,
    delivery: DeliveryView,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    quantity: i64,
    reference: String,
    reason: String,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    received_at: OffsetDateTime,
    /// The member of the staff, or who gave the command.
    received_by: String,
}

impl From<StockChanged> for ReceivedStockView {
    fn from(changed: StockChanged) -> Self {
        let StockChanged { sku, change, left, .. } = changed;
        let delivery = DeliveryView {
            quantity: change.units,
            reference: change.reference,
            reason: change.reason,
            received_at: change.at,
            received_by: change.by,
        };
        Self { sku, available: left, delivery }
    }
}
