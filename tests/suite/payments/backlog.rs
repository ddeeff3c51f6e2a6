//! What a run of the reconciler gets done with a slow provider: the real use case on stores of a few lines, in a time
//! that stands still while somebody works, so that the counts are exact.

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
        ids::{CheckoutId, OrderId, Owner},
        money::{Currency, Minor},
        order::{Actor, Order, OrderStatus, Step},
        payment::{Capture, Intent, IntentStatus, Payment, Refunded},
    },
    ports::{
        CachedSession, CardTerms, CardUnavailable, ChangeId, Charge, DeclinePlaces, DueOrder, DueOrders, DuePage,
        DueRun, Limit, Loaded, OrderCache, OrderFilter, OrderPage, Orders, PaymentError, Payments, Placed, Placement,
        Release, Saved, Sessions, StoreError, StoredResponse, Waits,
    },
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};
use tokio::time::Instant;
use uuid::Uuid;

const BEGIN: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const LIMIT: time::Duration = time::Duration::minutes(30);
/// As the template has it.
const RUN: Duration = Duration::from_secs(50);
const EVERY: Duration = Duration::from_secs(60);
/// What the provider takes for each call.
const LATENCY: Duration = Duration::from_secs(1);
const SHARDS: u8 = 8;

/// All stores and the provider.
#[derive(Debug, Default)]
struct Shop {
    orders: Mutex<BTreeMap<OrderId, Order>>,
    /// For which the provider never answers.
    hangs: Option<OrderId>,
    /// How often an order was put off.
    put_off: Mutex<BTreeMap<OrderId, u32>>,
    /// Calls of the provider: all, at this moment, and the most at one moment.
    calls: AtomicU32,
    at_once: AtomicU32,
    most_at_once: AtomicU32,
}

impl Shop {
    /// Orders that were placed evenly within so many minutes, and never paid: the provider was out.
    fn after_an_outage(orders: u32, minutes: u32) -> Self {
        let shop = Self::default();
        for nth in 0..orders {
            let placed_at = BEGIN + time::Duration::minutes(minutes.into()) * nth / orders;
            let order = placed(OrderId::new(Uuid::from_u128(u128::from(nth + 1))), placed_at);
            shop.orders.lock().unwrap().insert(order.id, order);
        }
        shop
    }

    async fn run(&self, now: OffsetDateTime) -> Reconciled {
        let (deadline, request) = (Instant::now() + RUN, Uuid::from_u128(now.unix_timestamp().unsigned_abs().into()));
        let places = &DeclinePlaces::default();
        let finisher =
            Finisher { sessions: self, orders: self, cache: self, payments: self, places, now, deadline, request };
        reconcile(self, finisher).await.expect("the index is there")
    }

    async fn asked<T>(&self, answer: T) -> T {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        tokio::time::sleep(LATENCY).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn open(&self) -> usize {
        self.orders.lock().unwrap().values().filter(|order| order.payment.due().is_some()).count()
    }
}

fn placed(id: OrderId, at: OffsetDateTime) -> Order {
    let text = include_str!("../../data/schema-1/order-confirmed.json");
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
    async fn place(&self, _: Placement<'_>, _: Instant) -> Result<Placed, StoreError> {
        unreachable!("nobody buys")
    }

    async fn get(&self, _: &Owner, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders.lock().unwrap().get(&id).cloned())
    }

    async fn list(&self, _: &Owner, _: &OrderFilter) -> Result<OrderPage, StoreError> {
        unreachable!("nobody looks")
    }

    async fn transfer(&self, _: &Order, _: &Owner, _: ChangeId, _: Instant) -> Result<Saved<Order>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn save(
        &self,
        order: &Order,
        _: ChangeId,
        _: Release,
        _: Option<&StoredResponse>,
        _: Instant,
    ) -> Result<Saved<Order>, StoreError> {
        let mut orders = self.orders.lock().unwrap();
        let stored = orders.get_mut(&order.id).expect("an order");
        if stored.version + 1 != order.version {
            return Ok(Saved::Conflict(Some(Box::new(stored.clone()))));
        }
        *stored = order.clone();
        Ok(Saved::Done)
    }

    async fn wait(&self, _: &Order, _: ChangeId, _: Instant) -> Result<Waits, StoreError> {
        unreachable!("no bank asks")
    }
}

impl OrderCache for Shop {
    async fn changing(&self, _: &[&Owner], _: &[OrderId], _: ChangeId) {}

    async fn changed(&self, _: &[&Owner], _: &[OrderId], _: ChangeId, _: &[Limit]) {}

