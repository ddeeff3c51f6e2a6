//! Thousands of requests that nobody means well with, on every route: what Redis keeps of them, and what it does for one
//! of them, stays what it was for the first. `HOSTILE_REQUESTS` says how many a route gets; docs name 10,000.

use std::{collections::BTreeMap, sync::Arc};

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use shared::http::route::{CallerKind, Route};
use tests::{
    event::Event,
    race::at_once,
    world::{Setup, Shopper, World, california, confirmation, id_of, to_tokyo, total_of},
};
use uuid::Uuid;

/// Requests under way at the same time: some of them change one session, and must not get in each other's way for long.
const AT_ONCE: usize = 16;
/// Requests whose cost is compared: before all others, and after them.
const PROBES: u64 = 32;
/// What may be kept in Redis because of one route's hostile requests: what one container remembers as absent, twice,
/// because two of its periods may overlap, and what the caller owns.
const MOST_KEYS: usize = 2 * 100 + 40;
const MOST_BYTES: u64 = 400 * 1024;
/// The largest key: a hash full of pages with the one order there is.
const MOST_BYTES_OF_ONE: u64 = 200 * 1024;
/// An accepted request in the log of a limit.
const MOST_BYTES_OF_A_REQUEST: u64 = 256;

fn requests() -> usize {
    std::env::var("HOSTILE_REQUESTS").ok().map_or(300, |text| text.parse().expect("a number"))
}

/// Who sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callers {
    /// One guest at one address.
    OneGuest,
    /// A guest id for each request, from one address.
    GuestsOfOneAddress,
    /// A guest id for each request, and an address.
    GuestsFromEverywhere,
}

/// The victim of it all, who has an open session and an order; and the attacker with theirs.
struct Scene {
    world: Arc<World>,
    attacker: Shopper,
    user: Shopper,
    own: Value,
    own_order: String,
    others: Value,
    others_order: String,
}

impl Scene {
    async fn open(setup: Setup) -> Arc<Self> {
        let world = setup.own_redis().build().await;
        let attacker = world.guest();
        let victim = world.guest();
        let order = |order: Value| order["orderId"].as_str().unwrap().to_owned();
        Arc::new(Self {
            own_order: order(attacker.buy(&[("espresso-beans", 1)]).await),
            others_order: order(victim.buy(&[("espresso-beans", 1)]).await),
            own: attacker.fill_cart(&[("espresso-beans", 1)]).await,
            others: victim.fill_cart(&[("espresso-beans", 1)]).await,
            user: world.user("mallory"),
            attacker,
            world,
        })
    }

    fn caller(&self, callers: Callers, route: Route, nth: usize) -> Shopper {
        // Accounts can't be invented.
        let signed_in = route.spec().caller == CallerKind::SignedIn;
        let known = if signed_in { self.user.clone() } else { self.attacker.clone() };
        let invented = || known.clone().known_as_guest(&Uuid::new_v4().to_string());
        let [.., high, low] = nth.to_be_bytes();
        match callers {
            Callers::OneGuest => known,
            _ if signed_in => known,
            Callers::GuestsOfOneAddress => invented(),
            Callers::GuestsFromEverywhere => invented().from_address(&format!("198.19.{high}.{low}")),
        }
    }

