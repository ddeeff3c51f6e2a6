//! What is left of what is counted. What is done with one counter is `shared::checkout::stock`.

use std::collections::BTreeMap;

use shared::{
    adapters::dynamodb::{
        client::{Dynamo, Item, failed},
        inventory::{STOCK_PART, left, marks, stock_id},
    },
    domain::{
        counter,
        ids::Sku,
        stock::{StockLevel, StockMarks},
    },
    ports::StoreError,
};

const READ: &str = "read stock";

/// A counter of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// `pour-over-kit/white`.
    pub name: String,
    pub left: i64,
    pub marks: StockMarks,
}

impl Counter {
    fn of(item: &Item) -> Option<Self> {
        let name = named(item.get("id")?.as_s().ok()?.strip_prefix("stock#")?);
        Some(Self { name, left: left(item)?, marks: marks(item) })
    }

    pub fn level(&self) -> StockLevel {
        self.marks.level(self.left)
    }
}

fn named(counter: &str) -> String {
    counter.replacen('#', "/", 1)
}

/// What is left in one of the parts beside a counter, and the counter's name.
fn part(item: &Item) -> Option<(String, i64)> {
    let (counter, _) = item.get("id")?.as_s().ok()?.strip_prefix(STOCK_PART)?.rsplit_once('#')?;
    Some((named(counter), left(item)?))
}

/// The counters of all products and variants whose stock is counted, by name. One in parts that sells or gets a delivery just
/// now may be off by what moves.
///
/// # Errors
/// If the table can't be read.
pub async fn all_stock(store: &Dynamo) -> Result<Vec<Counter>, StoreError> {
    let scan = store.client.scan().table_name(&store.tables.inventory).consistent_read(true);
    let items = scan.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await.map_err(failed(READ))?;
    let counters = items.iter().filter_map(Counter::of).map(|counter| (counter.name.clone(), counter));
    let mut found: BTreeMap<String, Counter> = counters.collect();
    for (name, left) in items.iter().filter_map(part) {
        if let Some(counter) = found.get_mut(&name) {
            counter.left += left;
        }
    }
    Ok(found.into_values().collect())
}

/// The counter of each; none of what isn't counted.
///
/// # Errors
/// If the table can't be read.
pub async fn stock_of(store: &Dynamo, skus: &[Sku]) -> Result<Vec<Option<Counter>>, StoreError> {
    let items = store.batch(READ, &store.tables.inventory, skus.iter().map(stock_id).collect(), true).await?;
    let key = |sku: &Sku| counter::Counter::Stock(sku.clone());
    let all: BTreeMap<_, _> = skus.iter().map(|sku| (key(sku), i64::MAX)).collect();
    let left = store.parts_left(READ, items.clone(), &all, true).await?;
    let counter = |sku: &Sku| {
        let counter = items.get(&stock_id(sku)).and_then(Counter::of)?;
        Some(Counter { left: left.get(&key(sku))?.iter().sum(), ..counter })
    };
    Ok(skus.iter().map(counter).collect())
}
