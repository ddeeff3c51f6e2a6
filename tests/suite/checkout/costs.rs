//! What each step costs: Redis round trips, Redis commands in them, calls to `DynamoDB`, calls to Stripe.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    event::Event,
    world::{Answer, Setup, World, california, cart, id_of, total_of},
};

/// One round trip before the use case, for the limits and the blocks, and with them what the cache has of the session or
/// of the orders; and at most one after. Where an order changes there is the hold on its cache too, which on
/// `confirm-order` leaves beside the database's read of the catalog.
const EXPECTED: [(&str, Cost); 34] = [
    ("initiate", cost(2, 3, 3, 0)),
    ("get-session", cost(1, 3, 0, 0)),
    ("update-items", cost(2, 4, 3, 0)),
    ("update-address", cost(2, 4, 3, 0)),
    ("calculate-shipping, offers", cost(1, 3, 2, 0)),
    ("calculate-shipping, choice", cost(2, 4, 3, 0)),
    ("calculate-tax", cost(1, 3, 2, 0)),
    ("apply-coupon", cost(2, 4, 3, 0)),
    ("remove-coupon", cost(2, 4, 3, 0)),
    ("confirm-order", cost(3, 6, 3, 0)),
    ("confirm-order, again", cost(2, 5, 1, 0)),
    ("get-order, miss", cost(2, 4, 1, 0)),
    ("get-order, hit", cost(1, 3, 0, 0)),
    ("get-order, unknown", cost(2, 4, 1, 0)),
    ("get-order, unknown again", cost(1, 3, 0, 0)),
    ("list-orders, miss", cost(2, 4, 1, 0)),
    ("list-orders, hit", cost(1, 3, 0, 0)),
    ("cancel-order", cost(3, 6, 2, 0)),
    ("update-order-status", cost(3, 6, 3, 0)),
    ("correct-order", cost(3, 6, 3, 0)),
    ("correct-order, a place", cost(3, 6, 7, 0)),
    ("receive-stock", cost(1, 2, 3, 0)),
    ("receive-stock, again", cost(1, 2, 2, 0)),
    ("claim, three sessions and orders", cost(6, 15, 13, 0)),
    ("calculate-shipping-preview", cost(1, 2, 2, 0)),
    ("list-regions", cost(1, 2, 1, 0)),
    ("list-products", cost(1, 2, 2, 0)),
    ("list-products, in the shop's currency", cost(1, 2, 3, 0)),
    ("get-product", cost(1, 2, 2, 0)),
    ("lookup-order", cost(1, 2, 2, 0)),
    ("lookup-order, unknown", cost(1, 2, 2, 0)),
    ("get-order, by a link", cost(1, 2, 2, 0)),
    ("cancel-order, by a link", cost(3, 6, 3, 0)),
    ("health", cost(2, 4, 1, 0)),
];

/// With a card an order is written twice: what is wanted, and what came of it. A card that may be declined takes its places
/// among the declines of its session, its caller and its address in the first round trip, and gives them back in the last
/// one: three commands each.
const EXPECTED_OF_CARDS: [(&str, Cost); 15] = [
    // With manual capture the payment is read once more: only then Stripe says how long the bank holds the amount.
    ("confirm-order", cost(5, 16, 4, 2)),
    ("confirm-order, again", cost(2, 11, 1, 0)),
    ("capture-order", cost(5, 10, 4, 1)),
    ("refund-order", cost(5, 10, 4, 1)),
    ("cancel-order, units", cost(5, 10, 3, 1)),
    ("create-fulfillment", cost(3, 6, 3, 0)),
    ("create-return", cost(3, 6, 2, 0)),
    ("update-return, received", cost(5, 10, 4, 1)),
    ("cancel-order", cost(5, 10, 3, 1)),
    ("confirm-order, declined", cost(6, 14, 5, 2)),
    ("confirm-order, the bank asks", cost(5, 16, 4, 2)),
    ("payment-webhook", cost(3, 6, 5, 1)),
    ("payment-webhook, again", cost(1, 2, 1, 0)),
    ("payment-webhook, nothing new", cost(1, 2, 4, 1)),
    ("payment-webhook, not ours", cost(1, 2, 0, 0)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    trips: u64,
    commands: u64,
    dynamodb: usize,
    stripe: u64,
}

const fn cost(trips: u64, commands: u64, dynamodb: usize, stripe: u64) -> Cost {
    Cost { trips, commands, dynamodb, stripe }
}

/// Of a row of the first table: round trips, commands, calls to `DynamoDB`, calls to Stripe.
pub(super) fn counted(name: &str) -> (u64, u64, usize, u64) {
    let row = EXPECTED.iter().find(|(row, _)| *row == name);
    let (_, cost) = row.unwrap_or_else(|| panic!("{name} is no row"));
    (cost.trips, cost.commands, cost.dynamodb, cost.stripe)
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
        let stripe = || self.world.stripe().proxy.traffic().requests;
        let asked_before = stripe();
        let answer = step.await;
        assert_eq!(answer.status(), status, "{name}: {:#}", answer.body());
        let after = self.world.redis.traffic();
        let cost = Cost {
            trips: after.requests - before.requests,
            commands: after.commands - before.commands,
            dynamodb: self.world.dynamodb.calls().len(),
            stripe: stripe() - asked_before,
        };
        self.table.push((name, cost));
        answer.body().clone()
    }
}

