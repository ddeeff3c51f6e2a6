//! Deliveries and counts in the table of counters: a list of changes beside each counter of stock.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, serde::rfc3339};
use tokio::time::Instant;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, from_item, number, text, to_item},
        inventory::{part_id, stock_id},
        transaction::{Write, put, update},
    },
    domain::{
        counter::Counter,
        ids::Sku,
        stock::{StockChange, StockCounter},
    },
    ports::{ChangeId, Stock, StoreError},
};

const READ: &str = "read stock";
const WRITE: &str = "write stock";

/// All changes of one counter.
#[derive(Debug, Serialize, Deserialize)]
struct StoredChanges {
    id: String,
    version: u64,
    changes: Vec<StoredChange>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredChange {
    reference: String,
    reason: String,
    by: String,
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    units: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<u64>,
}

impl From<StoredChange> for StockChange {
    fn from(stored: StoredChange) -> Self {
        let StoredChange { reference, reason, by, at, units, counted } = stored;
        Self { reference, reason, by, at, units, counted }
    }
}

impl From<StockChange> for StoredChange {
    fn from(change: StockChange) -> Self {
        let StockChange { reference, reason, by, at, units, counted } = change;
        Self { reference, reason, by, at, units, counted }
    }
}

fn changes_id(sku: &Sku) -> String {
    format!("stock-changes#{sku}")
}

impl Stock for Dynamo {
    async fn counter(&self, sku: &Sku) -> Result<StockCounter, StoreError> {
        let ids = vec![stock_id(sku), changes_id(sku)];
        let mut items = self.batch(READ, &self.tables.inventory, ids, true).await?;
        let stored = items.remove(&changes_id(sku)).map(|item| from_item::<StoredChanges>(READ, item)).transpose()?;
        let (version, changes) = stored.map_or((0, Vec::new()), |stored| (stored.version, stored.changes));
        let counter = Counter::Stock(sku.clone());
        let all = BTreeMap::from([(counter.clone(), i64::MAX)]);
        let parts = self.parts_left(READ, items, &all, true).await?.remove(&counter).unwrap_or_default();
        let left = (!parts.is_empty()).then(|| parts.iter().sum());
        Ok(StockCounter { left, parts, version, changes: changes.into_iter().map(Into::into).collect() })
    }

    async fn left(&self, skus: &[Sku]) -> Result<Vec<Option<i64>>, StoreError> {
        let ids = skus.iter().map(stock_id).collect();
        let items = self.batch(READ, &self.tables.inventory, ids, true).await?;
        let all: BTreeMap<_, _> = skus.iter().map(|sku| (Counter::Stock(sku.clone()), i64::MAX)).collect();
        let left = self.parts_left(READ, items, &all, true).await?;
        Ok(skus.iter().map(|sku| Some(left.get(&Counter::Stock(sku.clone()))?.iter().sum())).collect())
    }

    async fn tell_levels(&self) -> Result<(), StoreError> {
        self.tell_levels_of_parts().await
    }

    /// What is added is added to whatever is there, and then spread over the parts; a count holds for what was read, of
    /// as many parts.
    async fn write(
        &self,
        sku: &Sku,
        change: &StockChange,
        after: &StockCounter,
        attempt: ChangeId,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let table = &self.tables.inventory;
        let counter_id = Counter::Stock(sku.clone());
        let one = |part: u8, by: i64| {
            let counter = Update::builder().table_name(table).key("id", text(part_id(&counter_id, part)));
            let counter = counter.update_expression("SET available = available + :units");
            counter.expression_attribute_values(":units", AttributeValue::N(by.to_string()))
        };
        let mut writes = Vec::new();
        if change.counted.is_some() {
            for (part, (left, by)) in (0..=u8::MAX).zip(after.parts.iter().zip(after.by_part(change.units))) {
                let counter = one(part, by).expression_attribute_values(":left", number(left));
                // As many in all that was read: it must be all that there is.
                let counter = match (part, after.parts.len()) {
                    (0, 1) => counter.condition_expression("available = :left AND attribute_not_exists(parts)"),
                    (0, parts) => counter
                        .update_expression("SET available = available + :units ADD moves :one")
                        .condition_expression("available = :left AND parts = :parts")
                        .expression_attribute_values(":one", number(1))
                        .expression_attribute_values(":parts", number(parts)),
                    _ => counter.condition_expression("available = :left"),
                };
                writes.push(Write::named("counter", update(counter)));
            }
        } else {
            let counter = one(0, change.units).condition_expression("attribute_exists(available)");
            writes.push(Write::named("counter", update(counter)));
        }
        let before = after.version.saturating_sub(1);
        let changes = after.changes.iter().cloned().map(Into::into).collect();
        let changes = StoredChanges { id: changes_id(sku), version: after.version, changes };
        let (builder, condition) = match before {
            0 => (Put::builder(), "attribute_not_exists(id)"),
            _ => (Put::builder().expression_attribute_values(":version", number(before)), "version = :version"),
        };
        let changes = put(builder.table_name(table), to_item(WRITE, &changes)?, condition);
        writes.push(Write::named("changes", changes));
        let written = self.transact(WRITE, attempt, writes, deadline).await?.is_ok();
        if written && after.parts.len() > 1 && change.counted.is_none() {
            self.spread(&counter_id, deadline).await;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_that_the_command_wrote_before_there_was_a_route_are_read() {
        let written = json!({"id": "stock-changes#espresso-beans", "version": 2, "changes": [
            {"reference": "DN-1", "reason": "delivery", "by": "grace", "at": "2026-11-20T09:00:00Z", "units": 500},
            {"reference": "count", "reason": "yearly", "by": "ada", "at": "2026-11-21T09:00:00Z", "units": -4, "counted": 3}
        ]});
        let stored: StoredChanges = serde_json::from_value(written.clone()).expect("changes");
        assert_eq!(serde_json::to_value(&stored).expect("JSON"), written);
        let changes: Vec<StockChange> = stored.changes.into_iter().map(Into::into).collect();
        assert_eq!(
            changes.iter().map(|change| (change.units, change.counted)).collect::<Vec<_>>(),
            [(500, None), (-4, Some(3))]
        );
    }
}
