//! Processed events of the payment provider, in the table of stored responses: an event, too, is a request that must
//! have one effect. Payments of unknown orders are stored in the inventory table, which is kept when the stack is
//! deleted.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    adapters::dynamodb::client::{Dynamo, failed, from_item, text, to_item},
    ports::{AboutOrder, ProviderEvent, SeenEvents, StoreError},
    telemetry::counts::count,
};

/// Stripe repeats an event for three days.
const LIFE: Duration = Duration::days(7);

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    id: String,
    /// Epoch seconds.
    ttl: i64,
}

/// Kept until a person has looked into it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unknown {
    id: String,
    event_id: String,
    order_id: String,
    intent: String,
    received_at: i64,
}

impl SeenEvents for Dynamo {
    async fn seen(&self, id: &str, now: OffsetDateTime) -> Result<bool, StoreError> {
        const OPERATION: &str = "read event";
        let request = self.client.get_item().table_name(&self.tables.idempotency).consistent_read(true);
        let answer = request.key("id", text(name(id))).send().await.map_err(failed(OPERATION))?;
        let Some(item) = answer.item else { return Ok(false) };
        let seen: Seen = from_item(OPERATION, item)?;
        Ok(seen.ttl > now.unix_timestamp())
    }

    async fn note(&self, id: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        const OPERATION: &str = "note event";
        let item = to_item(OPERATION, &Seen { id: name(id), ttl: (now + LIFE).unix_timestamp() })?;
        let request = self.client.put_item().table_name(&self.tables.idempotency).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(failed(OPERATION))
    }

    async fn note_unknown(
        &self,
        event: &ProviderEvent,
        about: &AboutOrder,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "note unknown payment";
        count(|counts| counts.unknown_payments += 1);
        tracing::error!(
            order = %about.order,
            intent = about.intent,
            event = event.id,
            "Payment belongs to no known order"
        );
        let unknown = Unknown {
            id: format!("unknown-payment#{}", about.intent),
            event_id: event.id.clone(),
            order_id: about.order.to_string(),
            intent: about.intent.clone(),
            received_at: now.unix_timestamp(),
        };
        // This table is kept when the stack is deleted; the other one isn't.
        let request = self.client.put_item().table_name(&self.tables.inventory);
        let request = request.set_item(Some(to_item(OPERATION, &unknown)?));
        request.send().await.map(|_| ()).map_err(failed(OPERATION))
    }
}

fn name(id: &str) -> String {
    format!("event#{id}")
}
