//! The table of what orders are found by: partition key the term, sort key the order id.
//!
//! An order has an entry for each of its terms, and one item that says which entries there are: its list. Each
//! transaction changes entries and the list together, on condition that nobody else has changed the list. So the list is
//! always true, whoever writes at once, in whatever sequence, and wherever a process dies.

use std::collections::{BTreeSet, HashMap, VecDeque};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, Item, failed, from_item, number, text, to_item},
        orders,
        transaction::{Write, delete, put},
    },
    domain::{
        ids::{OrderId, Owner},
        order::{Order, OrderStatus},
        order_search::Term,
        payment::PaymentStatus,
    },
    ports::{ChangeId, ChangedOrder, Entry, EntryPage, EntryQuery, Indexed, SearchEntries, StoreError},
    telemetry::{cause, counts::count},
};

const FIND: &str = "search orders";
const READ: &str = "read found orders";
const INDEX: &str = "index order";
/// The most writes of a transaction, without that of the list.
const WRITES: usize = 99;
/// Attempts at an order whose list somebody else changes at the same time.
const ATTEMPTS: usize = 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredEntry {
    term: String,
    order_id: OrderId,
    owner: Owner,
    status: OrderStatus,
    payment_status: PaymentStatus,
}

/// Which entries an order has.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredList {
    term: String,
    order_id: String,
    /// The version of the order whose entries are all there.
    version: u64,
    /// Counts the changes of this list.
    revision: u64,
    #[serde(with = "serde_dynamo::string_set", default, skip_serializing_if = "BTreeSet::is_empty")]
    terms: BTreeSet<String>,
}

/// The key of an order's list. No term begins like it.
fn list_id(order: impl std::fmt::Display) -> String {
    format!("order#{order}")
}

fn key(term: &str, order: OrderId) -> Item {
    Item::from([("term".to_owned(), text(term)), ("orderId".to_owned(), text(order.to_string()))])
}

impl SearchEntries for Dynamo {
    async fn entries(&self, query: EntryQuery<'_>) -> Result<EntryPage, StoreError> {
        let EntryQuery { term, from, to, status, payment_status, look_at } = query;
        let mut request = self
            .client
            .query()
            .table_name(self.search_table()?)
            .scan_index_forward(false)
            .key_condition_expression("term = :term AND orderId BETWEEN :from AND :to")
            .expression_attribute_values(":term", text(term.as_str()))
            .expression_attribute_values(":from", text(from.to_string()))
            .expression_attribute_values(":to", text(to.to_string()))
            .limit(i32::from(look_at));
        let mut conditions = Vec::new();
        if let Some(status) = status {
            conditions.push("#status = :status");
            request = request
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", text(status.to_string()));
        }
        if let Some(status) = payment_status {
            conditions.push("#paymentStatus = :paymentStatus");
            request = request
                .expression_attribute_names("#paymentStatus", "paymentStatus")
                .expression_attribute_values(":paymentStatus", text(status.to_string()));
        }
        if !conditions.is_empty() {
            request = request.filter_expression(conditions.join(" AND "));
        }
        let answer = request.send().await.map_err(failed(FIND))?;
        let mut entries = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let StoredEntry { order_id, owner, .. } = from_item(FIND, item)?;
            entries.push(Entry { order: order_id, owner });
        }
        let last = answer.last_evaluated_key.as_ref().and_then(|key| key.get("orderId")?.as_s().ok()?.parse().ok());
        Ok(EntryPage { entries, next: last })
    }

    async fn read(&self, entries: &[Entry]) -> Result<Vec<Order>, StoreError> {
        let mut found: HashMap<OrderId, Order> = HashMap::new();
        let key = |Entry { order, owner }: &Entry| {
            Item::from([("owner".to_owned(), text(owner.to_string())), ("orderId".to_owned(), text(order.to_string()))])
        };
        let keys = entries.iter().map(key).collect();
        for item in self.batch_items(READ, &self.tables.orders, keys, true).await? {
            match orders::order(READ, item) {
                Ok(order) => drop(found.insert(order.id, order)),
                // One damaged order must not hide all others from staff.
                Err(error) => tracing::error!(error = cause::chain(&error), "A found order can't be read"),
            }
        }
        let mut orders = Vec::with_capacity(entries.len());
        for Entry { order: id, owner } in entries {
            let order = match found.remove(id) {
                Some(order) => Some(order),
                None => self.moved_order(owner, *id).await?,
            };
            orders.extend(order);
        }
        Ok(orders)
    }

    async fn refresh(
        &self,
        changed: &ChangedOrder,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<Indexed, StoreError> {
        let request = self.client.get_item().table_name(&self.tables.orders).consistent_read(true);
        let request = request.key("owner", text(&changed.owner)).key("orderId", text(&changed.id));
        let Some(item) = request.send().await.map_err(failed(INDEX))?.item else { return Ok(Indexed::Gone) };
        match orders::order(INDEX, item) {
            Ok(order) => self.index_order(&order, change, deadline).await,
            Err(error) => {
                count(|counts| counts.orders_not_indexed += 1);
                tracing::error!(
                    order = changed.id,
                    error = cause::chain(&error),
                    "An order can't be read: staff can't find it"
                );
                Ok(Indexed::Unreadable)
            }
        }
    }
}

