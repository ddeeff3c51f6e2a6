//! The state machine, move by move.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{Answer, Setup, Shopper, World, for_staff};

use super::{order_id, statuses};

/// Every state: where it may go next, and how staff bring a new order there.
const STATES: [(&str, &[&str], &[&str]); 9] = [
    ("pending", &["confirmed", "cancelled"], &[]),
    ("confirmed", &["processing", "partially_shipped", "shipped", "cancelled"], &[]),
    ("processing", &["partially_shipped", "shipped", "cancelled"], &["processing"]),
    ("partially_shipped", &["shipped", "refunded"], &["processing", "partially_shipped"]),
    ("shipped", &["delivered", "returned", "refunded"], &["processing", "shipped"]),
    ("delivered", &["returned", "refunded"], &["processing", "shipped", "delivered"]),
    ("returned", &["refunded"], &["processing", "shipped", "delivered", "returned"]),
    ("cancelled", &[], &["cancelled"]),
    ("refunded", &[], &["processing", "shipped", "delivered", "refunded"]),
];

#[tokio::test]
async fn legal_moves_are_made_and_cancelling_is_the_one_that_gives_stock_back() {
    let world = Setup::default().unlimited().build().await;
    for (from, legal, way) in STATES {
        // Cash that wasn't received can't be paid back: orders::cash.
        let paid = |to: &&&str| **to != "refunded" || !["partially_shipped", "shipped"].contains(&from);
        for to in legal.iter().filter(paid) {
            let (guest, order) = order_in(&world, from, way).await;
            let stock = world.stock("espresso-beans").await;

            let moved = move_to(&world, &order, to).await;

            let moved = &moved["order"];
            assert_eq!((&moved["status"], statuses(moved).last()), (&json!(to), Some(to)), "{from} → {to}");
            assert_eq!(for_staff(&guest.order(&order).await.expect(200)["order"]), *moved);
            let given_back = if *to == "cancelled" { 2 } else { 0 };
            assert_eq!(world.stock("espresso-beans").await, stock + given_back, "{from} → {to}");
        }
    }
}

#[tokio::test]
async fn illegal_moves_are_refused_with_the_legal_ones_and_change_nothing() {
    let world = Setup::default().unlimited().build().await;
    for (from, legal, way) in STATES {
        let (guest, order) = order_in(&world, from, way).await;
        let before = guest.order(&order).await.expect(200);
        let stock = world.stock("espresso-beans").await;

        for (to, ..) in STATES.iter().filter(|(to, ..)| *to != from && !legal.contains(to)) {
            let answer = world.staff().set_status(&order, to).await;
            if *to == "partially_shipped" {
                answer.refused(409, "DECIDED_BY_FULFILLMENTS");
                continue;
            }
            let problem = answer.refused(409, "ILLEGAL_STATUS_CHANGE");
            assert_eq!(problem["allowed"], json!(legal), "{from} → {to}");
        }

        assert_eq!(guest.order(&order).await.expect(200), before, "{from}");
        assert_eq!(world.stock("espresso-beans").await, stock);
    }
}

#[tokio::test]
async fn a_move_to_where_the_order_is_changes_nothing() {
    let world = Setup::default().unlimited().build().await;
    for (state, _, way) in STATES {
        let (guest, order) = order_in(&world, state, way).await;
        let before = guest.order(&order).await.expect(200);
        let stock = world.stock("espresso-beans").await;

        let event = world.staff().event(Route::UpdateOrderStatus).path("orderId", &order);
        let event = event.json(&json!({"status": state}));
        let again = world.staff().send(Route::UpdateOrderStatus, &event).await.expect(200);

        assert_eq!(again["order"], for_staff(&before["order"]));
        assert_eq!(guest.order(&order).await.expect(200), before);
        assert_eq!(world.stock("espresso-beans").await, stock);
    }
}

#[tokio::test]
async fn a_customer_may_cancel_until_the_order_is_worked_on() {
    let world = Setup::default().unlimited().build().await;
    for (state, _, way) in STATES {
        let (guest, order) = order_in(&world, state, way).await;
        let before = guest.order(&order).await.expect(200);
        let stock = world.stock("espresso-beans").await;

        let answer = guest.cancel(&order).await;

        let given_back = match state {
            "pending" | "confirmed" => {
                assert_eq!(statuses(&answer.expect(200)["order"]).last(), Some(&"cancelled"));
                2
            }
            "cancelled" => {
                assert_eq!(answer.expect(200), before, "cancelled before: the same order");
                0
            }
            _ => {
                answer.refused(409, "ORDER_NOT_CANCELLABLE");
                assert_eq!(guest.order(&order).await.expect(200), before, "{state}");
                0
            }
        };
        assert_eq!(world.stock("espresso-beans").await, stock + given_back, "{state}");
    }
}

