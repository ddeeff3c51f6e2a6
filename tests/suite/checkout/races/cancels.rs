//! Cancellations that meet each other, and the shop's own moves: what was reserved goes back exactly once.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race,
    world::{Setup, Shopper, World, for_staff, id_of, total_of},
};

use super::{Fleet, all_before_any};

#[tokio::test(flavor = "multi_thread")]
async fn of_20_cancels_at_once_one_gives_stock_and_coupon_back() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let fleet = Fleet::of(&world, 4);
        let (guest, order) = order_with_coupon(&world).await;
        assert_eq!((world.stock("espresso-beans").await, world.coupon_uses("ONCE").await), (100_000 - 3, 1));

        let answers = race::at_once(20, |racer| {
            let (guest, order) = (guest.clone().served_by(fleet.container(racer)), order.clone());
            async move { guest.cancel(&order).await.expect(200) }
        })
        .await;

        assert_cancelled_once(&world, &answers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_cancels_that_all_saw_the_order_standing_one_gives_stock_and_coupon_back() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let fleet = Fleet::of(&world, 4);
        let (guest, order) = order_with_coupon(&world).await;

        let answers = all_before_any(&world, "TransactWriteItems", 20, |racer| {
            let (guest, order) = (guest.clone().served_by(fleet.container(racer)), order.clone());
            async move { guest.cancel(&order).await.expect(200) }
        })
        .await;

        assert_cancelled_once(&world, &answers).await;
    }
}

async fn assert_cancelled_once(world: &World, answers: &[Value]) {
    assert_eq!(answers[0]["order"]["status"], "cancelled");
    assert_eq!(statuses(&answers[0]["order"]), ["confirmed", "cancelled"]);
    // Staff are not shown the guest's id.
    let shown = |answer: &Value| for_staff(&answer["order"]);
    assert!(answers.iter().all(|answer| shown(answer) == shown(&answers[0])), "{answers:#?}");
    assert_eq!(world.stock("espresso-beans").await, 100_000);
    assert_eq!(world.coupon_uses("ONCE").await, 0);
    assert_eq!(tests::world::number(&world.stored_orders().await[0], "version"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_and_staff_who_both_cancel_give_the_stock_back_once() {
    for parts in [1, 4] {
        let world = Setup::default().in_parts(parts).build().await;
        let fleet = Fleet::of(&world, 2);
        let (guest, order) = order_with_coupon(&world).await;

        let answers = all_before_any(&world, "TransactWriteItems", 2, |racer| {
            let shopper = if racer == 0 { guest.clone() } else { world.staff() };
            let (shopper, order) = (shopper.served_by(fleet.container(racer)), order.clone());
            async move {
                if racer == 0 { shopper.cancel(&order).await } else { shopper.set_status(&order, "cancelled").await }
                    .expect(200)
            }
        })
        .await;

        assert_cancelled_once(&world, &answers).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_cancel_meets_the_start_of_processing_the_stock_fits_whoever_won() {
    let world = Setup::default().unlimited().build().await;
    let fleet = Fleet::of(&world, 2);
    let mut stock = world.stock("espresso-beans").await;
    for round in 0..25 {
        let guest = world.guest();
        let order = guest.buy(&[("espresso-beans", 3)]).await;
        let order = order["orderId"].as_str().unwrap();

        let answers = race::at_once(2, |racer| {
            let shopper = if racer == 0 { guest.clone() } else { world.staff() };
            let (shopper, order) = (shopper.served_by(fleet.container(racer)), order.to_owned());
            async move {
                if racer == 0 { shopper.cancel(&order).await } else { shopper.set_status(&order, "processing").await }
            }
        })
        .await;

        let [cancel, process] = answers.try_into().unwrap();
        let status = if cancel.status() == 200 {
            let problem = process.refused(409, "ILLEGAL_STATUS_CHANGE");
            assert_eq!(problem["allowed"], json!([]));
            "cancelled"
        } else {
            cancel.refused(409, "ORDER_NOT_CANCELLABLE");
            process.expect(200);
            stock -= 3;
            "processing"
        };
        let order = guest.order(order).await.expect(200);
        assert_eq!(statuses(&order["order"]), ["confirmed", status], "round {round}");
        assert_eq!(world.stock("espresso-beans").await, stock, "round {round}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_after_processing_began_takes_nothing_back() {
    let world = World::new().await;
    let (guest, order) = order_with_coupon(&world).await;
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::Hold(gate.clone())));

    let cancelling = tokio::spawn({
        let (guest, order) = (guest.clone().served_by(&world.container()), order.clone());
        async move { guest.cancel(&order).await }
    });
    gate.arrived(1).await;
    world.staff().set_status(&order, "processing").await.expect(200);
    gate.open();

    cancelling.await.unwrap().refused(409, "ORDER_NOT_CANCELLABLE");
    assert_eq!((world.stock("espresso-beans").await, world.coupon_uses("ONCE").await), (100_000 - 3, 1));
    assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "processing");
}

#[tokio::test(flavor = "multi_thread")]
async fn processing_that_comes_after_a_cancel_is_refused() {
    let world = World::new().await;
    let (guest, order) = order_with_coupon(&world).await;
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("PutItem", Fault::Hold(gate.clone())).containing(order.clone()));

    let moving = tokio::spawn({
        let (staff, order) = (world.staff().served_by(&world.container()), order.clone());
        async move { staff.set_status(&order, "processing").await }
    });
    gate.arrived(1).await;
    guest.cancel(&order).await.expect(200);
    gate.open();

    moving.await.unwrap().refused(409, "ILLEGAL_STATUS_CHANGE");
    assert_eq!((world.stock("espresso-beans").await, world.coupon_uses("ONCE").await), (100_000, 0));
    assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "cancelled");
}

/// An order of three bags of beans with the coupon that only one may use.
async fn order_with_coupon(world: &Arc<World>) -> (Shopper, String) {
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 3)]).await;
    let session = guest.apply_coupon(id_of(&session), "ONCE").await.expect(200);
    let answer = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);
    (guest, answer["order"]["orderId"].as_str().unwrap().to_owned())
}

fn statuses(order: &Value) -> Vec<&str> {
    order["statusHistory"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect()
}
