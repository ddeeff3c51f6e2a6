//! Orders of any customer, as staff look for them, and making what they are found by anew.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use shared::{
    adapters::dynamodb::client::{Dynamo, failed},
    checkout::search::{self, FindOrders},
    domain::{ids::OrderId, order::Order, order_number::OrderNumber, order_search::OrderSearch},
    ports::{ChangeId, ChangedOrder, Indexed, OrderIndex as _, StoreError},
};
use tokio::time::Instant;
use uuid::Uuid;

/// The largest page of a search.
const PAGE: u16 = 100;
/// How long one order may take to be indexed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Orders that are indexed at once. The stream is indexed meanwhile, and must not be throttled by this.
const AT_ONCE: usize = 16;

/// The newest orders that a search finds, at most so many, and whether there may be more.
///
/// # Errors
/// [`StoreError`]
pub async fn find(store: &Dynamo, wanted: OrderSearch, most: usize) -> Result<(Vec<Order>, bool), StoreError> {
    let mut command = FindOrders { search: wanted, limit: PAGE, after: None };
    let mut orders = Vec::new();
    loop {
        let page = search::find(store, &command).await?;
        orders.extend(page.orders);
        command.after = page.next;
        if orders.len() > most || command.after.is_none() {
            let more = orders.len() > most;
            orders.truncate(most);
            return Ok((orders, more));
        }
    }
}

/// One order, by its id or its number.
///
/// # Errors
/// [`StoreError`]
pub async fn one(store: &Dynamo, named: &Named) -> Result<Option<Order>, StoreError> {
    match named {
        Named::Id(id) => match store.order_owner(*id).await? {
            Some(owner) => store.order(&owner, *id).await,
            None => Ok(None),
        },
        Named::Number(number) => {
            let wanted = OrderSearch { number: Some(number.clone()), ..OrderSearch::default() };
            Ok(find(store, wanted, 1).await?.0.pop())
        }
    }
}

/// How an operator names an order.
#[derive(Clone, Debug)]
pub enum Named {
    Id(OrderId),
    Number(OrderNumber),
}

impl std::str::FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let id = text.parse().map(Self::Id);
        id.or_else(|_| text.parse().map(Self::Number)).map_err(|_| "must be an order's id or its number")
    }
}

/// What became of all orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reindexed {
    /// Indexed now.
    pub done: usize,
    /// Indexed before.
    pub known: usize,
    /// The ids of those that can't be read.
    pub unreadable: Vec<String>,
}

/// Indexes every order of the table. Orders that are placed or changed meanwhile come by the stream. It reads the whole
/// table, so it is for an operator, and no request may do it. `told` hears how many orders were read so far.
///
/// # Errors
/// [`StoreError`]. It is safe to start again.
pub async fn reindex(store: &Dynamo, anew: bool, told: &dyn Fn(usize)) -> Result<Reindexed, StoreError> {
    const OPERATION: &str = "read all orders";
    let (mut all, mut start) = (Reindexed::default(), None);
    loop {
        let page = store.client.scan().table_name(&store.tables.orders).projection_expression("#owner, orderId");
        let page = page.expression_attribute_names("#owner", "owner").set_exclusive_start_key(start);
        let answer = page.send().await.map_err(failed(OPERATION))?;
        let orders = answer.items.unwrap_or_default().into_iter().map(|item| {
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            ChangedOrder { owner: text("owner"), id: text("orderId") }
        });
        let mut indexed = stream::iter(orders.map(|order| index(store, order, anew))).buffer_unordered(AT_ONCE);
        while let Some((order, became)) = indexed.next().await.transpose()? {
            match became {
                Indexed::Done => all.done += 1,
                Indexed::Known | Indexed::Gone => all.known += 1,
                Indexed::Unreadable => all.unreadable.push(order.id),
            }
            told(all.done + all.known + all.unreadable.len());
        }
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(all);
        }
    }
}

async fn index(store: &Dynamo, order: ChangedOrder, anew: bool) -> Result<(ChangedOrder, Indexed), StoreError> {
    if anew {
        store.forget_indexed_version(&order).await?;
    }
    let became = store.refresh(&order, ChangeId(Uuid::new_v4()), Instant::now() + PATIENCE).await?;
    Ok((order, became))
}
