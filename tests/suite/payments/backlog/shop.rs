//! The stores and the provider of a few lines: what the reconciler asks them for, and nothing else.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use shared::{
    adapters::stored::order::StoredOrder,
    checkout::{
        payment::Finisher,
        reconcile::{Reconciled, reconcile},
    },
    domain::{
        availability::Stocked,
        catalog::{CatalogQuery, CatalogSnapshot},
        ids::{CheckoutId, GuestId, OrderId, Owner, ProductId, UserId},
        money::{Currency, Minor},
        order::{Actor, Order, OrderStatus, Step},
        order_number::OrderNumber,
        payment::{Capture, Intent, IntentStatus, Ledger, Payment, PaymentIncident, PaymentMethod, Refunded},
        session::Session,
    },
    ports::{
        AboutOrder, Attempt, CachedSession, Catalog, ChangeId, Charge, Contact, DeclinePlaces, DueOrder, DueOrders,
        DuePage, DueRun, Kept, LinkRequest, LinkRequests, Loaded, MethodUnavailable, OrderFilter, OrderLook, OrderPage,
        Orders, PaymentError, PaymentTerms, Payments, Placed, Placement, ProductPage, ProviderEvent, RefundCall,
        Release, Saved, SeenEvents, Sessions, StoreError, StoredResponse, StoredResponses, Stores, Transfer, Waits,
    },
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};
use tokio::time::Instant;
use uuid::Uuid;

pub const BEGIN: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const LIMIT: time::Duration = time::Duration::minutes(30);
/// As the template has it.
pub const RUN: Duration = Duration::from_secs(50);
pub const EVERY: Duration = Duration::from_secs(60);
/// What the provider takes for each call.
const LATENCY: Duration = Duration::from_secs(1);
const SHARDS: u8 = 8;

/// All stores and the provider.
#[derive(Debug, Default)]
pub struct Shop {
    pub orders: Mutex<BTreeMap<OrderId, Order>>,
    /// For which the provider never answers.
    pub hangs: Option<OrderId>,
    /// How often an order was put off.
    pub put_off: Mutex<BTreeMap<OrderId, u32>>,
    /// Calls of the provider: all, at this moment, and the most at one moment.
    pub calls: AtomicU32,
    pub at_once: AtomicU32,
    pub most_at_once: AtomicU32,
}

impl Shop {
    /// Orders that were placed evenly within so many minutes, and never paid: the provider was out.
    pub fn after_an_outage(orders: u32, minutes: u32) -> Self {
        let shop = Self::default();
        for nth in 0..orders {
            let placed_at = BEGIN + time::Duration::minutes(minutes.into()) * nth / orders;
            let order = placed(OrderId::new(Uuid::from_u128(u128::from(nth + 1))), placed_at);
            shop.orders.lock().unwrap().insert(order.id, order);
        }
        shop
    }

    pub async fn run(&self, now: OffsetDateTime) -> Reconciled {
        let (deadline, request) = (Instant::now() + RUN, Uuid::from_u128(now.unix_timestamp().unsigned_abs().into()));
        let places = &DeclinePlaces::default();
        let finisher = Finisher { stores: self, places, now, deadline, request: ChangeId(request) };
        reconcile(finisher).await.expect("the index is there")
    }

    async fn asked<T>(&self, answer: T) -> T {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        tokio::time::sleep(LATENCY).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    pub fn open(&self) -> usize {
        self.orders.lock().unwrap().values().filter(|order| order.payment.due().is_some()).count()
    }
}

pub fn placed(id: OrderId, at: OffsetDateTime) -> Order {
    let text = include_str!("../../../data/schema-1/order-confirmed.json");
    let stored: StoredOrder = serde_json::from_str(text).expect("a saved document");
    let mut order: Order = stored.try_into().expect("an order");
    order.id = id;
    order.payment = Payment::by_card("pm_1".parse().expect("a token"), Capture::Automatic, at, LIMIT);
    order.status = OrderStatus::Pending;
    order.history = vec![Step { status: OrderStatus::Pending, at, actor: Actor::Customer, note: None }];
    order
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a time")
}

impl DueOrders for Shop {
    fn shards(&self) -> u8 {
        SHARDS
    }

