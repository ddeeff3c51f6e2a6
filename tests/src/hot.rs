//! Buyers of one product, or with one coupon, who arrive at a rate, each with a transaction of its own, past HTTP: what they get
//! while the database's proxy models contention.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use shared::{
    app::App,
    domain::{
        counter::Counter,
        ids::{CheckoutId, GuestId, OrderId, Owner},
        order::Order,
        session::Session,
    },
    ports::{Attempt, ChangeId, DeclinePlaces, Orders as _, Placed, Placement, Sessions as _},
};
use time::OffsetDateTime;
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use crate::{
    dynamo_faults::Contention,
    world::{Setup, Shopper, World, id_of, limited, sample_catalog, stocked, total_of},
};

/// What everybody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Product,
    /// A coupon with a total limit, on a product of which there is plenty.
    Coupon,
}

/// What is sold, how, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    pub wanted: Wanted,
    pub parts: u8,
    /// Units, or uses.
    pub stock: u64,
    pub contention: Contention,
    pub buyers: usize,
    /// How many arrive in a second.
    pub rate: f64,
    /// When a buyer gives up.
    pub patience: Duration,
}

/// What came of a sale.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub sold: usize,
    pub busy: usize,
    pub sold_out: usize,
    /// Transactions of each buyer who bought, fewest first.
    pub attempts: Vec<usize>,
    pub left: i64,
    /// From the first arrival to the last purchase.
    pub took: Duration,
}

const SKU: &str = "limited-print";
/// Nobody counts how many there are.
const PLENTY: &str = "gift-card-note";
const COUPON: &str = "RUSH";

impl Outcome {
    /// So many transactions, or fewer, were enough for this share of those who bought.
    pub fn attempts_of(&self, percent: usize) -> usize {
        let at = (self.attempts.len() * percent).div_ceil(100).saturating_sub(1);
        self.attempts.get(at).copied().unwrap_or_default()
    }

    pub fn goodput(&self) -> f64 {
        u32::try_from(self.sold).map_or(f64::NAN, f64::from) / self.took.as_secs_f64()
    }
}

/// A buyer with a session that waits for its confirmation.
#[derive(Clone)]
struct Buyer {
    session: Session,
    order: Order,
}

/// Opens a shop, lets the buyers arrive, and counts.
pub async fn sell(sale: Sale) -> Outcome {
    let (counter, catalog) = match sale.wanted {
        Wanted::Product => {
            (Counter::Stock(SKU.parse().expect("a name")), stocked(sample_catalog(), SKU, sale.stock + 1, sale.parts))
        }
        Wanted::Coupon => {
            (Counter::Coupon(COUPON.parse().expect("a code")), limited(COUPON, sale.stock + 1, sale.parts))
        }
    };
    let world = Setup::default().unlimited().catalog(catalog).build().await;
    let buyers = buyers(&world, sale).await;
    let sizes = BTreeMap::from([(counter, sale.parts)]);
    let sizes = Arc::new(if sale.parts > 1 { sizes } else { BTreeMap::new() });
    world.dynamodb.forget_calls();
    world.dynamodb.contend(Some(sale.contention));

    let began = Instant::now();
    let mut buying = JoinSet::new();
    for (nth, buyer) in (0_u32..).zip(buyers) {
        let (app, sizes) = (Arc::clone(world.app()), Arc::clone(&sizes));
        let arrival = began + Duration::from_secs_f64(f64::from(nth) / sale.rate);
        buying.spawn(async move {
            tokio::time::sleep_until(arrival).await;
            let id = buyer.order.id.to_string();
            (id, buy(&app, buyer, &sizes, arrival + sale.patience).await, Instant::now())
        });
    }
    let ended = buying.join_all().await;
    world.dynamodb.contend(None);
    let attempts = attempts(&world);
    let mut outcome = Outcome {
        sold: 0,
        busy: 0,
        sold_out: 0,
        attempts: Vec::new(),
        left: match sale.wanted {
            Wanted::Product => world.left(SKU).await,
            Wanted::Coupon => {
                i64::try_from(sale.stock + 1).expect("few")
                    - i64::try_from(world.coupon_uses(COUPON).await).expect("few")
            }
        },
        took: Duration::ZERO,
    };
    for (id, placed, at) in ended {
        match placed {
            Some(Placed::Done(_)) => {
                outcome.sold += 1;
                outcome.took = outcome.took.max(at - began);
                outcome.attempts.push(attempts.get(&id).copied().unwrap_or_default());
            }
            Some(Placed::OutOfStock(_) | Placed::CouponLimitReached) => outcome.sold_out += 1,
            Some(other) => panic!("{other:?}"),
            None => outcome.busy += 1,
        }
    }
    outcome.attempts.sort_unstable();
    outcome
}

