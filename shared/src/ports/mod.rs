// Over 400 lines because each capability says here what it does when its store is down.
//! What the use cases need from the outside: small traits, one a capability, each saying what it does when its
//! store is down. `DynamoDB` decides everything; Redis only makes it fast.

mod decline_places;
pub mod diagnosis;
mod due;
mod payments;
mod stored_responses;

use std::{future::Future, time::Duration};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{
    block::Blocks,
    cart_issue::CartIssue,
    catalog::{CatalogQuery, CatalogSnapshot},
    ids::{CheckoutId, OrderId, Owner, UserId},
    limit::{Decision, Policy},
    open::OpenLimit,
    order::{Order, OrderStatus},
    session::Session,
};

pub use crate::domain::open::Release;

pub use decline_places::DeclinePlaces;
pub use due::{DueOrder, DueOrders, DuePage, DueRun};
pub use payments::{
    AboutOrder, CardTerms, CardUnavailable, Charge, EventRefusal, PaymentError, Payments, ProviderEvent,
    ProviderEvents, SeenEvents,
};
pub use stored_responses::{Kept, StoredResponse, StoredResponses};

/// A store refused, broke, or gave no answer before its deadline. After a write, this means that the write may or
/// may not have taken effect: every caller must be safe to repeat.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct StoreError {
    pub operation: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Others wrote to the same items all the time, until there was no more time. The store is well; nothing was written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("others were writing to the same items until there was no more time")]
pub struct Contention;

impl StoreError {
    pub fn contention(operation: &'static str) -> Self {
        Self { operation, source: Contention.into() }
    }

    /// Whether it is no fault of the store's.
    pub fn is_contention(&self) -> bool {
        self.source.is::<Contention>()
    }
}

/// Names one attempt at one change, so that a retry after a lost answer knows its own work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeId(pub Uuid);

/// A copy of a session out of the cache.
#[derive(Clone, Debug)]
pub struct CachedSession {
    pub session: Session,
    /// When the database was last known to hold just this.
    pub verified_at: OffsetDateTime,
}

/// A session as loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub session: Session,
    /// A trusted copy answered; it may be older than the database by the trust window.
    pub from_cache: bool,
}

/// What became of a conditional write.
#[derive(Clone, Debug)]
pub enum Saved<T> {
    Done,
    /// Someone else changed it first; what they made of it, where the store told.
    Conflict(Option<Box<T>>),
    /// Another request with the same idempotency key was answered first.
    AlreadyAnswered,
}

