//! The shop's purchasing, as far as a laptop has one: it shows each level of stock that changes.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use serde_json::json;
use shared::adapters::dynamodb::client::Dynamo;
use tools::{behind::Behind, operator::stock::all_stock};

use crate::say;

/// A developer waits for it.
const EVERY: Duration = Duration::from_secs(1);

/// Compares the counters with what they were, in place of the table's stream: a level that lasted for less than a second
/// isn't shown. A failure is tried again: the functions report what is wrong with the database.
pub async fn show(store: Dynamo, behind: &Behind) -> Infallible {
    let mut before = BTreeMap::new();
    loop {
        for counter in all_stock(&store).await.unwrap_or_default() {
            let (level, left) = (counter.level(), counter.left);
            // What is there at the start, or is counted for the first time, has no level before.
            if let Some(before) = before.insert(counter.name.clone(), level).filter(|before| *before != level) {
                let (level, before): (&str, &str) = (level.into(), before.into());
                let detail = json!({"counter": counter.name, "level": level, "before": before, "left": counter.left});
                behind.told("Stock Level Changed", &detail);
                say::step(format_args!(
                    "Stock Level Changed: {} is {level}, and was {before}; {left} left",
                    counter.name
                ));
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
