//! The table of orders: partition key the owner, sort key the order id.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{Delete, Put, ReturnValuesOnConditionCheckFailure, Select},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::{
        dynamodb::{
            client::{Dynamo, Item, failed, from_item, number, text, to_item, unreadable},
            inventory, open_orders, sessions, stored_responses,
            transaction::{Write, delete, has_failed, put},
        },
        stored::order::StoredOrder,
    },
    domain::{
        ids::{OrderId, Owner},
        open::OpenLimits,
        order::{Order, OrderStatus},
        payment::PaymentStatus,
    },
    ports::{ChangeId, OrderFilter, OrderPage, Release, Saved, StoreError, StoredResponse, Waits},
};

pub(super) const ORDER: &str = "order";
const SAME_VERSION: &str = "#version = :version";
/// The index that finds an order's owner.
const BY_ORDER_ID: &str = "by-order-id";
/// The items that one query reads while it filters, and the queries of one request.
const FILTER_PAGE: i32 = 100;
const MAX_QUERIES: usize = 10;

/// Whether a list has the orders whose card was declined. For the customer they are attempts, and no orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclinedAttempts {
    Listed,
    LeftOut,
}

impl Dynamo {
    /// A strongly consistent read under the owner, so someone else's order isn't found.
    pub async fn order(&self, owner: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        const OPERATION: &str = "read order";
        let request = self.client.get_item().table_name(&self.tables.orders).consistent_read(true);
        let request = request.key("owner", text(owner.to_string())).key("orderId", text(id.to_string()));
        let answer = request.send().await.map_err(failed(OPERATION))?;
        answer.item.map(|item| order(OPERATION, item)).transpose()
    }

