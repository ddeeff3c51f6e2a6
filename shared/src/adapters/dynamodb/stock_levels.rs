//! Levels of counters in parts: the shop is told of the sum, which the reconciler writes each minute into an item of its own. A
//! part alone says nothing of what is left, so the pipe of the levels passes over a counter that has parts.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, Item, failed, number, text},
        inventory::{AVAILABLE, LOW_STOCK_AT, SOLD_OUT_AT, stock_id},
        transaction::{Write, update},
    },
    domain::{counter::Counter, ids::Sku},
    ports::StoreError,
};

const TELL: &str = "tell levels of stock";
/// The item that names all counters in parts.
const SPLIT: &str = "stock-split";
const COUNTERS: &str = "counters";
/// With what the ids of the sums begin.
const SUM: &str = "stock-sum#";

/// What a sum has of its counter.
const MEMBERS: [&str; 3] = [AVAILABLE, LOW_STOCK_AT, SOLD_OUT_AT];

fn sum_id(sku: &Sku) -> String {
    format!("{SUM}{sku}")
}

/// Notes that a counter has parts from now on. The sum begins with what the counter has: one from an earlier time, when it had
/// parts too, would be compared with the next one, and a level that was told meanwhile is another.
pub(super) fn begin(table: &str, sku: &Sku, counter: &Item) -> [Write; 2] {
    let mut sum = Item::from([("id".to_owned(), text(sum_id(sku)))]);
    let told = MEMBERS.into_iter().filter_map(|name| Some((name.to_owned(), counter.get(name)?.clone())));
    sum.extend(told);
    let put = Put::builder().table_name(table).set_item(Some(sum)).build();
    let put = put.map(|put| TransactWriteItem::builder().put(put).build());
    [note(table, sku, true), Write::named("sum", put)]
}

/// Notes that a counter has parts from now on, or none any more.
pub(super) fn note(table: &str, sku: &Sku, has_parts: bool) -> Write {
    let expression = if has_parts { "ADD counters :sku" } else { "DELETE counters :sku" };
    let list = Update::builder().table_name(table).key("id", text(SPLIT)).update_expression(expression);
    let sku = aws_sdk_dynamodb::types::AttributeValue::Ss(vec![sku.path()]);
    Write::named("list", update(list.expression_attribute_values(":sku", sku)))
}

impl Dynamo {
    /// Writes the sum of each counter in parts that isn't what it was, with the counter's marks.
    pub(super) async fn tell_levels_of_parts(&self) -> Result<(), StoreError> {
        let table = &self.tables.inventory;
        let list = self.batch(TELL, table, vec![SPLIT.to_owned()], false).await?;
        let named = list.get(SPLIT).and_then(|list| list.get(COUNTERS)?.as_ss().ok());
        let skus: Vec<Sku> = named.into_iter().flatten().filter_map(|name| name.parse().ok()).collect();
        if skus.is_empty() {
            return Ok(());
        }
        let ids = skus.iter().flat_map(|sku| [stock_id(sku), sum_id(sku)]).collect();
        let counters = self.batch(TELL, table, ids, true).await?;
        let all: BTreeMap<_, _> = skus.iter().map(|sku| (Counter::Stock(sku.clone()), i64::MAX)).collect();
        let left = self.parts_left(TELL, counters.clone(), &all, true).await?;
        for sku in skus {
            if let Some(left) = left.get(&Counter::Stock(sku.clone())) {
                self.tell_sum(&sku, &counters, left.iter().sum()).await?;
            }
        }
        Ok(())
    }

    async fn tell_sum(&self, sku: &Sku, counters: &HashMap<String, Item>, sum: i64) -> Result<(), StoreError> {
        let (counter, told) = (counters.get(&stock_id(sku)), counters.get(&sum_id(sku)));
        let wanted = |name: &str| match name {
            AVAILABLE => Some(number(sum)),
            mark => counter.and_then(|counter| counter.get(mark).cloned()),
        };
        if MEMBERS.iter().all(|name| told.and_then(|told| told.get(*name)).cloned() == wanted(name)) {
            return Ok(());
        }
        let mut request = self.client.update_item().table_name(&self.tables.inventory).key("id", text(sum_id(sku)));
        let (mut set, mut remove) = (Vec::new(), String::new());
        for name in MEMBERS {
            if let Some(value) = wanted(name) {
                set.push(format!("{name} = :{name}"));
                request = request.expression_attribute_values(format!(":{name}"), value);
            } else {
                let before = if remove.is_empty() { " REMOVE" } else { "," };
                remove = format!("{remove}{before} {name}");
            }
        }
        let request = request.update_expression(format!("SET {}{remove}", set.join(", ")));
        request.send().await.map(drop).map_err(failed(TELL))
    }
}
