//! Orders, and the copies of them that callers are shown.

use std::future::Future;

use tokio::time::Instant;

use crate::{
    domain::{
        cart_issue::CartIssue,
        ids::{OrderId, Owner},
        open::{OpenLimit, Release},
        order::{Order, OrderStatus},
        session::Session,
    },
    ports::{ChangeId, DeclinePlaces, Saved, StoreError, StoredResponse},
};

/// One attempt of a request at a change.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub request: ChangeId,
    /// Names this attempt among those of the request.
    pub change: ChangeId,
    /// Conflicts with other transactions are retried until then.
    pub deadline: Instant,
    /// Places among the declines that go back with the change, unless a card was declined.
    pub places: &'a DeclinePlaces,
}

/// Everything that becomes true at once when a customer confirms.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    pub order: &'a Order,
    /// The session as completed, one version after the one that was priced.
    pub session: &'a Session,
    pub stored_response: Option<&'a StoredResponse>,
}

/// What became of a placement. Anything but `Done` left nothing behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    Done,
    /// The session is no longer the one that was priced.
    SessionChanged,
    AlreadyAnswered,
    /// One issue for each SKU of which too little is left.
    OutOfStock(Vec<CartIssue>),
    CouponLimitReached,
    CouponAlreadyUsed,
    /// The caller, or the source address, has as many open unpaid orders as this allows, or units in them.
    TooManyOpenOrders(OpenLimit),
}

/// Which of an owner's orders to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    /// 1 to 100.
    pub limit: u16,
    /// Continue after this order, in the direction of older ones.
    pub after: Option<OrderId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// Newest first.
    pub orders: Vec<Order>,
    /// Where the next page begins, if there may be one.
    pub next: Option<OrderId>,
}

/// What became of an order that is to wait for its customer.
#[derive(Clone, Debug)]
pub enum Waits {
    Saved(Saved<Order>),
    /// Its source address has as many open unpaid orders as this allows. Nothing was written.
    TooManyOpenOrders(OpenLimit),
}

/// An order as it is to be under its new owner, and whose it was.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub order: Order,
    pub from: Owner,
    pub change: ChangeId,
}

/// What of the order cache a request wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderView {
    One(OrderId),
    Page(OrderFilter),
}

/// What a look into the order cache found.
#[derive(Clone, Debug, Default)]
pub struct OrderLook {
    pub document: Option<String>,
    /// This caller is the one to fill it: because there is nothing, or because what there is will soon expire.
    pub token: Option<String>,
}

/// Orders in `DynamoDB`, under their owner, with copies in Redis for showing. An error when the database is down; with
/// Redis down every read goes to the database.
///
/// Whatever changes an order sees to its copies: while it is being changed nothing is cached, and afterwards the old
/// copies are gone, even if the request dies in between. That is best effort: a container that can't reach Redis can't
/// tell it, and then a copy lives out its time.
pub trait Orders: Sync {
    /// Order, session, stock, coupon and stored response in one transaction: all of it or nothing.
    fn place(
        &self,
        placement: Placement<'_>,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Placed, StoreError>> + Send;

    /// Strongly consistent. None also when the order is someone else's.
    fn get(&self, owner: &Owner, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// A page of the owner's orders, strongly consistent.
    fn list(&self, owner: &Owner, filter: &OrderFilter) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;

    /// An order for showing. `looked` is what the admission found in the cache for this request, if it looked.
    fn shown(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        looked: Option<OrderLook>,
    ) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// A page for showing: see [`Orders::shown`].
    fn page_shown(
        &self,
        owner: &Owner,
        filter: &OrderFilter,
        request: ChangeId,
        looked: Option<OrderLook>,
    ) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;

    /// Whose order it is: for staff, and for the provider's events. An index answers, and follows the table.
    fn owner_of(&self, id: OrderId) -> impl Future<Output = Result<Option<Owner>, StoreError>> + Send;

    /// Moves orders to a new owner, each in a transaction with the owner's uses of its coupons and its place among the
    /// open orders, if it still has the version before. Answers for each in turn.
    fn transfer(
        &self,
        transfers: &[Transfer],
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Vec<Saved<Order>>, StoreError>> + Send;

    /// Replaces the order that had the version before this one's; what it gives back goes back in the same transaction:
    /// once, because the version moves on.
    fn save(
        &self,
        order: &Order,
        release: Release,
        stored_response: Option<&StoredResponse>,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Saved<Order>, StoreError>> + Send;

    /// Like [`Orders::save`] for an order that begins to wait for its customer: in the same transaction it is counted
    /// for its source address, if that may have one more.
    fn wait(&self, order: &Order, attempt: Attempt<'_>) -> impl Future<Output = Result<Waits, StoreError>> + Send;

    /// An order is as it was wanted. Whoever made it so may have died, or not have reached Redis: its copies are dropped.
    /// `places` go back, if there are any.
    fn drop_copies(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        places: Option<&DeclinePlaces>,
    ) -> impl Future<Output = ()> + Send;
}