    /// The n-th of the requests: nonsense, what isn't there, what is someone else's, and what is theirs.
    fn event(&self, caller: &Shopper, route: Route, nth: usize) -> Event {
        let (id, order) = (Uuid::new_v4().to_string(), Uuid::now_v7().to_string());
        let session = [id.as_str(), id_of(&self.own), id_of(&self.others)][nth % 3];
        let order = match nth % 8 {
            6 => &self.own_order,
            7 => &self.others_order,
            _ => &order,
        };
        let about = json!({"checkoutId": session});
        let with = |more: Value| {
            let mut body = about.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let nonsense = [json!({}), json!({"a".repeat(1000): nth}), json!([nth])][nth % 3].clone();
        if nth % 4 == 3 && route.method() != "GET" {
            return caller.event_about(route, order).json(&nonsense);
        }
        let event = caller.event_about(route, if route.path().contains("{checkoutId}") { session } else { order });
        match route {
            Route::Initiate => event.json(&json!({"cartItems": [{"productId": id, "quantity": 1}]})),
            Route::UpdateItems => {
                event.json(&with(json!({"cartItems": [{"productId": "espresso-beans", "quantity": 1 + nth % 9}]})))
            }
            Route::UpdateAddress => {
                let places = [california(), to_tokyo()["shippingAddress"].clone()];
                event.json(&with(json!({"shippingAddress": places[nth / 3 % 2]})))
            }
            Route::ApplyCoupon => event.json(&with(json!({"couponCode": format!("TRY{nth}")}))),
            Route::ConfirmOrder => event.json(&confirmation(session, total_of(&self.own) + 1)),
            Route::ListOrders => {
                let limit = (1 + nth % 100).to_string();
                let event = event.query("limit", limit);
                if nth.is_multiple_of(2) { event.query("cursor", Uuid::now_v7().to_string()) } else { event }
            }
            Route::UpdateOrderStatus => event.json(&json!({"status": "cancelled"})),
            Route::CorrectOrder => event.json(&json!({
                "customerInfo": {"email": format!("a{nth}@example.com")}, "shippingAddress": {"postalCode": "94105"},
                "reason": "a typo"
            })),
            Route::ReceiveStock => event
                .json(&json!({"quantity": 1 + nth, "reference": format!("DN-{}", nth % 9), "reason": "a delivery"})),
            Route::RefundOrder => event.json(&json!({"refundId": id})),
            Route::CreateFulfillment => {
                event.json(&json!({"fulfillmentId": id, "items": [{"line": 0, "quantity": 1}]}))
            }
            Route::CreateReturn => event.json(&json!({"returnId": id, "items": [{"line": 0, "quantity": 1}]})),
            Route::UpdateReturn => event.json(&json!({"status": "received"})),
            Route::LookupOrder => {
                event.json(&json!({"orderNumber": order, "email": format!("a{}@example.com", nth % 9)}))
            }
            Route::PaymentWebhook => {
                event.header("stripe-signature", format!("t={nth},v1=00")).json(&json!({"id": id}))
            }
            Route::Claim => event.json(&json!({"guestId": id})),
            Route::CalculateShippingPreview => event.json(&json!({
                "cartItems": [{"productId": "espresso-beans", "quantity": 1 + nth % 9}],
                "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}
            })),
            Route::CancelOrder | Route::CaptureOrder => event,
            _ if route.method() == "GET" => event,
            _ => event.json(&about),
        }
    }

    async fn send(self: &Arc<Self>, callers: Callers, route: Route, count: usize) -> BTreeMap<u16, usize> {
        let mut statuses = BTreeMap::new();
        for begin in (0..count).step_by(AT_ONCE) {
            let answers = at_once(AT_ONCE.min(count - begin), |nth| {
                let scene = Arc::clone(self);
                async move {
                    let caller = scene.caller(callers, route, begin + nth);
                    let event = scene.event(&caller, route, begin + nth);
                    caller.send(route, &event).await.status()
                }
            });
            for status in answers.await {
                *statuses.entry(status).or_default() += 1;
            }
        }
        statuses
    }

    /// What Redis does for a few requests, one after the other: commands, those inside of scripts included.
    async fn cost(self: &Arc<Self>, redis: &mut MultiplexedConnection, callers: Callers, route: Route) -> u64 {
        let before = commands_done(redis).await;
        for nth in 0..PROBES {
            let nth = usize::try_from(nth).unwrap();
            let caller = self.caller(callers, route, nth);
            caller.send(route, &self.event(&caller, route, nth)).await;
        }
        // Asking is a command too.
        commands_done(redis).await - before - 1
    }
}

async fn commands_done(redis: &mut MultiplexedConnection) -> u64 {
    let text: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
    let calls = text.lines().filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok());
    calls.sum()
}

