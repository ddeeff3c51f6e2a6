//! Counted stock: looking at it, setting it after a count, adding a delivery, and who changed it when. Each change is
//! exact while the shop sells, and is made once for its reference.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use serde::{Deserialize, Serialize};
use shared::{
    adapters::dynamodb::{
        client::{Dynamo, Item, broken, failed, from_item, number, text, to_item},
        inventory::{AVAILABLE, counter, stock_id},
    },
    domain::ids::Sku,
    ports::StoreError,
};

/// The most changes that are kept of one counter; the oldest go first.
const KEPT: usize = 200;
/// Attempts at one change of a product that is being sold.
const ATTEMPTS: u32 = 40;
/// The largest stock.
pub const MOST: u64 = 1_000_000_000;

const READ: &str = "read stock";
const WRITE: &str = "write stock";

/// What is wanted of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// So many are there.
    Set(u64),
    /// So many have come.
    Add(u64),
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockChange {
    /// Names the change: made again with it, it is the same change.
    pub reference: String,
    pub reason: String,
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// What was added; negative if a count found fewer.
    pub units: i64,
    /// What a count found; none for a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

/// What became of a wanted change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    Done(StockChange),
    /// It was made before, under this reference.
    Already(StockChange),
}

/// Why stock wasn't changed.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    #[error("no stock is counted of {0}: give it a \"stock\" in the catalog file, and load that")]
    NotCounted(String),
    #[error("the reference {reference:?} was used for another change of it: {units:+} at {at}")]
    ReferenceUsed { reference: String, units: i64, at: String },
    #[error("that is more than {MOST}")]
    TooMany,
    #[error(
        "it sells too fast for a count: take it off sale (checkout product off), count, and load it again; or add instead"
    )]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All changes of one counter.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Log {
    id: String,
    version: u64,
    changes: Vec<StockChange>,
}

fn log_id(sku: &Sku) -> String {
    format!("stock-changes#{sku}")
}

/// The counters in the table of stock.
#[derive(Debug)]
pub struct Stock<'a>(pub &'a Dynamo);

impl Stock<'_> {
    /// What is left of each, in the order of the names; of all that is counted if none is named.
    ///
    /// # Errors
    /// [`StockError::NotCounted`] for one that isn't, or if the table can't be read.
    pub async fn show(&self, skus: &[Sku]) -> Result<Vec<(String, u64)>, StockError> {
        if skus.is_empty() {
            let scan = self.0.client.scan().table_name(&self.0.tables.inventory).consistent_read(true);
            let items = scan.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await;
            let named = |item: &Item| {
                let name = item.get("id")?.as_s().ok()?.strip_prefix("stock#")?.replacen('#', "/", 1);
                Some((name, counter(item, AVAILABLE)?))
            };
            let mut found: Vec<_> = items.map_err(failed(READ))?.iter().filter_map(named).collect();
            found.sort();
            return Ok(found);
        }
        let items = self.0.batch(READ, &self.0.tables.inventory, skus.iter().map(stock_id).collect(), true).await?;
        let one = |sku: &Sku| {
            let left = items.get(&stock_id(sku)).and_then(|item| counter(item, AVAILABLE));
            left.map(|left| (sku.path(), left)).ok_or_else(|| StockError::NotCounted(sku.path()))
        };
        skus.iter().map(one).collect()
    }

    /// The changes of one counter, oldest first: sales aren't among them.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn history(&self, sku: &Sku) -> Result<Vec<StockChange>, StockError> {
        Ok(self.read(sku).await?.1.changes)
    }

    async fn read(&self, sku: &Sku) -> Result<(Option<u64>, Log), StoreError> {
        let ids = vec![stock_id(sku), log_id(sku)];
        let mut items = self.0.batch(READ, &self.0.tables.inventory, ids, true).await?;
        let left = items.get(&stock_id(sku)).and_then(|item| counter(item, AVAILABLE));
        let log = items.remove(&log_id(sku)).map(|item| from_item::<Log>(READ, item)).transpose()?;
        Ok((left, log.unwrap_or_default()))
    }

    /// Makes a change. A lost answer is no harm: the same reference again is the same change.
    ///
    /// # Errors
    /// [`StockError`] if nothing was changed; if the table fails, that isn't known.
    pub async fn change(&self, sku: &Sku, wanted: Wanted, change: StockChange) -> Result<Changed, StockError> {
        for attempt in 0..ATTEMPTS {
            let (left, mut log) = self.read(sku).await?;
            let left = left.ok_or_else(|| StockError::NotCounted(sku.path()))?;
            let (units, counted) = match wanted {
                Wanted::Add(units) => (difference(units, 0)?, None),
                Wanted::Set(count) => (difference(count, left)?, Some(count)),
            };
            if let Some(known) = log.changes.iter().find(|known| known.reference == change.reference) {
                let is_same = known.counted == counted && (counted.is_some() || known.units == units);
                let StockChange { reference, units, at, .. } = known.clone();
                return if is_same {
                    Ok(Changed::Already(known.clone()))
                } else {
                    Err(StockError::ReferenceUsed { reference, units, at })
                };
            }
            if left.checked_add_signed(units).is_none_or(|after| after > MOST) {
                return Err(StockError::TooMany);
            }
            let change = StockChange { units, counted, ..change.clone() };
            log.changes.push(change.clone());
            let surplus = log.changes.len().saturating_sub(KEPT);
            log.changes.drain(..surplus);
            if self.write(sku, left, log, &change).await? {
                return Ok(Changed::Done(change));
            }
            // Somebody bought it, or counted it too.
            tokio::time::sleep(Duration::from_millis(u64::from(5 * attempt.min(20)))).await;
        }
        Err(StockError::Busy)
    }

    /// One attempt. False if others have changed the counter or its log meanwhile. What is added is added to whatever is
    /// there; a count holds for what was read.
    async fn write(&self, sku: &Sku, left: u64, mut log: Log, change: &StockChange) -> Result<bool, StoreError> {
        let table = &self.0.tables.inventory;
        let build = |error: aws_sdk_dynamodb::error::BuildError| broken(WRITE)(error.into());
        let stock = Update::builder().table_name(table).key("id", text(stock_id(sku)));
        let stock = stock.update_expression("SET available = available + :units");
        let stock = stock.expression_attribute_values(":units", AttributeValue::N(change.units.to_string()));
        let stock = match change.counted {
            Some(_) => {
                stock.condition_expression("available = :left").expression_attribute_values(":left", number(left))
            }
            None => stock.condition_expression("attribute_exists(available)"),
        };
        let before = log.version;
        (log.id, log.version) = (log_id(sku), before + 1);
        let put = Put::builder().table_name(table).set_item(Some(to_item(WRITE, &log)?));
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            let version = HashMap::from([(":version".to_owned(), number(before))]);
            put.condition_expression("version = :version").set_expression_attribute_values(Some(version))
        };
        let writes = [
            TransactWriteItem::builder().update(stock.build().map_err(build)?).build(),
            TransactWriteItem::builder().put(put.build().map_err(build)?).build(),
        ];
        let sent = self.0.client.transact_write_items().set_transact_items(Some(writes.into())).send().await;
        let is_lost = |error: &TransactWriteItemsError| error.is_transaction_canceled_exception();
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(is_lost) => Ok(false),
            Err(error) => Err(failed(WRITE)(error)),
        }
    }
}

fn difference(to: u64, from: u64) -> Result<i64, StockError> {
    let signed = |number: u64| i64::try_from(number).ok().filter(|_| number <= MOST).ok_or(StockError::TooMany);
    Ok(signed(to)? - signed(from)?)
}