    async fn due(&self, shard: u8, now: OffsetDateTime, after: Option<DueOrder>) -> Result<DuePage, StoreError> {
        let orders = self.orders.lock().unwrap();
        let entry = |order: &Order| {
            let due = order.payment.due().filter(|due| *due <= now)?;
            let [.., last] = order.id.uuid().into_bytes();
            let entry = DueOrder { owner: order.owner.to_string(), id: order.id.to_string(), due: text(due) };
            (last % SHARDS == shard).then_some(entry)
        };
        let mut due: Vec<_> = orders.values().filter_map(entry).collect();
        due.sort_by(|a, b| (&a.due, &a.id).cmp(&(&b.due, &b.id)));
        due.retain(|entry| after.as_ref().is_none_or(|after| (&entry.due, &entry.id) > (&after.due, &after.id)));
        let more = due.len() > 10;
        due.truncate(10);
        let next = due.last().filter(|_| more).cloned();
        Ok(DuePage { orders: due, next })
    }

    async fn put_off(
        &self,
        order: &DueOrder,
        until: impl Fn(u32) -> OffsetDateTime + Send,
    ) -> Result<Option<u32>, StoreError> {
        let id: OrderId = order.id.parse().expect("an id");
        let count = {
            let mut counts = self.put_off.lock().unwrap();
            let count = counts.entry(id).or_default();
            *count += 1;
            *count
        };
        let mut orders = self.orders.lock().unwrap();
        let card = orders.get_mut(&id).and_then(|order| order.payment.card.as_mut()).expect("a card");
        card.due = Some(until(count));
        Ok(Some(count))
    }

    fn note_oldest(&self, _: time::Duration) {}

    fn note(&self, _: DueRun) {}
}

impl Orders for Shop {
    async fn place(&self, _: Placement<'_>, _: Attempt<'_>) -> Result<Placed, StoreError> {
        unreachable!("nobody buys")
    }

    async fn get(&self, _: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders.lock().unwrap().get(&id).cloned())
    }

    async fn list(&self, _: &Owner, _: &OrderFilter) -> Result<OrderPage, StoreError> {
        unreachable!("nobody looks")
    }

    async fn shown(
        &self,
        _: &Owner,
        _: OrderId,
        _: ChangeId,
        _: Option<&OrderLook>,
    ) -> Result<Option<Order>, StoreError> {
        unreachable!("nobody looks")
    }

    async fn page_shown(
        &self,
        _: &Owner,
        _: &OrderFilter,
        _: ChangeId,
        _: Option<&OrderLook>,
    ) -> Result<OrderPage, StoreError> {
        unreachable!("nobody looks")
    }

    async fn owner_of(&self, _: OrderId) -> Result<Option<Owner>, StoreError> {
        unreachable!("the index of due orders names the owner")
    }

    async fn contacts(&self, _: &OrderNumber) -> Result<Vec<Contact>, StoreError> {
        unreachable!("nobody looks")
    }

    async fn transfer(&self, _: &[Transfer], _: Attempt<'_>) -> Result<Vec<Saved<Order>>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn save(
        &self,
        order: &Order,
        _: Release,
        _: Option<&StoredResponse>,
        _: Attempt<'_>,
    ) -> Result<Saved<Order>, StoreError> {
        let mut orders = self.orders.lock().unwrap();
        let stored = orders.get_mut(&order.id).expect("an order");
        if stored.version + 1 != order.version {
            return Ok(Saved::Conflict(Some(Box::new(stored.clone()))));
        }
        *stored = order.clone();
        Ok(Saved::Done)
    }

    async fn wait(&self, _: &Order, _: Attempt<'_>) -> Result<Waits, StoreError> {
        unreachable!("no bank asks")
    }

    async fn drop_copies(&self, _: &Owner, _: OrderId, _: ChangeId, _: Option<&DeclinePlaces>) {}
}

impl Sessions for Shop {
    async fn load(
        &self,
        _: CheckoutId,
        _: Option<CachedSession>,
        _: OffsetDateTime,
    ) -> Result<Option<Loaded>, StoreError> {
        Ok(None)
    }

    async fn touch(&self, loaded: Loaded, _: OffsetDateTime) -> Session {
        loaded.session
    }

    async fn create(
        &self,
        _: &Session,
        _: ChangeId,
        _: Option<&StoredResponse>,
        _: Instant,
    ) -> Result<Saved<Session>, StoreError> {
        unreachable!("nobody shops")
    }

