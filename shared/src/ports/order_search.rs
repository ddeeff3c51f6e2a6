//! The search table: which orders have something that staff search for. It is written from the stream of the orders,
//! so it is seconds behind them, and no purchase waits for it.

use std::future::Future;

use tokio::time::Instant;

use crate::{
    domain::{ids::OrderId, order::Order, order_search::SearchKey},
    ports::{ChangeId, StoreError},
};

/// Which orders to look up under one key.
#[derive(Clone, Copy, Debug)]
pub struct KeyQuery<'a> {
    pub key: &'a SearchKey,
    /// The oldest and the newest order, both included.
    pub from: OrderId,
    pub to: OrderId,
    pub limit: u16,
}

/// Ids of orders, newest first, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdPage {
    pub orders: Vec<OrderId>,
    /// Older orders than this one weren't looked at. None if there are none.
    pub until: Option<OrderId>,
}

/// What became of a changed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexed {
    Done,
    /// The table has this version of the order already, or a newer one.
    Known,
    /// There is no such order under this owner any more: a claim or an erasure has moved it, which is a change of its own.
    Gone,
    /// This release can't read the order. It was logged and counted.
    Unreadable,
}

/// The key of an order that has changed, as its store names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedOrder {
    pub owner: String,
    pub id: String,
}

/// With the table down every call is an error. Nothing but the search needs it.
pub trait OrderIndex: Sync {
    /// Eventually consistent.
    fn ids(&self, query: KeyQuery<'_>) -> impl Future<Output = Result<IdPage, StoreError>> + Send;

    /// These orders, strongly consistent, in their sequence. What isn't there any more is left out, and so is what can't
    /// be read: that is logged.
    fn read(&self, ids: &[OrderId]) -> impl Future<Output = Result<Vec<Order>, StoreError>> + Send;

    /// Reads an order, and lets it be found by what it is now, unless the table knows a newer version. Safe to repeat after
    /// an error, in any sequence, and by several at once. `change` and the thousand ids after it are its own.
    fn refresh(
        &self,
        order: &ChangedOrder,
        change: ChangeId,
        deadline: Instant,
    ) -> impl Future<Output = Result<Indexed, StoreError>> + Send;
}
