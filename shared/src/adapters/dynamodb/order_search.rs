//! The table of what orders are found by: partition key a key of the search, sort key the order id.
//!
//! An order has an entry for each of its terms, and an item of its own with what may change: the owner, the address and both
//! statuses. Indexes find that item, and `DynamoDB` keeps them. Entries that last are written first, and never deleted;
//! those of parcels come and go together with the item, in a transaction. Each writer replaces only the item that it has
//! read, and only by what a newer version is found by. So it doesn't matter who writes at once, in what sequence, and where
//! a process dies.

use std::collections::{BTreeSet, HashMap, VecDeque};

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{Delete, Put, PutRequest, TransactWriteItem, WriteRequest},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    adapters::dynamodb::{
        client::{Dynamo, Item, broken, failed, from_item, number, text, to_item},
        orders,
        transaction::{Write, delete, put},
    },
    domain::{
        ids::{OrderId, Owner},
        order::{Order, OrderStatus},
        order_number::OrderNumber,
        order_search::{EmailDigest, SearchKey, Term},
        payment::PaymentStatus,
        retry::turn,
    },
    ports::{ChangeId, ChangedOrder, IdPage, Indexed, KeyQuery, OrderIndex, StoreError},
    telemetry::{cause, counts::count},
};

const FIND: &str = "search orders";
const READ: &str = "read found orders";
const INDEX: &str = "index order";
/// The most writes of a transaction, without that of the order's own item.
const WRITES: usize = 99;
/// Attempts at an item that somebody else changes at the same time.
const ATTEMPTS: u32 = 10;
/// The most writes of a batch, and the most calls for those that a throttled table left out.
const BATCH: usize = 25;
const ROUNDS: u32 = 5;

/// What is known of an order by its id.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredKeys {
    /// See [`own_key`].
    key: String,
    order_id: OrderId,
    /// The version of the order by which it is found in every way. Of an older one it may still be found.
    version: u64,
    /// Counts the changes of this item.
    revision: u64,
    owner: Owner,
    /// The key of the sparse index `by-email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The keys of the indexes `by-status` and `by-payment-status`.
    status: OrderStatus,
    payment_status: PaymentStatus,
    /// The terms of the entries that last, as far as they are there.
    #[serde(with = "serde_dynamo::string_set", default, skip_serializing_if = "BTreeSet::is_empty")]
    entries: BTreeSet<String>,
    /// The terms of the entries of parcels: exactly those that are there.
    #[serde(with = "serde_dynamo::string_set", default, skip_serializing_if = "BTreeSet::is_empty")]
    parcels: BTreeSet<String>,
}

impl StoredKeys {
    /// What an order is found by now, with the entries that are known, and not yet with its version.
    fn of(order: &Order, known: Option<Self>) -> Self {
        let (version, revision, entries, parcels) =
            known.map(|known| (known.version, known.revision, known.entries, known.parcels)).unwrap_or_default();
        Self {
            key: own_key(order.id),
            order_id: order.id,
            version,
            revision,
            owner: order.owner.clone(),
            email: EmailDigest::of_order(order).map(|email| email.as_str().to_owned()),
            status: order.status,
            payment_status: order.payment.status,
            entries,
            parcels,
        }
    }
}

/// The key of an order's own item. No entry has one that begins like it.
fn own_key(order: impl std::fmt::Display) -> String {
    format!("order#{order}")
}

fn key(key: &str, order: &str) -> Item {
    Item::from([("key".to_owned(), text(key)), ("orderId".to_owned(), text(order))])
}

impl OrderIndex for Dynamo {
    async fn ids(&self, query: KeyQuery<'_>) -> Result<IdPage, StoreError> {
        let KeyQuery { key, from, to, limit } = query;
        let (index, attribute, value) = match key {
            SearchKey::Number(number) => return self.ids_of_number(number, from, to).await,
            SearchKey::Email(email) => (Some("by-email"), "email", email.as_str().to_owned()),
            SearchKey::Status(status) => (Some("by-status"), "status", status.to_string()),
            SearchKey::PaymentStatus(status) => (Some("by-payment-status"), "paymentStatus", status.to_string()),
            SearchKey::Term(term) => (None, "key", term.to_string()),
        };
        let request = self
            .client
            .query()
            .table_name(self.search_table()?)
            .set_index_name(index.map(str::to_owned))
            .scan_index_forward(false)
            .key_condition_expression("#key = :key AND orderId BETWEEN :from AND :to")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", text(value))
            .expression_attribute_values(":from", text(from.to_string()))
            .expression_attribute_values(":to", text(to.to_string()))
            .limit(i32::from(limit));
        let answer = request.send().await.map_err(failed(FIND))?;
        let orders = answer.items.unwrap_or_default().iter().map(order_id).collect::<Result<_, _>>()?;
        Ok(IdPage { orders, until: answer.last_evaluated_key.as_ref().map(order_id).transpose()? })
    }