    /// A page of the owner's orders, newest first; strongly consistent. The first query asks for as many items as the
    /// page needs. If some of them were left out, further queries fill the page.
    pub async fn list_orders(
        &self,
        owner: &Owner,
        filter: &OrderFilter,
        declined: DeclinedAttempts,
    ) -> Result<OrderPage, StoreError> {
        const OPERATION: &str = "list orders";
        let wanted = usize::from(filter.limit);
        let mut orders: Vec<Order> = Vec::new();
        let mut start = filter.after.map(|id| {
            Item::from([("owner".to_owned(), text(owner.to_string())), ("orderId".to_owned(), text(id.to_string()))])
        });
        for query in 1..=MAX_QUERIES {
            let mut request = self
                .client
                .query()
                .table_name(&self.tables.orders)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("#owner = :owner")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":owner", text(owner.to_string()))
                .set_exclusive_start_key(start.take());
            // One more than requested shows whether there is another page. Declined attempts are few: what they leave
            // missing is usually among the next as many items.
            request = request.limit(match (filter.status, query) {
                (None, 1 | 2) => i32::from(filter.limit) + 1,
                _ => FILTER_PAGE,
            });
            let mut conditions = Vec::new();
            if let Some(status) = filter.status {
                conditions.push("#status = :status");
                request = request
                    .expression_attribute_names("#status", "status")
                    .expression_attribute_values(":status", text(status.name()));
            }
            if declined == DeclinedAttempts::LeftOut {
                conditions.push("#paymentStatus <> :declined");
                request = request
                    .expression_attribute_names("#paymentStatus", "paymentStatus")
                    .expression_attribute_values(":declined", text(PaymentStatus::Declined.to_string()));
            }
            if !conditions.is_empty() {
                request = request.filter_expression(conditions.join(" AND "));
            }
            let answer = request.send().await.map_err(failed(OPERATION))?;
            for item in answer.items.unwrap_or_default() {
                orders.push(order(OPERATION, item)?);
            }
            start = answer.last_evaluated_key;
            if orders.len() > wanted {
                orders.truncate(wanted);
                let next = orders.last().map(|order| order.id);
                return Ok(OrderPage { orders, next });
            }
            let Some(key) = &start else { return Ok(OrderPage { orders, next: None }) };
            // Few of many orders pass the filter: return what was found, and where to continue.
            if query == MAX_QUERIES {
                let last = key.get("orderId").and_then(|id| id.as_s().ok()).and_then(|id| id.parse().ok());
                return Ok(OrderPage { orders, next: last });
            }
        }
        Ok(OrderPage { orders, next: None })
    }

    /// The owner of an order. Eventually consistent, like every index.
    pub async fn order_owner(&self, id: OrderId) -> Result<Option<Owner>, StoreError> {
        const OPERATION: &str = "find order";
        let request = self.client.query().table_name(&self.tables.orders).index_name(BY_ORDER_ID);
        let answer = request
            .key_condition_expression("orderId = :id")
            .expression_attribute_values(":id", text(id.to_string()))
            .send()
            .await
            .map_err(failed(OPERATION))?;
        let Some(item) = answer.items.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let owner = item.get("owner").and_then(|v| v.as_s().ok()).and_then(|owner| owner.parse().ok());
        owner.map(Some).ok_or_else(|| StoreError { operation: OPERATION, source: "an order without an owner".into() })
    }

    /// Moves an order to its new owner, together with the uses of its coupons.
    pub async fn transfer_order(
        &self,
        order: &Order,
        from: &Owner,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<Saved<Order>, StoreError> {
        const OPERATION: &str = "transfer order";
        let item = to_item(OPERATION, &StoredOrder::new(order, change))?;
        let old = Delete::builder()
            .table_name(&self.tables.orders)
            .key("owner", text(from.to_string()))
            .key("orderId", text(order.id.to_string()))
            .condition_expression(SAME_VERSION)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(order.version.saturating_sub(1)));
        let new = Put::builder().table_name(&self.tables.orders);
        let mut writes = vec![
            Write::named(ORDER, delete(old)),
            Write::named(ORDER, put(new, item, "attribute_not_exists(orderId)")),
        ];
        // The uses of a cancelled order have been given back already.
        if order.status != OrderStatus::Cancelled {
            writes.extend(inventory::transfer(&self.tables.inventory, order, from));
        }
        writes.extend(open_orders::transfer(&self.tables.inventory, order, from));
        match self.transact(OPERATION, change, writes, deadline).await? {
            Ok(()) => Ok(Saved::Done),
            Err(_) => Ok(Saved::Conflict(None)),
        }
    }

    /// Whether the owner has an order that isn't cancelled. Strongly consistent.
    pub async fn has_ordered(&self, owner: &Owner) -> Result<bool, StoreError> {
        const OPERATION: &str = "find earlier orders";
        let mut start = None;
        loop {
            let request = self.client.query().table_name(&self.tables.orders).consistent_read(true).limit(FILTER_PAGE);
            let answer = request
                .key_condition_expression("#owner = :owner")
                .filter_expression("#status <> :cancelled")
                .select(Select::Count)
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":owner", text(owner.to_string()))
                .expression_attribute_values(":cancelled", text(OrderStatus::Cancelled.name()))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed(OPERATION))?;
            start = answer.last_evaluated_key;
            if answer.count > 0 || start.is_none() {
                return Ok(answer.count > 0);
            }
        }
    }

    pub async fn save_order(
        &self,
        order: &Order,
        change: ChangeId,
        release: Release,
        stored_response: Option<&StoredResponse>,
        deadline: Instant,
    ) -> Result<Saved<Order>, StoreError> {
        const OPERATION: &str = "save order";
        let item = to_item(OPERATION, &StoredOrder::new(order, change))?;
        let before = number(order.version.saturating_sub(1));
        if release.is_nothing() && stored_response.is_none() {
            let request = self.client.put_item().table_name(&self.tables.orders).set_item(Some(item));
            let request = request
                .condition_expression(SAME_VERSION)
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", before)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = request.send().await else { return Ok(Saved::Done) };
            return match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(e)) => {
                    conflict(OPERATION, change, e.item().cloned())
                }
                // A transaction holds the item. Afterwards either the order has changed or a repeated write succeeds.
                Some(PutItemError::TransactionConflictException(_)) => Ok(Saved::Conflict(None)),
                _ => Err(failed(OPERATION)(error)),
            };
        }
        let builder = Put::builder()
            .table_name(&self.tables.orders)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", before);
        let mut writes = vec![Write::named(ORDER, put(builder, item, SAME_VERSION))];
        writes.extend(inventory::give_back(&self.tables.inventory, order, &release));
        if let Some(open) = &release.open {
            writes.extend(open_orders::give_back(&self.tables.inventory, &order.owner, open));
        }
        if release.session {
            writes.push(sessions::reopen(&self.tables.sessions, order, change));
        }
        if let Some(stored_response) = stored_response {
            writes.push(stored_responses::write(&self.tables.idempotency, stored_response, order.updated_at)?);
        }
        let Err(failures) = self.transact(OPERATION, change, writes, deadline).await? else { return Ok(Saved::Done) };
        if has_failed(&failures, stored_responses::NAME) {
            return Ok(Saved::AlreadyAnswered);
        }
        if !has_failed(&failures, ORDER)
            && let Some(moved) = inventory::homeless(order, &failures)
        {
            // Its counter has fewer parts than it had.
            return Box::pin(self.save_order(&moved, change.form(1), release, stored_response, deadline)).await;
        }
        if has_failed(&failures, sessions::NAME) && !has_failed(&failures, ORDER) {
            // The session was deleted or changed: the rest is given back without it. A different transaction needs a
            // different token.
            let change = ChangeId(Uuid::from_u128(!change.0.as_u128()));
            let release = Release { session: false, ..release };
            return Box::pin(self.save_order(order, change, release, stored_response, deadline)).await;
        }
        conflict(OPERATION, change, failures.into_iter().find(|f| f.name == ORDER).and_then(|f| f.item))
    }

    /// Writes an order that begins to wait for its customer's authentication, if its source address may have one more.
    pub async fn let_order_wait(
        &self,
        order: &Order,
        change: ChangeId,
        limits: &OpenLimits,
        deadline: Instant,
    ) -> Result<Waits, StoreError> {
        const OPERATION: &str = "save waiting order";
        if let Some(limit) = open_orders::too_large(order, limits) {
            return Ok(Waits::TooManyOpenOrders(limit));
        }
        let item = to_item(OPERATION, &StoredOrder::new(order, change))?;
        let builder = Put::builder()
            .table_name(&self.tables.orders)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(order.version.saturating_sub(1)));
        let mut writes = vec![Write::named(ORDER, put(builder, item, SAME_VERSION))];
        writes.extend(open_orders::take_at_address(&self.tables.inventory, order, limits));
        let Err(failures) = self.transact(OPERATION, change, writes, deadline).await? else {
            return Ok(Waits::Saved(Saved::Done));
        };
        // A conflict on the order comes before the limit.
        if let Some(limit) = open_orders::refusal(&failures, limits).filter(|_| !has_failed(&failures, ORDER)) {
            return Ok(Waits::TooManyOpenOrders(limit));
        }
        let item = failures.into_iter().find(|failure| failure.name == ORDER).and_then(|failure| failure.item);
        Ok(Waits::Saved(conflict(OPERATION, change, item)?))
    }
}

pub(super) fn order(operation: &'static str, item: Item) -> Result<Order, StoreError> {
    from_item::<StoredOrder>(operation, item)?.try_into().map_err(unreadable(operation))
}

/// The result of a failed condition: a conflict, or this request's own write whose answer was lost.
fn conflict(operation: &'static str, change: ChangeId, item: Option<Item>) -> Result<Saved<Order>, StoreError> {
    let Some(item) = item else { return Ok(Saved::Conflict(None)) };
    let stored: StoredOrder = from_item(operation, item)?;
    if stored.change_id == change.0 {
        return Ok(Saved::Done);
    }
    Ok(Saved::Conflict(Some(Box::new(stored.try_into().map_err(unreadable(operation))?))))
}