    async fn placed(&self, _: Placement<'_>, _: ChangeId) {}
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

    async fn touch(&self, loaded: Loaded, _: OffsetDateTime) -> shared::domain::session::Session {
        loaded.session
    }

    async fn create(
        &self,
        _: &shared::domain::session::Session,
        _: ChangeId,
        _: Option<&StoredResponse>,
        _: Instant,
    ) -> Result<Saved<shared::domain::session::Session>, StoreError> {
        unreachable!("nobody shops")
    }

    async fn owned_by(&self, _: &Owner) -> Result<Vec<CheckoutId>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn transfer(
        &self,
        _: &shared::domain::session::Session,
        _: ChangeId,
    ) -> Result<Saved<shared::domain::session::Session>, StoreError> {
        unreachable!("nobody claims")
    }

    async fn save(
        &self,
        _: &shared::domain::session::Session,
        _: ChangeId,
    ) -> Result<Saved<shared::domain::session::Session>, StoreError> {
        unreachable!("nobody shops")
    }
}

impl Payments for Shop {
    fn terms(&self, _: Minor, _: Currency) -> Result<CardTerms, CardUnavailable> {
        unreachable!("nobody buys")
    }

    async fn pay(&self, charge: Charge<'_>) -> Result<Intent, PaymentError> {
        if self.hangs == Some(charge.order) {
            std::future::pending::<()>().await;
        }
        let status = IntentStatus::Captured(charge.amount);
        self.asked(Ok(Intent { id: format!("pi_{}", charge.order), status, client_secret: None })).await
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

    async fn capture(&self, _: &str) -> Result<Intent, PaymentError> {
        unreachable!("it is captured at once")
    }

    async fn refund(&self, _: &str, _: Uuid, _: Minor, _: Currency) -> Result<Refunded, PaymentError> {
        unreachable!("nobody wants it back")
    }
}

/// Ten minutes without the provider leave 600 orders. The first is given up half an hour after it was placed.
#[tokio::test(start_paused = true)]
async fn six_hundred_orders_are_paid_long_before_their_limit_with_a_provider_that_takes_a_second() {
    let shop = Shop::after_an_outage(600, 10);
    let begin = Instant::now();
    let mut now = BEGIN + time::Duration::minutes(11);
    let mut runs = 0;
    while shop.open() > 0 {
        assert!(runs < 2, "{} orders are left after {runs} runs", shop.open());
        shop.run(now).await;
        runs += 1;
        now += EVERY;
    }
    assert!(shop.orders.lock().unwrap().values().all(|order| order.status == OrderStatus::Confirmed));
    assert_eq!(shop.calls.load(Ordering::SeqCst), 600, "each was asked for once");
    assert_eq!(shop.most_at_once.load(Ordering::SeqCst), 16, "as many together as Stripe's limit allows");
    // 600 calls of a second, 16 at once.
    assert_eq!(begin.elapsed().as_secs(), 600_u64.div_ceil(16));
}

/// What one run has no time for, the next one begins with.
#[tokio::test(start_paused = true)]
async fn a_run_ends_in_time_and_the_next_goes_on_with_the_longest_waiting() {
    let shop = Shop::after_an_outage(2000, 10);
    let begin = Instant::now();
    let first = shop.run(BEGIN + time::Duration::minutes(11)).await;
    assert_eq!(begin.elapsed(), RUN);
    assert_eq!(first, Reconciled { settled: 16 * 50, open: 0, failed: 0 });
    assert!(shop.put_off.lock().unwrap().is_empty());
    let settled = |order: &Order| order.payment.due().is_none();
    let youngest_settled = shop.orders.lock().unwrap().values().filter(|o| settled(o)).map(|o| o.history[0].at).max();
    let oldest_left = shop.orders.lock().unwrap().values().filter(|o| !settled(o)).map(|o| o.history[0].at).min();
    assert!(youngest_settled <= oldest_left, "the longest waiting come first, whatever their shard");
    let second = shop.run(BEGIN + time::Duration::minutes(12)).await;
    assert_eq!(second.settled, 16 * 50);
}

/// An order that the provider never answers for has its own time, and costs nobody else theirs.
#[tokio::test(start_paused = true)]
async fn an_order_that_hangs_costs_its_own_time_only() {
    let hanging = OrderId::new(Uuid::from_u128(1));
    let shop = Shop { hangs: Some(hanging), ..Shop::after_an_outage(300, 10) };
    let begin = Instant::now();
    let done = shop.run(BEGIN + time::Duration::minutes(11)).await;
    assert_eq!(done, Reconciled { settled: 299, open: 1, failed: 0 });
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
    assert_eq!(*shop.put_off.lock().unwrap(), BTreeMap::from([(hanging, 1)]));
    // Each time later, until its limit decides.
    for minutes in 12..40 {
        shop.run(BEGIN + time::Duration::minutes(minutes)).await;
    }
    assert_eq!(shop.open(), 0);
    let places = shop.put_off.lock().unwrap()[&hanging];
    assert!((6..=10).contains(&places), "{places} in half an hour");
    assert_eq!(shop.orders.lock().unwrap()[&hanging].status, OrderStatus::Cancelled);
}