    async fn read(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let table = self.search_table()?;
        let keys = ids.iter().map(|id| key(&own_key(id), &id.to_string())).collect();
        let mut owners: HashMap<OrderId, Owner> = HashMap::with_capacity(ids.len());
        for item in self.batch_items(READ, table, keys, true).await? {
            match from_item::<StoredKeys>(READ, item) {
                Ok(keys) => drop(owners.insert(keys.order_id, keys.owner)),
                Err(error) => tracing::error!(error = cause::chain(&error), "A found order's item can't be read"),
            }
        }
        let order_keys = owners.iter().map(|(id, owner)| order_key(*id, owner)).collect();
        let items = self.batch_items(READ, &self.tables.orders, order_keys, true).await?;
        let mut found: HashMap<_, _> = items.into_iter().filter_map(readable).map(|order| (order.id, order)).collect();
        let mut orders = Vec::with_capacity(ids.len());
        for id in ids {
            let order = match found.remove(id) {
                Some(order) => Some(order),
                None => self.moved_order(owners.remove(id), *id).await?,
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

fn order_key(id: OrderId, owner: &Owner) -> Item {
    Item::from([("owner".to_owned(), text(owner.to_string())), ("orderId".to_owned(), text(id.to_string()))])
}

/// One damaged order must not hide all others from staff.
fn readable(item: Item) -> Option<Order> {
    let told = |error| tracing::error!(error = cause::chain(&error), "A found order can't be read");
    orders::order(READ, item).map_err(told).ok()
}

/// Somebody has changed the item since it was read, or changes it in a transaction.
fn others_write_it(error: &PutItemError) -> bool {
    error.is_conditional_check_failed_exception() || error.is_transaction_conflict_exception()
}

fn order_id(item: &Item) -> Result<OrderId, StoreError> {
    let id = item.get("orderId").and_then(|id| id.as_s().ok()).and_then(|id| id.parse().ok());
    id.ok_or_else(|| StoreError { operation: FIND, source: "an item without an order's id".into() })
}

impl Dynamo {
    fn search_table(&self) -> Result<&str, StoreError> {
        let table = self.tables.order_search.as_str();
        let unset = || StoreError { operation: FIND, source: "ORDER_SEARCH_TABLE is not set".into() };
        if table.is_empty() { Err(unset()) } else { Ok(table) }
    }

    /// Forgets which version of an order the table has, and which entries, so that the next refresh writes all anew: after
    /// the orders were restored from a backup, their versions are older than those of the table.
    ///
    /// # Errors
    /// [`StoreError`]. It is safe to repeat.
    pub async fn forget_indexed_version(&self, order: &ChangedOrder) -> Result<(), StoreError> {
        for attempt in 0..ATTEMPTS {
            let request = self.client.update_item().table_name(self.search_table()?);
            let answer = request
                .set_key(Some(key(&own_key(&order.id), &order.id)))
                .update_expression("SET #version = :none, revision = revision + :one REMOVE #entries")
                .condition_expression("attribute_exists(orderId)")
                .expression_attribute_names("#version", "version")
                .expression_attribute_names("#entries", "entries")
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":one", number(1))
                .send()
                .await;
            let Err(error) = answer else { return Ok(()) };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(()),
                // The stream's index writes it at the same time.
                Some(UpdateItemError::TransactionConflictException(_)) => {
                    tokio::time::sleep(turn(Uuid::try_parse(&order.id).unwrap_or_default(), attempt)).await;
                }
                _ => return Err(failed(INDEX)(error)),
            }
        }
        Err(StoreError::contention(INDEX))
    }

    async fn index_order(&self, order: &Order, change: ChangeId, deadline: Instant) -> Result<Indexed, StoreError> {
        let texts = |terms: BTreeSet<Term>| terms.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let (entries, parcels) = (texts(Term::lasting(order)), texts(Term::of_parcels(order)));
        let mut transactions = 0;
        'anew: for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(turn(change.0, attempt)).await;
            }
            let known = self.keys_of(order.id).await?;
            let version = known.as_ref().map_or(0, |known| known.version);
            if version >= order.version {
                return Ok(Indexed::Known);
            }
            let mut keys = StoredKeys::of(order, known);
            self.put_entries(order.id, entries.difference(&keys.entries)).await?;
            keys.entries.extend(entries.iter().cloned());
            let comes = parcels.iter().filter(|term| version == 0 || !keys.parcels.contains(*term));
            let goes = keys.parcels.difference(&parcels);
            let mut left: VecDeque<_> =
                comes.map(|term| (term.clone(), true)).chain(goes.map(|term| (term.clone(), false))).collect();
            loop {
                let now: Vec<_> = left.drain(..WRITES.min(left.len())).collect();
                for (term, stays) in &now {
                    if *stays {
                        keys.parcels.insert(term.clone())
                    } else {
                        keys.parcels.remove(term)
                    };
                }
                keys.version = if left.is_empty() { order.version } else { version };
                let before = keys.revision;
                keys.revision += 1;
                transactions += 1;
                if !self.put_keys(&keys, before, now, change.attempt(transactions), deadline).await? {
                    // Somebody else has changed them, or it was this write, whose answer was lost.
                    continue 'anew;
                }
                if left.is_empty() {
                    return Ok(Indexed::Done);
                }
            }
        }
        Err(StoreError::contention(INDEX))
    }