#[tokio::test]
async fn cash_is_paid_at_the_door_or_never() {
    let world = Setup::default().unlimited().build().await;
    for (state, _, way) in STATES {
        let (guest, order) = order_in(&world, state, way).await;

        let paid = match state {
            "delivered" | "returned" => "paid",
            "refunded" => "refunded",
            "cancelled" => "cancelled",
            _ => "pending",
        };
        assert_eq!(guest.order(&order).await.expect(200)["order"]["paymentStatus"], paid, "{state}");
    }
}

#[tokio::test]
async fn tracking_comes_with_the_shipment_and_may_be_corrected() {
    let world = World::new().await;
    let (guest, order) = order_in(&world, "confirmed", &[]).await;
    let parcel = |number: &str| json!({"trackingNumber": number, "carrier": "Swift Parcel"});

    set(&world, &order, "processing", &parcel("1Z1")).await.refused(409, "TRACKING_OUT_OF_PLACE");
    assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "confirmed");
    set(&world, &order, "processing", &json!({})).await.expect(200);
    let shipped = set(&world, &order, "shipped", &parcel("1Z1")).await.expect(200);
    let corrected = set(&world, &order, "shipped", &parcel("1Z2")).await.expect(200);
    set(&world, &order, "delivered", &parcel("1Z3")).await.refused(409, "TRACKING_OUT_OF_PLACE");
    let delivered = set(&world, &order, "delivered", &json!({})).await.expect(200);

    assert_eq!(
        (&shipped["order"]["trackingNumber"], &shipped["order"]["carrier"]),
        (&json!("1Z1"), &json!("Swift Parcel"))
    );
    assert_eq!(corrected["order"]["trackingNumber"], "1Z2");
    assert_eq!(statuses(&corrected["order"]), ["confirmed", "processing", "shipped"], "a correction is no move");
    assert_eq!(delivered["order"]["trackingNumber"], "1Z2");
    assert_eq!(for_staff(&guest.order(&order).await.expect(200)["order"]), delivered["order"]);
}

#[tokio::test]
async fn an_order_that_is_not_there_cannot_be_moved() {
    let world = World::new().await;
    let nothing = uuid::Uuid::nil().to_string();

    world.staff().set_status(&nothing, "processing").await.refused(404, "ORDER_NOT_FOUND");
    world.guest().cancel(&nothing).await.refused(404, "ORDER_NOT_FOUND");
}

async fn set(world: &Arc<World>, order: &str, status: &str, more: &Value) -> Answer {
    let mut body = more.clone();
    body["status"] = json!(status);
    let event = world.staff().event(Route::UpdateOrderStatus).path("orderId", order);
    world.staff().send(Route::UpdateOrderStatus, &event.json(&body)).await
}

/// A guest's order of two bags of beans in this state.
async fn order_in(world: &Arc<World>, state: &str, way: &[&str]) -> (Shopper, String) {
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 2)]).await;
    let id = order_id(&order).to_owned();
    if state == "pending" {
        // Orders that wait for a payment begin so; those paid in cash never do.
        make_pending(world, &guest, &id).await;
    }
    for step in way {
        move_to(world, &id, step).await;
    }
    (guest, id)
}

/// Brings an order into a state, by a parcel with one of its bags where staff can't say so.
async fn move_to(world: &Arc<World>, order: &str, to: &str) -> Value {
    if to == "partially_shipped" {
        return world.staff().fulfill(order, uuid::Uuid::new_v4(), &[[0, 1]]).await.expect(201);
    }
    world.staff().set_status(order, to).await.expect(200)
}

async fn make_pending(world: &World, guest: &Shopper, order: &str) {
    let update = world.tables.client().update_item().table_name(world.tables.name("ORDERS_TABLE"));
    let update = update
        .key("owner", AttributeValue::S(format!("guest#{}", guest.guest_id())))
        .key("orderId", AttributeValue::S(order.to_owned()))
        .update_expression("SET #status = :pending, history[0].#status = :pending")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":pending", AttributeValue::S("pending".to_owned()));
    update.send().await.unwrap();
}
