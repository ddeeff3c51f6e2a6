//! The sparse index of due orders, and putting an order off.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata as _, SdkError},
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};
use time::OffsetDateTime;

use crate::{
    adapters::{
        dynamodb::client::{Dynamo, Item, failed, number, text},
        stored::payment::due,
    },
    domain::order_change::OrderChange,
    ports::{DueOrder, DuePage, StoreError},
};

const BY_DUE: &str = "by-due";
/// The entries of one query.
const PAGE: i32 = 100;
/// How often an order was put off since it last changed. Saving an order removes this attribute.
const FAILURES: &str = "dueFailures";
/// Nothing that consumers of events care about: the stream must not repeat what the last version changed.
const PUT_OFF: &str = "SET due = :until, changes = :other";

impl Dynamo {
    /// A page of one shard, the longest waiting first. Eventually consistent, like every index.
    pub async fn due_orders(
        &self,
        shard: u8,
        now: OffsetDateTime,
        after: Option<DueOrder>,
    ) -> Result<DuePage, StoreError> {
        let shard = shard.to_string();
        let start = after.map(|DueOrder { owner, id, due }| {
            let key = [("dueShard", shard.clone()), ("due", due), ("owner", owner), ("orderId", id)];
            Item::from(key.map(|(name, value)| (name.to_owned(), text(value))))
        });
        let request = self.client.query().table_name(&self.tables.orders).index_name(BY_DUE).limit(PAGE);
        let answer = request
            .key_condition_expression("dueShard = :shard AND due <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", text(due::text(now)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("find due orders"))?;
        let orders = answer.items.unwrap_or_default().iter().map(entry).collect();
        Ok(DuePage { orders, next: answer.last_evaluated_key.as_ref().map(entry) })
    }

    /// See [`crate::ports::DueOrders::put_off`]. The first write puts the order off for the shortest time and returns
    /// the count. A second one makes the time longer if the count asks for that. If the process dies in between, the
    /// order is only due earlier.
    pub async fn put_off(
        &self,
        order: &DueOrder,
        until: impl Fn(u32) -> OffsetDateTime + Send,
    ) -> Result<Option<u32>, StoreError> {
        const OPERATION: &str = "put order off";
        let shortest = due::text(until(1));
        let counting = self.moving(order, &shortest).update_expression(format!("{PUT_OFF} ADD {FAILURES} :one"));
        let counting = counting.expression_attribute_values(":one", number(1)).return_values(ReturnValue::UpdatedNew);
        let mut answer = counting.send().await;
        if answer.as_ref().is_err_and(|error| error.code() == Some("ValidationException")) {
            // The stored count is not a number: it starts again at 1.
            let anew = self.moving(order, &shortest).update_expression(format!("{PUT_OFF}, {FAILURES} = :one"));
            answer = anew.expression_attribute_values(":one", number(1)).send().await;
        }
        let Some(answer) = unless_changed(answer).map_err(failed(OPERATION))? else { return Ok(None) };
        let counted = answer.attributes.as_ref().and_then(|new| new.get(FAILURES)?.as_n().ok()?.parse().ok());
        let count: u32 = counted.unwrap_or(1).max(1);
        if count > 1 {
            let order = DueOrder { due: shortest, ..order.clone() };
            let longer = self.moving(&order, &due::text(until(count))).update_expression(PUT_OFF);
            unless_changed(longer.send().await).map_err(failed(OPERATION))?;
        }
        Ok(Some(count))
    }

    /// An update on condition that the order's due time hasn't changed.
    fn moving(&self, order: &DueOrder, until: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.orders)
            .key("owner", text(&order.owner))
            .key("orderId", text(&order.id))
            .condition_expression("due = :seen")
            .expression_attribute_values(":seen", text(&order.due))
            .expression_attribute_values(":until", text(until))
            .expression_attribute_values(":other", AttributeValue::Ss(vec![OrderChange::Other.to_string()]))
    }
}

/// None if the condition failed, or if a transaction is changing the order at the moment.
fn unless_changed<R>(
    answer: Result<UpdateItemOutput, SdkError<UpdateItemError, R>>,
) -> Result<Option<UpdateItemOutput>, SdkError<UpdateItemError, R>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.as_service_error() {
            Some(
                UpdateItemError::ConditionalCheckFailedException(_) | UpdateItemError::TransactionConflictException(_),
            ) => Ok(None),
            _ => Err(error),
        },
    }
}

/// The index's keys are always texts, even in a damaged item.
fn entry(item: &Item) -> DueOrder {
    let of = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    DueOrder { owner: of("owner"), id: of("orderId"), due: of("due") }
}
