//! Copies of an order or of a session, written past the functions: a shop of many years, or one that everybody opens at once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use redis::AsyncCommands as _;
use shared::domain::{ids::OrderId, order_number::OrderNumber};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::world::World;

type Item = HashMap<String, AttributeValue>;

/// The most that the database takes in one batch, and batches that are written at once.
const BATCH: usize = 25;
const AT_ONCE: usize = 2;
/// An engine on a machine with other work may be late; a batch of puts may be written again.
const ATTEMPTS: usize = 10;
/// Keys in one pipeline.
const PIPELINE: usize = 1_000;

impl World {
    /// Copies an order under its owner, each copy newer than those before. Returns their ids. Stock and counters stay as they
    /// are.
    ///
    /// # Panics
    /// If there is no such order.
    pub async fn copy_order(&self, order: &str, count: usize) -> Vec<String> {
        let orders = self.stored_orders().await;
        let original = orders.into_iter().find(|item| item["orderId"].as_s().is_ok_and(|id| id == order));
        let original = original.expect("an order");
        let ids: Vec<_> = (0..count).map(|_| Uuid::now_v7()).collect();
        let copy = |id: &Uuid| {
            let number = OrderNumber::of(OrderId::new(*id)).to_string();
            with(&original, &[("orderId", id.to_string()), ("orderNumber", number)])
        };
        self.write("ORDERS_TABLE", ids.iter().map(copy)).await;
        ids.iter().map(Uuid::to_string).collect()
    }

    /// Copies a session, each copy a guest's own, with its copy in Redis.
    ///
    /// # Panics
    /// If there is no such session, or no copy of it.
    pub async fn copy_session(&self, session: &str, count: usize) {
        let original = self.stored_session(session).await.expect("a session");
        let ids: Vec<_> = (0..count).map(|_| Uuid::new_v4()).collect();
        let copy = |id: &Uuid| {
            let owner = format!("guest#{}", Uuid::new_v4());
            with(&original, &[("checkoutId", id.to_string()), ("owner", owner)])
        };
        self.write("SESSIONS_TABLE", ids.iter().map(copy)).await;

        let mut redis = self.keys.connection().await;
        let key = |id: &str| format!("{}checkout:session:{id}", self.keys.prefix());
        let document: Vec<u8> = redis.get(key(session)).await.expect("an answer");
        assert!(!document.is_empty(), "no copy of {session}");
        for ids in ids.chunks(PIPELINE) {
            let mut pipeline = redis::pipe();
            for id in ids {
                pipeline.set_ex(key(&id.to_string()), &document, 1800).ignore();
            }
            let () = pipeline.query_async(&mut redis).await.expect("an answer");
        }
    }

    async fn write(&self, variable: &str, items: impl Iterator<Item = Item>) {
        let (table, client) = (self.tables.name(variable), self.tables.client());
        let (mut writing, mut batch) = (JoinSet::new(), Vec::with_capacity(BATCH));
        let mut items = items.peekable();
        while let Some(item) = items.next() {
            let put = PutRequest::builder().set_item(Some(item)).build().expect("an item");
            batch.push(WriteRequest::builder().put_request(put).build());
            if batch.len() < BATCH && items.peek().is_some() {
                continue;
            }
            let batch = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            let sending = client.batch_write_item().request_items(&table, batch);
            writing.spawn(async move {
                for _ in 0..ATTEMPTS {
                    if let Ok(answer) = sending.clone().send().await {
                        assert!(
                            answer.unprocessed_items.is_none_or(|left| left.is_empty()),
                            "the engine took them all"
                        );
                        return;
                    }
                }
                panic!("the engine takes nothing any more");
            });
            if writing.len() >= AT_ONCE {
                writing.join_next().await.expect("one").expect("written");
            }
        }
        writing.join_all().await;
    }
}

fn with(original: &Item, others: &[(&str, String)]) -> Item {
    let mut copy = original.clone();
    copy.extend(others.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S(value.clone()))));
    copy
}