/// Sessions, kept in `DynamoDB` and copied to Redis. With Redis down every load is a consistent database read.
/// With `DynamoDB` down, loads that a trusted copy can't answer and all writes are errors.
pub trait Sessions: Sync {
    /// The session, from `cached` while that may be trusted, else from the database. Fills no cache.
    fn load(
        &self,
        id: CheckoutId,
        cached: Option<CachedSession>,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send;

    /// After a read: notes the activity where that is due, and refreshes the copy. Best effort; failures are logged.
    fn touch(&self, loaded: Loaded, now: OffsetDateTime) -> impl Future<Output = Session> + Send;

    /// Stores a new session, and with it the stored response of the request that opened it.
    fn create(
        &self,
        session: &Session,
        change: ChangeId,
        stored_response: Option<&StoredResponse>,
        deadline: tokio::time::Instant,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;

    /// The sessions of an owner, of which some may not be theirs any more. One opened in the last moment may be missing:
    /// an index answers, and follows the table.
    fn owned_by(&self, owner: &Owner) -> impl Future<Output = Result<Vec<CheckoutId>, StoreError>> + Send;

    /// Replaces the session, open or completed, that had the version before this one's.
    fn transfer(
        &self,
        session: &Session,
        change: ChangeId,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;

    /// Replaces the open session that had the version before this one's.
    fn save(
        &self,
        session: &Session,
        change: ChangeId,
    ) -> impl Future<Output = Result<Saved<Session>, StoreError>> + Send;
}

/// The shop's products and rules, read-only. An error when the database is down: prices are never guessed.
pub trait Catalog: Sync {
    fn snapshot(&self, query: &CatalogQuery) -> impl Future<Output = Result<CatalogSnapshot, StoreError>> + Send;
}

/// Everything that becomes true at once when a customer confirms.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    pub order: &'a Order,
    /// The session as completed, one version after the one that was priced.
    pub session: &'a Session,
    pub change: ChangeId,
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

/// Orders in `DynamoDB`, under their owner. Reads are strongly consistent. Errors when the database is down.
pub trait Orders: Sync {
    /// Order, session, stock, coupon and stored_response in one transaction: all of it or nothing. Conflicts with other
    /// transactions are retried until `deadline`.
    fn place(
        &self,
        placement: Placement<'_>,
        deadline: tokio::time::Instant,
    ) -> impl Future<Output = Result<Placed, StoreError>> + Send;

    /// None also when the order is someone else's.
    fn get(&self, owner: &Owner, id: OrderId) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    /// A page of the owner's orders.
    fn list(&self, owner: &Owner, filter: &OrderFilter) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;

    /// Moves an order, as it is to be, from its owner to a new one, with the owner's uses of its coupons and its
    /// place among the open orders: in one transaction, if it still has the version before.
    fn transfer(
        &self,
        order: &Order,
        from: &Owner,
        change: ChangeId,
        deadline: tokio::time::Instant,
    ) -> impl Future<Output = Result<Saved<Order>, StoreError>> + Send;

    /// Replaces the order that had the version before this one's; what it gives back goes back in the same transaction:
    /// once, because the version moves on.
    fn save(
        &self,
        order: &Order,
        change: ChangeId,
        release: Release,
        stored_response: Option<&StoredResponse>,
        deadline: tokio::time::Instant,
    ) -> impl Future<Output = Result<Saved<Order>, StoreError>> + Send;

    /// Like [`Orders::save`] for an order that begins to wait for its customer: in the same transaction it is counted
    /// for its source address, if that may have one more.
    fn wait(
        &self,
        order: &Order,
        change: ChangeId,
        deadline: tokio::time::Instant,
    ) -> impl Future<Output = Result<Waits, StoreError>> + Send;
}

/// What became of an order that is to wait for its customer.
#[derive(Clone, Debug)]
pub enum Waits {
    Saved(Saved<Order>),
    /// Its source address has as many open unpaid orders as this allows. Nothing was written.
    TooManyOpenOrders(OpenLimit),
}

/// Finding an order without knowing whose it is: for staff, and for the provider's events.
pub trait OrderIndex: Sync {
    fn owner_of(&self, id: OrderId) -> impl Future<Output = Result<Option<Owner>, StoreError>> + Send;
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

/// Orders for showing: through the cache. `looked` is what the admission found there for this request, if it looked. With
/// Redis down every read goes to the database.
pub trait OrderViews: Sync {
    fn order(
        &self,
        owner: &Owner,
        id: OrderId,
        request: ChangeId,
        looked: Option<OrderLook>,
    ) -> impl Future<Output = Result<Option<Order>, StoreError>> + Send;

    fn orders(
        &self,
        owner: &Owner,
        filter: &OrderFilter,
        request: ChangeId,
        looked: Option<OrderLook>,
    ) -> impl Future<Output = Result<OrderPage, StoreError>> + Send;
}

/// Keeping the cache in step with changes of orders. `request` names the request that makes the change. Best effort: a
/// failure is logged; where the cache heard neither of a change's beginning nor of its end, the asked lives out its time.
pub trait OrderCache: Sync {
    /// Before orders are changed or moved: drops their entries and every cached list of the owners, and lets nothing new
    /// be cached until the change is over. Whoever dies in between leaves nothing old behind. Also after a change of
    /// which nobody knows whether it took effect, or still will.
    fn changing(&self, owners: &[&Owner], ids: &[OrderId], request: ChangeId) -> impl Future<Output = ()> + Send;

    /// After orders changed: drops their entries, and every cached list of the owners. With them the places of a card
    /// that was tried and not declined go back.
    fn changed(
        &self,
        owners: &[&Owner],
        ids: &[OrderId],
        request: ChangeId,
        free: &[Limit],
    ) -> impl Future<Output = ()> + Send;

    /// After an order was placed: drops every cached list of its owner, and replaces the session's copy.
    fn placed(&self, placement: Placement<'_>, request: ChangeId) -> impl Future<Output = ()> + Send;
}

/// What to ask Redis before the use case runs.
#[derive(Clone, Debug)]
pub struct AdmissionRequest {
    /// Names this request: asked twice because an answer was lost, it counts once.
    pub request: ChangeId,
    /// All of them must admit the request.
    pub limits: Vec<Limit>,
    /// Of a request that may try a card: see [`DeclinePlaces`]. These refuse the card, and not the request.
    pub declines: Vec<Limit>,
    /// What the caller may be blocked by: address and user id, as the limits count them.
    pub callers: Vec<String>,
    pub session: Option<CheckoutId>,
    /// What the caller wants to see of their orders.
    pub view: Option<(Owner, OrderView)>,
}

/// A limit that a request falls under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub key: LimitKey,
    pub policy: Policy,
    /// As how many requests it counts; 1 to the policy's count.
    pub cost: u32,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// The route's own limit: of a caller, or of an address.
    Route,
    /// All signed-in callers of one address, beside the limit of each.
    Address,
    /// Declined cards.
    Declines,
}

impl LimitKind {
    /// As headers and logs call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "default",
            Self::Address => "address",
            Self::Declines => "declines",
        }
    }
}

/// Who is limited on which route: `{user id or IP address}:{METHOD}:{path}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);

/// What Redis said.
#[derive(Debug, Default)]
pub struct AdmissionResult {
    /// Of each limit, in order. If one refused, nothing is counted against the others.
    pub decisions: Vec<Decision>,
    pub places: DeclinePlaces,
    /// What staff have decided of the callers.
    pub blocks: Vec<Blocks>,
    pub cached: Option<CachedSession>,
    pub looked: Option<OrderLook>,
}

/// The limits, who is blocked, and the cached session or orders, in one round trip. With Redis down this container
/// counts alone, which refuses nothing that Redis would have allowed; it blocks whom it has seen blocked; and there is no
/// cached session.
pub trait Admission: Sync {
    fn admit(&self, asked: &AdmissionRequest) -> impl Future<Output = AdmissionResult> + Send;

    /// Takes a request out of counts that had allowed it. Best effort.
    fn refund(&self, limits: &[Limit], request: ChangeId) -> impl Future<Output = ()> + Send;
}

/// Who a verified token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: UserId,
    pub is_staff: bool,
}

/// Why a token proves nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// For people; never says more than the bearer may know.
    #[error("{0}")]
    Refused(&'static str),
    #[error("the keys to verify tokens with can't be had right now")]
    KeysUnavailable,
}

/// Verifying bearer tokens. With the keys out of reach a token is neither accepted nor refused.
pub trait Identities: Sync {
    fn verify(&self, token: &str) -> impl Future<Output = Result<Identity, IdentityError>> + Send;
}

/// Whether a store answered, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Up(Duration),
    /// It answers, and takes no writes: it is full, say, or a replica.
    RefusesWrites(Duration),
    Down,
}

/// How calls to the payment provider have ended lately. Nobody asks the provider for this: the functions that pay leave
/// a note when it fails them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentsPulse {
    /// None has failed in the last two minutes.
    NoFailures,
    /// The last one that failed did so this long ago.
    Failing(Duration),
    /// The note could not be read.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    pub redis: Pulse,
    pub dynamodb: Pulse,
    pub payments: PaymentsPulse,
}

/// The state of the stores.
pub trait Health: Sync {
    fn pulse(&self) -> impl Future<Output = Pulses> + Send;
}
