//! What is left of everything that is counted. What is done with one counter is `shared::checkout::stock`.

use shared::{
    adapters::dynamodb::{
        client::{Dynamo, Item, failed},
        inventory::left,
    },
    ports::StoreError,
};

/// The names of all products and variants whose stock is counted, in their order, with what is left.
///
/// # Errors
/// If the table can't be read.
pub async fn all_stock(store: &Dynamo) -> Result<Vec<(String, i64)>, StoreError> {
    let scan = store.client.scan().table_name(&store.tables.inventory).consistent_read(true);
    let items = scan.into_paginator().items().send().collect::<Result<Vec<Item>, _>>().await;
    let named = |item: &Item| {
        let name = item.get("id")?.as_s().ok()?.strip_prefix("stock#")?.replacen('#', "/", 1);
        Some((name, left(item)?))
    };
    let mut found: Vec<_> = items.map_err(failed("read stock"))?.iter().filter_map(named).collect();
    found.sort();
    Ok(found)
}
