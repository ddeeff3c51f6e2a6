//! The search table: which orders have something that staff search for. It is written from the stream of the orders,
//! so it is seconds behind them, and no purchase waits for it.

use std::future::Future;

use tokio::time::Instant;

use crate::{
    domain::{
        ids::{OrderId, Owner},
        order::{Order, OrderStatus},
        order_search::Term,
        payment::PaymentStatus,
    },
    ports::{ChangeId, StoreError},
};

/// Which entries to read.
#[derive(Clone, Copy, Debug)]
pub struct EntryQuery<'a> {
    pub term: &'a Term,
    /// The oldest and the newest order, both included.
    pub from: OrderId,
    pub to: OrderId,
    pub status: Option<OrderStatus>,
    pub payment_status: Option<PaymentStatus>,
    /// How many entries to look at, before those of another status are left out.
    pub look_at: u16,
}

/// An order that the table has under a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub order: OrderId,
    /// As far as the table knows: a claim may have moved the order since.
    pub owner: Owner,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// The last entry that was looked at, if there may be more after it.
    pub next: Option<OrderId>,
}

/// What became of the entries of an order.
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
pub trait SearchEntries: Sync {
    /// Eventually consistent.
    fn entries(&self, query: EntryQuery<'_>) -> impl Future<Output = Result<EntryPage, StoreError>> + Send;

    /// The orders of these entries, strongly consistent, in their sequence. What isn't there any more is left out, and
    /// so is what can't be read: that is logged.
    fn read(&self, entries: &[Entry]) -> impl Future<Output = Result<Vec<Order>, StoreError>> + Send;

    /// Reads an order, and makes its entries those of this version, unless the table knows a newer one. Entries that it
    /// has no more are deleted. Safe to repeat after an error, in any sequence. `change` and the thousand ids after it
    /// are its own.
    fn refresh(
        &self,
        order: &ChangedOrder,
        change: ChangeId,
        deadline: Instant,
    ) -> impl Future<Output = Result<Indexed, StoreError>> + Send;
}