/// Bytes and seconds to live of every key.
async fn kept(world: &World, redis: &mut MultiplexedConnection) -> BTreeMap<String, (u64, i64)> {
    let mut kept = BTreeMap::new();
    for key in world.keys.all() {
        let name = format!("{}{key}", world.keys.prefix());
        let bytes: Option<u64> = redis::cmd("MEMORY").arg("USAGE").arg(&name).query_async(redis).await.unwrap();
        let life: i64 = redis::cmd("PTTL").arg(&name).query_async(redis).await.unwrap();
        // It may have expired in between.
        if let Some(bytes) = bytes.filter(|_| life != -2) {
            kept.insert(key, (bytes, life));
        }
    }
    kept
}

async fn every_route_costs_what_it_cost_at_first(setup: fn() -> Setup) {
    for callers in [Callers::OneGuest, Callers::GuestsOfOneAddress, Callers::GuestsFromEverywhere] {
        let scene = Scene::open(setup()).await;
        let mut redis = scene.world.keys.connection().await;
        for route in Route::ALL {
            scene.world.keys.clear();
            // The server knows the scripts.
            scene.send(callers, route, 8).await;
            let first = scene.cost(&mut redis, callers, route).await;
            let statuses = scene.send(callers, route, requests()).await;
            let last = scene.cost(&mut redis, callers, route).await;
            let kept = kept(&scene.world, &mut redis).await;

            let what = format!("{callers:?} {}: {statuses:?}, {first} then {last} commands", route.function());
            assert!(statuses.keys().all(|status| *status < 500), "{what}");
            // What was a hit may be a miss later, when a hash that is full has started anew.
            assert!(last <= 2 * first + PROBES, "{what}");
            // The log of a limit is as long as the limit is high, and there is one for each caller.
            let is_log = |key: &str| key.starts_with("checkout:") && !key.starts_with("checkout:session:");
            let most_of_a_log = u64::try_from(requests() + 200).unwrap() * MOST_BYTES_OF_A_REQUEST;
            for (key, (bytes, life)) in &kept {
                assert!(*life > 0, "{what}: {key} never ends");
                let most = if is_log(key) { most_of_a_log } else { MOST_BYTES_OF_ONE };
                assert!(*bytes <= most, "{what}: {key} takes {bytes} bytes");
            }
            let rest: Vec<u64> = kept.iter().filter(|(key, _)| !is_log(key)).map(|(_, (bytes, _))| *bytes).collect();
            let (keys, bytes) = (rest.len(), rest.iter().sum::<u64>());
            assert!(
                keys <= MOST_KEYS && bytes <= MOST_BYTES,
                "{what}: {keys} keys of {bytes} bytes: {:?}",
                kept.keys()
            );
            let logs = kept.keys().filter(|key| is_log(key)).count();
            assert!(callers == Callers::GuestsFromEverywhere || logs <= 4, "{what}: {logs} logs");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_passes_the_limits_leaves_no_more_behind_than_a_little() {
    every_route_costs_what_it_cost_at_first(|| Setup::default().unlimited()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_refused_by_the_limits_leaves_nothing_behind() {
    every_route_costs_what_it_cost_at_first(Setup::default).await;
}

/// The limit's verdict comes first: a caller who is over it makes Redis do nothing but say so.
#[tokio::test]
async fn who_is_over_the_limit_holds_nothing() {
    let scene = Scene::open(Setup::default().setting("RATE_LIMIT_CONFIRM_ORDER", "3/300")).await;
    let lists = |guest: &str| format!("orders:{guest}");
    let guest = scene.world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let body = confirmation(id_of(&session), total_of(&session) + 1);
    for _ in 0..3 {
        guest.post(Route::ConfirmOrder, &body).await.refused(409, "TOTAL_CHANGED");
    }
    scene.world.keys.clear();
    // The log went too: it fills up again.
    for body in [&json!({}), &json!({}), &json!({}), &body, &body] {
        guest.post(Route::ConfirmOrder, body).await;
    }
    guest.post(Route::ConfirmOrder, &body).await.refused(429, "RATE_LIMITED");
    let kept = scene.world.keys.all();
    assert!(!kept.contains(&lists(guest.guest_id())), "{kept:?}");
}