    async fn owned_by(&self, _: &Owner) -> Result<Vec<CheckoutId>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn transfer(&self, _: &Session, _: ChangeId) -> Result<Saved<Session>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn save(&self, _: &Session, _: ChangeId) -> Result<Saved<Session>, StoreError> {
        unreachable!("nobody shops")
    }
}

impl Catalog for Shop {
    async fn snapshot(&self, _: &CatalogQuery) -> Result<CatalogSnapshot, StoreError> {
        unreachable!("nobody shops")
    }

    async fn page(&self, _: Option<&ProductId>, _: u16) -> Result<ProductPage, StoreError> {
        unreachable!("nobody shops")
    }

    async fn product(&self, _: &ProductId) -> Result<Option<Stocked>, StoreError> {
        unreachable!("nobody shops")
    }
}

impl StoredResponses for Shop {
    async fn find(&self, _: &str, _: Option<GuestId>, _: OffsetDateTime) -> Result<Kept, StoreError> {
        unreachable!("there is no request")
    }

    async fn store(&self, _: &StoredResponse, _: OffsetDateTime) -> Result<bool, StoreError> {
        unreachable!("there is no request")
    }

    async fn claimed(&self, _: GuestId, _: &UserId, _: OffsetDateTime, _: OffsetDateTime) -> Result<(), StoreError> {
        unreachable!("nobody claims")
    }
}

impl SeenEvents for Shop {
    async fn seen(&self, _: &str, _: OffsetDateTime) -> Result<bool, StoreError> {
        unreachable!("the provider tells nothing")
    }

    async fn note(&self, _: &str, _: OffsetDateTime) -> Result<(), StoreError> {
        unreachable!("the provider tells nothing")
    }

    async fn note_unknown(&self, _: &ProviderEvent, _: &AboutOrder, _: OffsetDateTime) -> Result<(), StoreError> {
        unreachable!("the provider tells nothing")
    }
}

impl LinkRequests for Shop {
    async fn request_link(&self, _: &LinkRequest) -> Result<(), StoreError> {
        unreachable!("nobody asks for a link")
    }
}

impl Stores for Shop {
    type Sessions = Self;
    type Catalog = Self;
    type Orders = Self;
    type StoredResponses = Self;
    type Search = Self;
    type Customers = Self;
    type Payments = Self;
    type Stock = Self;

    fn sessions(&self) -> &Self {
        self
    }

    fn catalog(&self) -> &Self {
        self
    }

    fn orders(&self) -> &Self {
        self
    }

    fn stored_responses(&self) -> &Self {
        self
    }

    fn search(&self) -> &Self {
        self
    }

    fn customers(&self) -> &Self {
        self
    }

    fn payments(&self) -> &Self {
        self
    }

    fn stock(&self) -> &Self {
        self
    }
}

impl Payments for Shop {
    fn terms(&self, _: PaymentMethod, _: Minor, _: Currency) -> Result<PaymentTerms, MethodUnavailable> {
        unreachable!("nobody buys")
    }

    async fn pay(&self, charge: Charge<'_>) -> Result<Intent, PaymentError> {
        if self.hangs == Some(charge.order) {
            std::future::pending::<()>().await;
        }
        let status = IntentStatus::Captured(charge.amount);
        self.asked(Ok(Intent { id: format!("pi_{}", charge.order), status, action: None })).await
    }

    async fn look(&self, _: &str) -> Result<Intent, PaymentError> {
        unreachable!("it is paid at once")
    }

    async fn find(&self, _: OrderId, _: OffsetDateTime, _: OffsetDateTime) -> Result<Option<Intent>, PaymentError> {
        self.asked(Ok(None)).await
    }

    async fn cancel(&self, _: &str) -> Result<Intent, PaymentError> {
        unreachable!("it is paid at once")
    }

    async fn capture(&self, _: &str, _: Option<Minor>, _: Currency) -> Result<Intent, PaymentError> {
        unreachable!("it is captured at once")
    }

    async fn refund(&self, _: RefundCall<'_>) -> Result<Refunded, PaymentError> {
        unreachable!("nobody wants it back")
    }

    async fn ledger(&self, _: &str, _: Currency) -> Result<Ledger, PaymentError> {
        unreachable!("nothing is on its way back")
    }

    async fn order_of(&self, _: &str) -> Result<Option<AboutOrder>, PaymentError> {
        unreachable!("the provider tells nothing")
    }

    fn report(&self, _: OrderId, incident: &PaymentIncident) {
        unreachable!("nothing goes wrong: {incident:?}")
    }
}
