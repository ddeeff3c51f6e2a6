//! Finding orders for staff, and keeping what they are found by.

use std::collections::{BTreeSet, VecDeque};

use futures_util::{StreamExt as _, future::try_join_all, stream};
use tokio::time::timeout_at;

use crate::{
    checkout::request_context::RequestContext,
    domain::{
        cause,
        ids::OrderId,
        order::Order,
        order_search::{OrderSearch, SearchKey},
    },
    ports::{ChangedOrder, IdPage, Indexed, KeyQuery, OrderIndex, StoreError},
};

/// How often one search looks its keys up. A search that finds little in so many goes on with its cursor.
const MAX_ROUNDS: usize = 10;
/// The ids that are looked up at once: under one key, and under each of several that an order must have together.
const IDS: u16 = 100;
const IDS_OF_SEVERAL: u16 = 1000;
/// The orders that one search reads, and how many at once after the first. An order may be as large as 400 kB.
const MAX_ORDERS: usize = 500;
const ORDERS: usize = 100;
/// Orders that are indexed at once, and the ids that the change of one may use up.
const AT_ONCE: usize = 8;
const CHANGES: u32 = 1000;

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
/// [`StoreError`] if a table can't be read.
pub async fn find(index: &impl OrderIndex, command: &FindOrders) -> Result<FoundOrders, StoreError> {
    let wanted = usize::from(command.limit);
    let keys = command.search.keys();
    let limit = if keys.len() > 1 { IDS_OF_SEVERAL } else { IDS.max(command.limit + 1) };
    let mut found: Vec<Order> = Vec::new();
    let mut after = command.after;
    let mut orders_read = 0;
    for _ in 0..MAX_ROUNDS {
        let Some((from, to)) = command.search.range(after) else {
            return Ok(FoundOrders { orders: found, next: None });
        };
        let page = look_up(index, &keys, (from, to), limit).await?;
        let mut ids: VecDeque<OrderId> = page.orders.into();
        while !ids.is_empty() {
            // One more than wanted shows whether there is another page. Where few of those fit, more are read at once.
            let some = if orders_read == 0 { wanted + 1 } else { ORDERS };
            let some: Vec<OrderId> = ids.drain(..some.min(ids.len())).collect();
            let orders = index.read(&some).await?;
            found.extend(orders.into_iter().filter(|order| command.search.finds(order)));
            if found.len() > wanted {
                found.truncate(wanted);
                let next = found.last().map(|order| order.id);
                return Ok(FoundOrders { orders: found, next });
            }
            orders_read += some.len();
            if orders_read >= MAX_ORDERS {
                let looked_at = some.last().copied().filter(|_| !ids.is_empty());
                return Ok(FoundOrders { orders: found, next: looked_at.or(page.until) });
            }
        }
        after = page.until;
        if after.is_none() {
            break;
        }
    }
    Ok(FoundOrders { orders: found, next: after })
}

/// The orders that are under each key, as far as that is known. All keys are looked up at once.
async fn look_up(
    index: &impl OrderIndex,
    keys: &[SearchKey],
    (from, to): (OrderId, OrderId),
    limit: u16,
) -> Result<IdPage, StoreError> {
    let pages = keys.iter().map(|key| index.ids(KeyQuery { key, from, to, limit }));
    Ok(in_each(&try_join_all(pages).await?))
}

/// What is in each of these pages: the orders of the one that goes back farthest, without those that another doesn't have.
/// Where another doesn't go so far back, the orders themselves decide.
fn in_each(pages: &[IdPage]) -> IdPage {
    let Some(farthest) = pages.iter().min_by_key(|page| (page.until, page.orders.len())) else {
        return IdPage::default();
    };
    // Newest first, so the larger id comes before.
    let has = |page: &IdPage, id: &OrderId| page.orders.binary_search_by(|other| id.cmp(other)).is_ok();
    let may_have = |page: &IdPage, id: &OrderId| page.until.is_some_and(|until| *id < until) || has(page, id);
    let orders = farthest.orders.iter().filter(|id| pages.iter().all(|page| may_have(page, id))).copied().collect();
    IdPage { orders, until: farthest.until }
}

/// What became of changed orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexRun {
    pub done: usize,
    /// Nothing was left to do for them.
    pub known: usize,
    pub unreadable: usize,
    /// The positions of those that must come again, from the first.
    pub failed: Vec<usize>,
}

/// Keeps what these orders are found by: see [`OrderIndex::refresh`]. One that fails holds up no other.
pub async fn index(index: &impl OrderIndex, context: &RequestContext<()>, changed: &[ChangedOrder]) -> IndexRun {
    let mut run = IndexRun::default();
    let mut seen = BTreeSet::new();
    // Each is read as it is now, so once is enough. If that fails, Lambda sends the later records of it again too.
    let first = changed.iter().enumerate().filter(|(_, order)| seen.insert(*order));
    let orders: Vec<(usize, ChangedOrder)> = first.map(|(at, order)| (at, order.clone())).collect();
    run.known = changed.len() - orders.len();
    let refresh = |(at, order): (usize, ChangedOrder)| async move {
        let ids = context.request().attempt(u32::try_from(at).unwrap_or_default().saturating_mul(CHANGES));
        let became = timeout_at(context.deadline, index.refresh(&order, ids, context.deadline)).await;
        (at, order, became)
    };
    let mut refreshed = stream::iter(orders.into_iter().map(refresh)).buffer_unordered(AT_ONCE);
    while let Some((at, order, became)) = refreshed.next().await {
        let late = |_| StoreError { operation: "index order", source: "the run's time is over".into() };
        match became.map_err(late).flatten() {
            Ok(Indexed::Done) => run.done += 1,
            Ok(Indexed::Known | Indexed::Gone) => run.known += 1,
            Ok(Indexed::Unreadable) => run.unreadable += 1,
            Err(error) => {
                tracing::error!(order = order.id, error = cause::chain(&error), "The order could not be indexed");
                run.failed.push(at);
            }
        }
    }
    run.failed.sort_unstable();
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(nth: u128) -> OrderId {
        OrderId::new(uuid::Uuid::from_u128(nth))
    }

    fn page(orders: &[u128], until: Option<u128>) -> IdPage {
        IdPage { orders: orders.iter().copied().map(id).collect(), until: until.map(id) }
    }

    #[test]
    fn what_is_in_each_page_is_no_order_that_one_of_them_lacks() {
        assert_eq!(in_each(&[page(&[9, 5, 1], None), page(&[8, 5], None)]), page(&[5], None));
        // The second has all, so the first need not be looked at any further: 2 and 1 are read.
        let rare = page(&[8, 5, 2, 1], None);
        assert_eq!(in_each(&[page(&[9, 8, 6, 4], Some(4)), rare]), page(&[8, 2, 1], None));
        // Neither has all: the second goes farther back.
        let far = page(&[9, 6, 5, 3], Some(3));
        assert_eq!(in_each(&[page(&[9, 7, 6], Some(6)), far]), page(&[9, 6, 5, 3], Some(3)));
        assert_eq!(in_each(&[page(&[7, 4], Some(4))]), page(&[7, 4], Some(4)));
        assert_eq!(in_each(&[page(&[7, 4], None), page(&[], None)]), page(&[], None));
    }
}
