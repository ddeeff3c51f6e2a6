//! What each step costs: Redis round trips, Redis commands in them, calls to `DynamoDB`.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    event::Event,
    world::{Answer, Setup, World, california, cart, total_of},
};

/// At most one round trip before the use case, and one after; where an order changes, the one before it is the hold on
/// its cache. `get-order` and `list-orders` take theirs to look and to fill.
const EXPECTED: [(&str, Cost); 21] = [
    ("initiate", Cost { trips: 2, commands: 2, dynamodb: 3 }),
    ("get-session", Cost { trips: 1, commands: 1, dynamodb: 0 }),
    ("update-address", Cost { trips: 2, commands: 2, dynamodb: 3 }),
    ("calculate-shipping, offers", Cost { trips: 1, commands: 2, dynamodb: 2 }),
    ("calculate-shipping, choice", Cost { trips: 2, commands: 3, dynamodb: 3 }),
    ("calculate-tax", Cost { trips: 1, commands: 2, dynamodb: 2 }),
    ("apply-coupon", Cost { trips: 2, commands: 3, dynamodb: 3 }),
    ("remove-coupon", Cost { trips: 2, commands: 2, dynamodb: 3 }),
    ("confirm-order", Cost { trips: 2, commands: 5, dynamodb: 3 }),
    ("confirm-order, again", Cost { trips: 2, commands: 5, dynamodb: 1 }),
    ("get-order, miss", Cost { trips: 2, commands: 2, dynamodb: 1 }),
    ("get-order, hit", Cost { trips: 1, commands: 1, dynamodb: 0 }),
    ("get-order, unknown", Cost { trips: 2, commands: 2, dynamodb: 1 }),
    ("get-order, unknown again", Cost { trips: 1, commands: 1, dynamodb: 0 }),
    ("list-orders, miss", Cost { trips: 2, commands: 2, dynamodb: 1 }),
    ("list-orders, hit", Cost { trips: 1, commands: 1, dynamodb: 0 }),
    ("cancel-order", Cost { trips: 2, commands: 4, dynamodb: 2 }),
    ("update-order-status", Cost { trips: 2, commands: 4, dynamodb: 3 }),
    ("claim, three sessions and orders", Cost { trips: 6, commands: 14, dynamodb: 12 }),
    ("calculate-shipping-preview", Cost { trips: 1, commands: 1, dynamodb: 2 }),
    ("health", Cost { trips: 1, commands: 1, dynamodb: 1 }),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    trips: u64,
    commands: u64,
    dynamodb: usize,
}

struct Costs<'a> {
    world: &'a Arc<World>,
    table: Vec<(&'static str, Cost)>,
}

impl Costs<'_> {
    /// Makes a step, and notes what it costs.
    async fn of(&mut self, name: &'static str, status: u16, step: impl Future<Output = Answer>) -> Value {
        self.world.dynamodb.forget_calls();
        let before = self.world.redis.traffic();
        let answer = step.await;
        assert_eq!(answer.status(), status, "{name}: {:#}", answer.body());
        let after = self.world.redis.traffic();
        let cost = Cost {
            trips: after.requests - before.requests,
            commands: after.commands - before.commands,
            dynamodb: self.world.dynamodb.calls().len(),
        };
        self.table.push((name, cost));
        answer.body().clone()
    }
}

/// A growth of any of these is a growth of every checkout's cost and time.
#[tokio::test]
async fn every_step_costs_what_it_cost() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let staff = world.staff();
    // The connection is there, and the server knows the scripts.
    let first = guest.buy(&[("cbd-tea", 1)]).await;
    let first = first["orderId"].as_str().unwrap();
    guest.order(first).await.expect(200);
    guest.cancel(first).await.expect(200);
    let mut costs = Costs { world: &world, table: Vec::new() };

    let session = costs.of("initiate", 201, guest.initiate(&[("espresso-beans", 2)])).await;
    let checkout = session["checkoutId"].as_str().unwrap();
    costs.of("get-session", 200, guest.session(checkout)).await;
    costs.of("update-address", 200, guest.ship_to(checkout, &california())).await;
    costs.of("calculate-shipping, offers", 200, guest.shipping_offers(checkout)).await;
    costs.of("calculate-shipping, choice", 200, guest.choose_shipping(checkout, "us-standard")).await;
    costs.of("calculate-tax", 200, guest.tax(checkout)).await;
    costs.of("apply-coupon", 200, guest.apply_coupon(checkout, "SAVE20")).await;
    let session = costs.of("remove-coupon", 200, guest.remove_coupon(checkout)).await;
    let total = total_of(&session);
    let confirmed = costs.of("confirm-order", 201, guest.confirm(checkout, total)).await;
    costs.of("confirm-order, again", 200, guest.confirm(checkout, total)).await;
    let order = confirmed["order"]["orderId"].as_str().unwrap();
    costs.of("get-order, miss", 200, guest.order(order)).await;
    costs.of("get-order, hit", 200, guest.order(order)).await;
    let unknown = "01936b2e-0000-7000-8000-000000000000";
    costs.of("get-order, unknown", 404, guest.order(unknown)).await;
    costs.of("get-order, unknown again", 404, guest.order(unknown)).await;
    costs.of("list-orders, miss", 200, guest.orders()).await;
    costs.of("list-orders, hit", 200, guest.orders()).await;
    costs.of("cancel-order", 200, guest.cancel(order)).await;
    let other = guest.buy(&[("espresso-beans", 1)]).await;
    let other = other["orderId"].as_str().unwrap();
    costs.of("update-order-status", 200, staff.set_status(other, "processing")).await;
    let user = world.user("ada");
    let claim = json!({"guestId": guest.guest_id()});
    costs.of("claim, three sessions and orders", 200, user.post(Route::Claim, &claim)).await;
    let preview = json!({"cartItems": cart(&[("espresso-beans", 2)]), "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}});
    let previewed = guest.post(Route::CalculateShippingPreview, &preview);
    costs.of("calculate-shipping-preview", 200, previewed).await;
    let health = Event::get("/api/v1/checkout/health");
    costs.of("health", 200, world.call("health", health.request())).await;

    assert_eq!(costs.table, EXPECTED);
}