/// How often each order was tried.
fn attempts(world: &World) -> BTreeMap<String, usize> {
    let mut attempts = BTreeMap::new();
    for call in world.dynamodb.calls() {
        let items = call.request["TransactItems"].as_array().into_iter().flatten();
        let mut puts = items.map(|item| &item["Put"]["Item"]);
        let order = puts.find(|put| put["orderNumber"]["S"].is_string());
        if let Some(id) = order.and_then(|put| put["orderId"]["S"].as_str()) {
            *attempts.entry(id.to_owned()).or_default() += 1;
        }
    }
    attempts
}

/// None if others were in the way until the patience was over.
async fn buy(app: &App, buyer: Buyer, parts: &BTreeMap<Counter, u8>, deadline: Instant) -> Option<Placed> {
    let Buyer { session, order } = buyer;
    let request = ChangeId(Uuid::new_v4());
    let (places, stored_response) = (DeclinePlaces::default(), None);
    let attempt = Attempt { request, change: request, deadline, places: &places };
    let placement = Placement { order: &order, session: &session, stored_response, parts };
    match app.orders.place(placement, attempt).await {
        Ok(became) => Some(became),
        // A table that takes no more is as busy as one item of it.
        Err(error) if error.is_contention() || format!("{error:?}").contains("ThrottlingError") => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Everyone with an open session of their own, made of one that came through the functions.
async fn buyers(world: &Arc<World>, sale: Sale) -> Vec<Buyer> {
    let guest = world.guest();
    let placed = first(&guest, sale.wanted).await;
    let session = guest.fill_cart(&[(PLENTY, 1)]).await;
    let owner: Owner = format!("guest#{}", guest.guest_id()).parse().expect("an owner");
    let id: OrderId = placed["orderId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let order = world.app().orders.get(&owner, id).await.expect("a read").expect("an order");
    let id: CheckoutId = id_of(&session).parse().expect("an id");
    let loaded = world.app().sessions.load(id, None, OffsetDateTime::now_utc()).await.expect("a read");
    let session = loaded.expect("a session").session;
    let mut buyers = JoinSet::new();
    for _ in 0..sale.buyers {
        let (app, mut session, mut order) = (Arc::clone(world.app()), session.clone(), order.clone());
        buyers.spawn(async move {
            session.id = CheckoutId::new(Uuid::new_v4());
            session.owner = Owner::Guest(GuestId::new(Uuid::new_v4()));
            let deadline = Instant::now() + Duration::from_secs(60);
            session.version = 1;
            app.sessions.create(&session, ChangeId(Uuid::new_v4()), None, deadline).await.expect("a session");
            order.id = OrderId::new(Uuid::new_v4());
            (order.owner, order.checkout) = (session.owner.clone(), session.id);
            order.reserved.parts.clear();
            order.open(None);
            session.complete(order.id, None);
            session.version = 2;
            Buyer { session, order }
        });
    }
    buyers.join_all().await
}

/// The order of the first who buys, as all others will be.
async fn first(guest: &Shopper, wanted: Wanted) -> serde_json::Value {
    match wanted {
        Wanted::Product => guest.buy(&[(SKU, 1)]).await,
        Wanted::Coupon => {
            let session = guest.fill_cart(&[(PLENTY, 1)]).await;
            let session = guest.apply_coupon(id_of(&session), COUPON).await.expect(200);
            let answer = guest.confirm(id_of(&session), total_of(&session)).await;
            answer.expect(201)["order"].clone()
        }
    }
}