impl Dynamo {
    fn search_table(&self) -> Result<&str, StoreError> {
        let table = self.tables.order_search.as_str();
        let unset = || StoreError { operation: FIND, source: "ORDER_SEARCH_TABLE is not set".into() };
        if table.is_empty() { Err(unset()) } else { Ok(table) }
    }

    /// Forgets which version of an order the table has, so that the next refresh writes all entries anew: after the
    /// orders were restored from a backup, their versions are older than those of the table.
    ///
    /// # Errors
    /// [`StoreError`]. It is safe to repeat.
    pub async fn forget_indexed_version(&self, order: &ChangedOrder) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(self.search_table()?);
        let request = request.key("term", text(list_id(&order.id))).key("orderId", text(&order.id));
        let answer = request
            .update_expression("SET #version = :none")
            .condition_expression("attribute_exists(orderId)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":none", number(0))
            .send()
            .await;
        match answer {
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            other => other.map(drop).map_err(failed(INDEX)),
        }
    }

    async fn index_order(&self, order: &Order, change: ChangeId, deadline: Instant) -> Result<Indexed, StoreError> {
        let wanted: BTreeSet<String> = Term::all_of(order).iter().map(ToString::to_string).collect();
        let mut transactions = 0;
        'anew: for _ in 0..ATTEMPTS {
            let mut list = self.list_of(order.id).await?;
            if list.version >= order.version {
                return Ok(Indexed::Known);
            }
            // Every entry is written again: it has the owner and the status too.
            let puts = wanted.iter().map(|term| (term.clone(), true));
            let deletes = list.terms.difference(&wanted).map(|term| (term.clone(), false));
            let mut left: VecDeque<(String, bool)> = puts.chain(deletes).collect();
            while !left.is_empty() {
                let now: Vec<_> = left.drain(..WRITES.min(left.len())).collect();
                let before = list.revision;
                list.revision += 1;
                list.version = if left.is_empty() { order.version } else { list.version };
                let mut writes = Vec::with_capacity(now.len() + 1);
                for (term, stays) in now {
                    writes.push(if stays {
                        self.put_entry(order, &term)?
                    } else {
                        self.delete_entry(order.id, &term)?
                    });
                    if stays {
                        list.terms.insert(term)
                    } else {
                        list.terms.remove(&term)
                    };
                }
                writes.push(self.put_list(&list, before)?);
                transactions += 1;
                if self.transact(INDEX, change.attempt(transactions), writes, deadline).await?.is_err() {
                    // Somebody else has changed the list.
                    continue 'anew;
                }
            }
            return Ok(Indexed::Done);
        }
        Err(StoreError::contention(INDEX))
    }

    /// An order that isn't where its entry says: a claim has moved it, or it was deleted.
    async fn moved_order(&self, before: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        match self.order_owner(id).await? {
            Some(owner) if owner != *before => self.order(&owner, id).await,
            _ => Ok(None),
        }
    }

    async fn list_of(&self, order: OrderId) -> Result<StoredList, StoreError> {
        let request = self.client.get_item().table_name(self.search_table()?).consistent_read(true);
        let answer = request.set_key(Some(key(&list_id(order), order))).send().await.map_err(failed(INDEX))?;
        let none = StoredList { term: list_id(order), order_id: order.to_string(), ..StoredList::default() };
        answer.item.map_or(Ok(none), |item| from_item(INDEX, item))
    }

    fn put_list(&self, list: &StoredList, before: u64) -> Result<Write, StoreError> {
        let builder = Put::builder().table_name(self.search_table()?);
        if before == 0 {
            let item = to_item(INDEX, list)?;
            return Ok(Write::named("list", put(builder, item, "attribute_not_exists(orderId)")));
        }
        let builder = builder.expression_attribute_values(":before", number(before));
        Ok(Write::named("list", put(builder, to_item(INDEX, list)?, "revision = :before")))
    }

    fn put_entry(&self, order: &Order, term: &str) -> Result<Write, StoreError> {
        let entry = StoredEntry {
            term: term.to_owned(),
            order_id: order.id,
            owner: order.owner.clone(),
            status: order.status,
            payment_status: order.payment.status,
        };
        let put = Put::builder().table_name(self.search_table()?).set_item(Some(to_item(INDEX, &entry)?)).build();
        Ok(Write::named("entry", put.map(|put| TransactWriteItem::builder().put(put).build())))
    }

    fn delete_entry(&self, order: OrderId, term: &str) -> Result<Write, StoreError> {
        let builder = Delete::builder().table_name(self.search_table()?).set_key(Some(key(term, order)));
        Ok(Write::named("entry", delete(builder)))
    }
}
