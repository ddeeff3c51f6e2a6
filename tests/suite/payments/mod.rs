//! Cards: never paid without an order, never an order half done.

mod after_the_sale;
mod amounts;
mod backlog;
mod crashes;
mod currencies;
mod declines;
mod documented;
mod line_refunds;
mod lines;
mod lost_answers;
mod machine;
mod methods;
mod open_orders;
mod poison;
mod provider_truth;
mod purchase;
mod reconcile;
mod replaced;
mod saved_cards;
mod schedules;
mod secrets;
mod webhook;

use std::sync::Arc;

use serde_json::{Value, json};
use tests::world::{Answer, Setup, Shopper, Totals, World, id_of, is_unfinished, restocked, total_of};

/// Two bags of beans to California, with a coupon of which each customer has one.
const TOTAL: i64 = 4458;
const VISA: &str = "pm_card_visa";
/// A card that can be kept, and not charged.
const DECLINED: &str = "pm_card_chargeCustomerFail";

async fn shop() -> Arc<World> {
    Setup::default().unlimited().cards().build().await
}

/// A session that could be confirmed at once.
async fn ready(shopper: &Shopper) -> Value {
    let session = shopper.fill_cart(&[("espresso-beans", 2)]).await;
    let session = shopper.apply_coupon(id_of(&session), "ONEEACH").await.expect(200);
    assert_eq!(total_of(&session), TOTAL);
    session
}

async fn pay(shopper: &Shopper, session: &Value, token: &str) -> Answer {
    shopper.pay(id_of(session), total_of(session), token).await
}

/// A purchase with a good card. Returns the order.
async fn bought(shopper: &Shopper) -> Value {
    let session = ready(shopper).await;
    let mut answer = pay(shopper, &session, VISA).await.expect(201);
    answer["order"].take()
}

fn order_id(order: &Value) -> &str {
    order["orderId"].as_str().unwrap_or_else(|| panic!("no order: {order:#}"))
}

/// Status of the order, status of its payment.
fn state_of(order: &Value) -> (&str, &str) {
    let of = |name: &str| order[name].as_str().unwrap_or_else(|| panic!("no order: {order:#}"));
    (of("status"), of("paymentStatus"))
}

/// Bags of beans that were sold.
async fn sold(world: &World) -> u64 {
    let opened: i64 = world.opened("espresso-beans").iter().sum();
    (opened - world.left("espresso-beans").await).try_into().expect("no more than there were")
}

/// What the provider has taken for an order, in its own unit.
async fn assert_money(world: &World, order: &Value, currency: &str, amount: i64) {
    let intent = world.stripe().intent_of(order_id(order)).await.expect("a payment");
    assert_eq!((&intent["currency"], &intent["amount"]), (&json!(currency), &json!(amount)));
    assert_eq!(order["payment"]["capturedAmount"], amount);
}

/// What must be true whenever everybody has come to rest: each order that stands is paid once and whole, nothing is kept
/// for one that doesn't, and stock and coupons say the same.
async fn assert_books_balance(world: &World) {
    let totals = world.stripe().totals().await;
    let orders = world.stored_orders().await;
    let mut standing_units = 0;
    for order in &orders {
        let text = |name: &str| order[name].as_s().expect("a text").clone();
        let (id, status, payment) = (text("orderId"), text("status"), text("paymentStatus"));
        let Totals { captured, refunded, intents } = totals.get(&id).copied().unwrap_or_default();
        assert!(intents <= 1, "{id} was paid {intents} times");
        assert!(!is_unfinished(order), "{id} is {status}, {payment}, and waits for something");
        if status == "cancelled" {
            assert_eq!(captured - refunded, 0, "{id} is cancelled, {payment}, and {captured} was kept of it");
        } else {
            assert_ne!(status, "pending", "{id}, {payment}");
            standing_units += 2 - restocked(order);
            if payment == "paid" {
                assert_eq!((captured, refunded), (TOTAL, 0), "{id}");
            }
        }
    }
    world.assert_open_orders_add_up().await;
    assert_eq!(sold(world).await, standing_units, "stock says what the orders say");
    world.assert_parts_add_up("espresso-beans").await;
    let live = orders.iter().filter(|order| order["status"].as_s().is_ok_and(|status| status != "cancelled")).count();
    assert_eq!(world.own_uses("ONEEACH").await, [live, live], "coupons say what the orders say");
}