    async fn keys_of(&self, order: OrderId) -> Result<Option<StoredKeys>, StoreError> {
        let request = self.client.get_item().table_name(self.search_table()?).consistent_read(true);
        let request = request.set_key(Some(key(&own_key(order), &order.to_string())));
        let answer = request.send().await.map_err(failed(INDEX))?;
        answer.item.map(|item| from_item(INDEX, item)).transpose()
    }

    /// Writes an order's own item, together with entries of parcels that come or go, if it has this revision. False if it
    /// has another.
    async fn put_keys(
        &self,
        keys: &StoredKeys,
        before: u64,
        parcels: Vec<(String, bool)>,
        change: ChangeId,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let (table, item) = (self.search_table()?, to_item(INDEX, keys)?);
        let condition = if before == 0 { "attribute_not_exists(orderId)" } else { "revision = :before" };
        let value = (before > 0).then(|| HashMap::from([(":before".to_owned(), number(before))]));
        if parcels.is_empty() {
            let put = self.client.put_item().table_name(table).set_item(Some(item)).condition_expression(condition);
            return match put.set_expression_attribute_values(value).send().await {
                Err(error) if error.as_service_error().is_some_and(others_write_it) => Ok(false),
                other => other.map(|_| true).map_err(failed(INDEX)),
            };
        }
        let own = Put::builder().table_name(table).set_expression_attribute_values(value);
        let mut writes = vec![Write::named("keys", put(own, item, condition))];
        for (term, stays) in parcels {
            let key = Some(key(&term, &keys.order_id.to_string()));
            let action = if stays {
                let put = Put::builder().table_name(table).set_item(key).build();
                put.map(|put| TransactWriteItem::builder().put(put).build())
            } else {
                delete(Delete::builder().table_name(table).set_key(key))
            };
            writes.push(Write::named("parcel", action));
        }
        Ok(self.transact(INDEX, change, writes, deadline).await?.is_ok())
    }

    /// Entries that are never taken away, so it doesn't matter who writes them, and how often.
    async fn put_entries(&self, order: OrderId, terms: impl Iterator<Item = &String>) -> Result<(), StoreError> {
        let (table, id) = (self.search_table()?, order.to_string());
        let put = |term: &String| {
            let put = PutRequest::builder().set_item(Some(key(term, &id))).build();
            put.map(|put| WriteRequest::builder().put_request(put).build())
        };
        let writes = terms.map(put).collect::<Result<Vec<_>, _>>().map_err(|error| broken(INDEX)(error.into()))?;
        for some in writes.chunks(BATCH) {
            let mut left = HashMap::from([(table.to_owned(), some.to_vec())]);
            for round in 0.. {
                let answer = self.client.batch_write_item().set_request_items(Some(left)).send().await;
                left = answer.map_err(failed(INDEX))?.unprocessed_items.unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                if round >= ROUNDS {
                    return Err(broken(INDEX)("the table is throttled".into()));
                }
                tokio::time::sleep(std::time::Duration::from_millis(20 << round)).await;
            }
        }
        Ok(())
    }

    /// The orders of a number, out of the orders' own index: there are hardly ever two.
    async fn ids_of_number(&self, number: &OrderNumber, from: OrderId, to: OrderId) -> Result<IdPage, StoreError> {
        let contacts = self.order_contacts(number).await?.into_iter();
        let mut orders: Vec<_> = contacts.map(|contact| contact.order).filter(|id| (from..=to).contains(id)).collect();
        orders.sort_unstable_by(|a, b| b.cmp(a));
        Ok(IdPage { orders, until: None })
    }

    /// An order that isn't where its item says, or has none yet: a claim has moved it, or it was deleted.
    async fn moved_order(&self, before: Option<Owner>, id: OrderId) -> Result<Option<Order>, StoreError> {
        match self.order_owner(id).await? {
            Some(owner) if before.as_ref() != Some(&owner) => {
                let items = self.batch_items(READ, &self.tables.orders, vec![order_key(id, &owner)], true).await?;
                Ok(items.into_iter().find_map(readable))
            }
            _ => Ok(None),
        }
    }
}
