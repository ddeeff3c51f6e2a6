//! Orders, and their copies that callers are shown.

use std::{collections::BTreeMap, future::Future};

use tokio::time::Instant;

use crate::{
    domain::{
        cart_issue::CartIssue,
        counter::{Counter, PartUnits},
        ids::{OrderId, Owner},
        open::{OpenLimit, Release},
        order::{Order, OrderStatus},
        order_number::OrderNumber,
        session::Session,
    },
    ports::{ChangeId, Contact, DeclinePlaces, Saved, StoreError, StoredResponse},
};

/// One attempt of a request at a change.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub request: ChangeId,
    /// The id of this attempt among those of the request.
    pub change: ChangeId,
    /// Conflicts with other transactions are retried until this time.
    pub deadline: Instant,
    /// Decline places that are given back with the change, unless a card was declined.
    pub places: &'a DeclinePlaces,
}

/// Everything that one transaction writes when a customer confirms.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    pub order: &'a Order,
    /// The completed session, one version after the one that was priced.
    pub session: &'a Session,
    pub stored_response: Option<&'a StoredResponse>,
    /// The number of parts of each counter that has several.
    pub parts: &'a BTreeMap<Counter, u8>,
}

/// The result of a placement. Only `Done` has written anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// What was taken from the parts of counters that have several. It is a part of the order that was written.
    Done(BTreeMap<Counter, Vec<PartUnits>>),
    /// The session is no longer the one that was priced.
    SessionChanged,
    AlreadyAnswered,
    /// One issue for each SKU with too little stock.
    OutOfStock(Vec<CartIssue>),
    CouponLimitReached,
    CouponAlreadyUsed,
    /// The caller or the source address has reached this limit of open orders or of units in them.
    TooManyOpenOrders(OpenLimit),
}

/// Which of an owner's orders to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    /// 1 to 100.
    pub limit: u16,
    /// Begin after this order, with the next older one.
    pub after: Option<OrderId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// Newest first.
    pub orders: Vec<Order>,
    /// The `after` of the next page, if there may be one.
    pub next: Option<OrderId>,
}

/// The result of saving an order that waits for its customer's authentication.
#[derive(Clone, Debug)]
pub enum Waits {
    Saved(Saved<Order>),
    /// Its source address has reached this limit of open orders. Nothing was written.
    TooManyOpenOrders(OpenLimit),
}

/// An order as its new owner gets it, and its owner before.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub order: Order,
    pub from: Owner,
    pub change: ChangeId,
}

/// The part of the order cache that a request wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderView {
    One(OrderId),
    Page(OrderFilter),
}

/// The result of a read of the order cache.
#[derive(Clone, Debug, Default)]
pub struct OrderLook {
    pub document: Option<String>,
    /// The lease to fill this entry: given to one reader if the entry is empty or will soon expire.
    pub token: Option<String>,
    /// The entry is empty, and another reader has just got the lease to fill it.
    pub is_being_filled: bool,
}

/// Orders in `DynamoDB`, stored under their owner, with copies in Redis to show. With the database down every call is
/// an error; with Redis down every read goes to the database.
///
/// Each change of an order also clears its copies: during the change nothing is cached, and afterwards the old copies
/// are gone, even if the request dies in between. This is best effort: if a container can't reach Redis, an old copy
/// stays until it expires.
pub trait Orders: Sync {
    /// Writes order, session, stock, coupons and stored response in one transaction: all or nothing.
    fn place(
        &self,
        placement: Placement<'_>,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Placed, StoreError>> + Send;

    /// The order, strongly consistent. None also if it is someone else's.
    fn get(&self, owner: &Owner, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// A page of everything that the owner has, strongly consistent: with attempts whose card was declined, which must
    /// move to another owner too.
    fn list(&self, owner: &Owner, filter: &OrderFilter) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;

    /// An order to show, perhaps from the cache. `looked` is what the admission found in the cache, if it looked.
    fn shown(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        looked: Option<&OrderLook>,
    ) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// A page of orders to show, without attempts whose card was declined: see [`Orders::shown`].
    fn page_shown(
        &self,
        owner: &Owner,
        filter: &OrderFilter,
        request: ChangeId,
        looked: Option<&OrderLook>,
    ) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;

    /// The owner of an order, for staff and for the provider's events. It reads an index, which is eventually
    /// consistent.
    fn owner_of(&self, id: OrderId) -> impl Future<Output = Result<Option<Owner>, StoreError>> + Send;

    /// The orders of a number, with their customers' addresses: one read of an index, which is eventually consistent,
    /// whatever it finds.
    fn contacts(&self, number: &OrderNumber) -> impl Future<Output = Result<Vec<Contact>, StoreError>> + Send;

    /// Moves orders to a new owner, if each still has the version before. Each transaction also moves the owner's uses
    /// of its coupons and its place among the open orders. Returns one result for each, in order.
    fn transfer(
        &self,
        transfers: &[Transfer],
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Vec<Saved<Order>>, StoreError>> + Send;

    /// Replaces the order that had the version before this one's. `release` is given back in the same transaction:
    /// once, because the version changes.
    fn save(
        &self,
        order: &Order,
        release: Release,
        stored_response: Option<&StoredResponse>,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Saved<Order>, StoreError>> + Send;

    /// Like [`Orders::save`], for an order that begins to wait for its customer's authentication. In the same
    /// transaction it is counted for its source address, if that may have one more.
    fn wait(&self, order: &Order, attempt: Attempt<'_>) -> impl Future<Output = Result<Waits, StoreError>> + Send;

    /// Drops the copies of an order that is already as the request wants it: the request that changed it may have died,
    /// or not have reached Redis. It gives `places` back, if there are any.
    fn drop_copies(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        places: Option<&DeclinePlaces>,
    ) -> impl Future<Output = ()> + Send;
}
