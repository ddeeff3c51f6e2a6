//! The orders' stream, delivered to the function that keeps what staff find orders by, as Lambda delivers it; and to the
//! shop's page as the events that leave.

use std::{convert::Infallible, time::Duration};

use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};
use tools::{behind::Behind, lambda::functions::Functions, order_event, order_stream::OrderStream};

use crate::say;

const FUNCTION: &str = "index-orders";
/// As in the template.
const BATCH: usize = 25;
/// How often to look for records, and the pause before failed ones are sent again.
const EVERY: Duration = Duration::from_millis(500);

/// Delivers each change, again until it is done.
pub async fn deliver(
    functions: &Functions,
    client: &Client,
    endpoint: &str,
    table: &str,
    behind: &Behind,
) -> Infallible {
    let mut told = false;
    let mut stream = loop {
        match OrderStream::open(client, endpoint, table).await {
            Ok(stream) => break stream,
            Err(error) => tell(&mut told, &error.to_string()),
        }
        tokio::time::sleep(EVERY).await;
    };
    let mut waiting: Vec<Value> = Vec::new();
    loop {
        tokio::time::sleep(EVERY).await;
        match stream.next().await {
            Ok(records) => {
                let changes: Vec<_> = records.into_iter().filter(order_event::is_change).collect();
                for change in &changes {
                    behind.told(order_event::DETAIL_TYPE, &order_event::detail(change));
                }
                waiting.extend(changes);
            }
            Err(error) => tell(&mut told, &error.to_string()),
        }
        while !waiting.is_empty() {
            let batch = &waiting[..BATCH.min(waiting.len())];
            let done = done_of(functions, batch).await;
            waiting.drain(..done);
            if done == 0 {
                break;
            }
        }
    }
}

/// How many records of a batch, from its first, need not come again. What failed is in the function's log.
async fn done_of(functions: &Functions, batch: &[Value]) -> usize {
    let event = json!({ "Records": batch }).to_string();
    let Ok(answer) = functions.invoke(FUNCTION, event.into()).await else { return 0 };
    let Some(failures) = answer["batchItemFailures"].as_array() else { return 0 };
    let failed = |record: &Value| {
        failures.iter().any(|failure| failure["itemIdentifier"] == record["dynamodb"]["SequenceNumber"])
    };
    batch.iter().position(failed).unwrap_or(batch.len())
}

fn tell(told: &mut bool, why: &str) {
    if !*told {
        say::failure(&format!("staff don't find new orders: {why}"));
    }
    *told = true;
}
