//! Finding orders for staff, and keeping what they are found by.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    checkout::request_context::RequestContext,
    domain::{cause, ids::OrderId, order::Order, order_search::OrderSearch},
    ports::{ChangedOrder, Entry, EntryQuery, Indexed, SearchEntries, StoreError},
};

/// The ids that the change of one order may use up.
const IDS: u32 = 1000;

/// The queries of one search, and the entries that each looks at. A search that finds little in so many goes on with
/// its cursor.
const MAX_QUERIES: usize = 10;
const LOOK_AT: u16 = 1000;
/// The orders that one search reads. An order may be as large as 400 kB.
const MAX_ORDERS: usize = 500;

/// A search, and where it begins.
#[derive(Clone, Debug)]
pub struct FindOrders {
    pub search: OrderSearch,
    /// 1 to 100.
    pub limit: u16,
    /// Begin after this order, with the next older one.
    pub after: Option<OrderId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundOrders {
    /// Newest first.
    pub orders: Vec<Order>,
    /// The `after` of the next page, if there may be one.
    pub next: Option<OrderId>,
}

/// A page of the orders that a search finds. It is full while there are more, unless the search has looked at all that
/// it may look at: then it says where to go on.
///
/// # Errors
/// [`StoreError`] if the table can't be read.
pub async fn find(search: &impl SearchEntries, command: &FindOrders) -> Result<FoundOrders, StoreError> {
    let wanted = usize::from(command.limit);
    let term = command.search.narrowest();
    let mut found: Vec<Order> = Vec::new();
    let mut after = command.after;
    let mut orders_read = 0;
    for _ in 0..MAX_QUERIES {
        let Some((from, to)) = command.search.range(after) else {
            return Ok(FoundOrders { orders: found, next: None });
        };
        let OrderSearch { status, payment_status, .. } = command.search;
        let page = search.entries(EntryQuery { term: &term, from, to, status, payment_status, look_at: LOOK_AT });
        let page = page.await?;
        let mut entries: VecDeque<Entry> = page.entries.into();
        while !entries.is_empty() {
            // One more than wanted shows whether there is another page.
            let missing = (wanted + 1).saturating_sub(found.len());
            let some: Vec<Entry> = entries.drain(..missing.min(entries.len())).collect();
            let orders = search.read(&some).await?;
            found.extend(orders.into_iter().filter(|order| command.search.finds(order)));
            if found.len() > wanted {
                found.truncate(wanted);
                let next = found.last().map(|order| order.id);
                return Ok(FoundOrders { orders: found, next });
            }
            orders_read += some.len();
            if orders_read >= MAX_ORDERS {
                let looked_at = some.last().map(|entry| entry.order).filter(|_| !entries.is_empty());
                return Ok(FoundOrders { orders: found, next: looked_at.or(page.next) });
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(FoundOrders { orders: found, next: after })
}

/// What became of changed orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexRun {
    pub done: usize,
    /// Nothing was left to do for them.
    pub known: usize,
    pub unreadable: usize,
    /// The positions of those that must come again.
    pub failed: Vec<usize>,
}

/// Keeps what these orders are found by: see [`SearchEntries::refresh`]. One that fails holds up no other.
pub async fn index(search: &impl SearchEntries, context: &RequestContext<()>, changed: &[ChangedOrder]) -> IndexRun {
    let mut run = IndexRun::default();
    let mut seen = BTreeSet::new();
    for (at, order) in changed.iter().enumerate() {
        // Each is read as it is now, so once is enough.
        if !seen.insert(order) {
            run.known += 1;
            continue;
        }
        let ids = context.request().attempt(u32::try_from(at).unwrap_or_default().saturating_mul(IDS));
        match search.refresh(order, ids, context.deadline).await {
            Ok(Indexed::Done) => run.done += 1,
            Ok(Indexed::Known | Indexed::Gone) => run.known += 1,
            Ok(Indexed::Unreadable) => run.unreadable += 1,
            Err(error) => {
                tracing::error!(order = order.id, error = cause::chain(&error), "The order could not be indexed");
                seen.remove(order);
                run.failed.push(at);
            }
        }
    }
    run
}