/// A growth of any of these is a growth of every checkout's cost and time.
#[tokio::test]
async fn every_step_costs_what_it_cost() {
    let world = Setup::default().unlimited().cards().build().await;
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
    costs.of("update-items", 200, guest.set_items(checkout, &[("espresso-beans", 1), ("gift-card-note", 1)])).await;
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
    let mail = json!({"customerInfo": {"email": "a@example.com"}, "reason": "a typo"});
    costs.of("correct-order", 200, staff.correct(other, &mail)).await;
    let place = json!({"shippingAddress": {"postalCode": "94110"}, "reason": "a typo"});
    costs.of("correct-order, a place", 200, staff.correct(other, &place)).await;
    costs.of("receive-stock", 201, staff.receive("espresso-beans", 500, "DN-1042")).await;
    costs.of("receive-stock, again", 200, staff.receive("espresso-beans", 500, "DN-1042")).await;
    let user = world.user("ada");
    let claim = json!({"guestId": guest.guest_id()});
    costs.of("claim, three sessions and orders", 200, user.post(Route::Claim, &claim)).await;
    let preview = json!({"cartItems": cart(&[("espresso-beans", 2)]), "shippingAddress": {"country": "US", "state": "CA", "postalCode": "94105"}});
    let previewed = guest.post(Route::CalculateShippingPreview, &preview);
    costs.of("calculate-shipping-preview", 200, previewed).await;
    let number = "RH83-HWTV-H8PB";
    costs.of("list-regions", 200, guest.send(Route::ListRegions, &guest.event(Route::ListRegions))).await;
    let products = guest.event(Route::ListProducts);
    let in_dollars = products.clone().query("currency", "USD");
    costs.of("list-products", 200, guest.send(Route::ListProducts, &in_dollars)).await;
    costs.of("list-products, in the shop's currency", 200, guest.send(Route::ListProducts, &products)).await;
    let one = guest.event_about(Route::GetProduct, "espresso-beans").query("currency", "USD");
    costs.of("get-product", 200, guest.send(Route::GetProduct, &one)).await;
    let linked = guest.buy(&[("espresso-beans", 1)]).await;
    let linked = linked["orderId"].as_str().unwrap();
    costs.of("lookup-order", 202, guest.look_up(linked, "ada@example.com")).await;
    let token = tests::world::link_token(&world, linked).await;
    costs.of("lookup-order, unknown", 202, guest.look_up(number, "ada@example.com")).await;
    let by_link = world.nobody().with_token(&token);
    costs.of("get-order, by a link", 200, by_link.order(linked)).await;
    costs.of("cancel-order, by a link", 200, by_link.cancel(linked)).await;
    let health = Event::get("/api/v1/checkout/health");
    costs.of("health", 200, world.call("health", health.request())).await;

    assert_eq!(costs.table, EXPECTED);
}

#[tokio::test]
async fn every_step_of_a_card_costs_what_it_cost() {
    let world = Setup::default().unlimited().cards().setting("PAYMENT_CAPTURE", "manual").build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let session = async |token: &str| {
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        (id_of(&session).to_owned(), total_of(&session), token.to_owned())
    };
    // The connections are there, and the server knows the scripts.
    let (checkout, total, token) = session("pm_card_visa").await;
    let first = guest.pay(&checkout, total, &token).await.expect(201);
    guest.cancel(first["order"]["orderId"].as_str().unwrap()).await.expect(200);
    let mut costs = Costs { world: &world, table: Vec::new() };

    let (checkout, total, token) = session("pm_card_visa").await;
    let paid = costs.of("confirm-order", 201, guest.pay(&checkout, total, &token)).await;
    costs.of("confirm-order, again", 200, guest.pay(&checkout, total, &token)).await;
    let order = paid["order"]["orderId"].as_str().unwrap();
    costs.of("capture-order", 200, staff.capture(order)).await;
    costs.of("refund-order", 200, staff.refund(order, uuid::Uuid::new_v4(), Some(100))).await;
    let (units, of) = (uuid::Uuid::new_v4(), session("pm_card_visa").await);
    costs.of("cancel-order, units", 200, guest.cancel_lines(order, units, &[[0, 1]])).await;
    costs.of("create-fulfillment", 201, staff.fulfill(order, units, &[[0, 1]])).await;
    costs.of("create-return", 201, guest.ask_return(order, units, &[[0, 1]])).await;
    let received = json!({"status": "received"});
    costs.of("update-return, received", 200, staff.decide_return(order, units, &received)).await;
    let paid = guest.pay(&of.0, of.1, &of.2).await.expect(201);
    let order = paid["order"]["orderId"].as_str().unwrap();
    staff.capture(order).await.expect(200);
    costs.of("cancel-order", 200, guest.cancel(order)).await;
    let (checkout, total, token) = session("pm_card_chargeCustomerFail").await;
    costs.of("confirm-order, declined", 402, guest.pay(&checkout, total, &token)).await;
    let (checkout, total, token) = session(&world.stripe().secured().await).await;
    let asked = costs.of("confirm-order, the bank asks", 202, guest.pay(&checkout, total, &token)).await;
    let payment = &asked["order"]["payment"];
    world.stripe().authenticate(payment["clientSecret"].as_str().unwrap(), true).await;
    let intent = world.stripe().intent_of(asked["order"]["orderId"].as_str().unwrap()).await.unwrap();
    let kind = "payment_intent.amount_capturable_updated";
    costs.of("payment-webhook", 200, world.tell("evt_1", kind, &intent)).await;
    costs.of("payment-webhook, again", 200, world.tell("evt_1", kind, &intent)).await;
    costs.of("payment-webhook, nothing new", 200, world.tell("evt_2", kind, &intent)).await;
    costs.of("payment-webhook, not ours", 200, world.tell("evt_3", "invoice.paid", &intent)).await;

    assert_eq!(costs.table, EXPECTED_OF_CARDS);
}
