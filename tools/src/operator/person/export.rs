//! Everything about a person as one JSON document.

use serde_json::{Value, json};
use shared::{adapters::dynamodb::client::Item, ports::StoreError};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::find::{Found, Stays};
use shared::domain::payment::SavedCard;

/// The document. Everything is as it is stored: amounts are integers in the minor unit of their currency, times are RFC
/// 3339, `ttl` is in epoch seconds.
///
/// # Errors
/// When an item has no form in JSON.
pub fn document(found: &Found, now: OffsetDateTime) -> Result<Value, StoreError> {
    let elsewhere: Vec<&Stays> = found.elsewhere.iter().collect();
    let card = |SavedCard { id, brand, last4, expiry_month, expiry_year }: &SavedCard| {
        json!({
            "paymentMethodId": id, "brand": brand, "last4": last4, "expiryMonth": expiry_month, "expiryYear": expiry_year
        })
    };
    let saved_cards = match &found.saved_cards {
        Ok(cards) => cards.iter().map(card).collect::<Value>(),
        Err(fault) => json!({ "unavailable": fault }),
    };
    Ok(json!({
        "exportedAt": now.format(&Rfc3339).unwrap_or_default(),
        "owners": found.known.owners,
        "sessions": values(&found.sessions)?,
        "orders": values(&found.orders)?,
        "storedResponses": values(&found.responses)?,
        "claims": values(&found.claims)?,
        "counters": values(&found.counters)?,
        "paymentCustomers": values(&found.customers)?,
        "savedCards": saved_cards,
        "certificates": values(&found.certificates)?,
        "blocks": found.blocks,
        "redisKeys": found.keys,
        "elsewhere": elsewhere,
    }))
}

fn values(items: &[Item]) -> Result<Vec<Value>, StoreError> {
    let value = |item: &Item| serde_dynamo::from_item(item.clone());
    let values: Result<_, _> = items.iter().map(value).collect();
    values.map_err(|error: serde_dynamo::Error| StoreError { operation: "export item", source: error.into() })
}
