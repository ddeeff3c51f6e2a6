//! What is left of what is counted. What is done with one counter is `shared::checkout::stock`.

use shared::{
    adapters::dynamodb::{
        client::{Dynamo, Item, failed},
        inventory::{left, marks, stock_id},
    },
    domain::{
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
        let name = item.get("id")?.as_s().ok()?.strip_prefix("stock#")?.replacen('#', "/", 1);
        Some(Self { name, left: left(item)?, marks: marks(item) })
    }

    pub fn level(&self) -> StockLevel {
        self.marks.level(self.left)
    }
}

/// The counters of all products and variants whose stock is counted, by name.
///
/// # Errors
/// If the table can't be read.
pub async fn all_stock(store: &Dynamo) -> Result<Vec<Counter>, StoreError> {
    let scan = store.client.scan().table_name(&store.tables.inventory).consistent_read(true);
    let items = scan.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await;
    let mut found: Vec<_> = items.map_err(failed(READ))?.iter().filter_map(Counter::of).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The counter of each; none of what isn't counted.
///
/// # Errors
/// If the table can't be read.
pub async fn stock_of(store: &Dynamo, skus: &[Sku]) -> Result<Vec<Option<Counter>>, StoreError> {
    let items = store.batch(READ, &store.tables.inventory, skus.iter().map(stock_id).collect(), true).await?;
    Ok(skus.iter().map(|sku| items.get(&stock_id(sku)).and_then(Counter::of)).collect())
}
