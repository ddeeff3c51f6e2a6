//! Many who want the same at once: no outage, and no reason to come back at once.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use shared::{
    app::{App, Clock},
    http::route::Route,
};
use tests::{
    dynamo_faults::{Fault, Rule},
    world::{Answer, Setup, World, california, confirmation, id_of, total_of},
};

/// A container that gives a request up after so long.
fn hurried(world: &World, timeout: Duration) -> Arc<App> {
    let mut config = world.app().config.clone();
    config.times.request = timeout;
    Arc::new(App::new(config, Clock::System).expect("a container"))
}

const SOON: Duration = Duration::from_millis(1500);

fn remaining(answer: &Answer) -> u32 {
    answer.header("x-ratelimit-remaining").expect("a limit").parse().expect("a number")
}

/// It is told as what it is, and to nobody's debit but the one's who asked.
#[track_caller]
fn is_busy(answer: &Answer, left: u32) {
    let counts = answer.counts();
    assert_eq!((counts.contention, counts.dynamodb_degraded, counts.redis_degraded), (1, 0, 0), "{answer:#?}");
    assert_eq!(remaining(answer), left, "the attempt counts");
    let wait: u64 = answer.header("retry-after").expect("when to come back").parse().expect("seconds");
    assert!((2..=8).contains(&wait), "{wait}");
    answer.clone().refused(503, "BUSY");
}

/// Every write collides, whatever it is made with.
fn all_collide(world: &World) {
    for operation in ["PutItem", "UpdateItem", "TransactWriteItems"] {
        world.dynamodb.add(Rule::on(operation, Fault::TransactionConflict));
    }
}

#[tokio::test]
async fn a_hot_product_is_busy_and_not_an_outage() {
    for fault in [Fault::TransactionConflict, Fault::TransactionInProgress] {
        let world = World::new().await;
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let (checkout, total) = (id_of(&session), total_of(&session));
        let guest = guest.served_by(&hurried(&world, SOON));
        let hits = world.dynamodb.add(Rule::on("TransactWriteItems", fault));

        is_busy(&guest.confirm(checkout, total).await, 4);
        assert!(hits.count() > 1, "it was tried again");
        let once = guest.post_once(Route::ConfirmOrder, "one-key", &confirmation(checkout, total)).await;
        is_busy(&once, 3);

        world.dynamodb.clear_rules();
        assert!(world.stored_orders().await.is_empty());
        // The breaker is closed, and the same key may be used again.
        let order = guest.post_once(Route::ConfirmOrder, "one-key", &confirmation(checkout, total)).await;
        assert_eq!((remaining(&order), order.counts().redis_degraded), (2, 0));
        order.expect(201);
    }
}

#[tokio::test]
async fn every_other_change_that_keeps_colliding_is_busy_too() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let checkout = id_of(&session);
    let container = hurried(&world, SOON);
    let guest = guest.served_by(&container);
    let (staff, user) = (world.staff().served_by(&container), world.user("ada").served_by(&container));
    all_collide(&world);

    let address = json!({"checkoutId": checkout, "billingAddress": california()});
    is_busy(&guest.post(Route::UpdateAddress, &address).await, 239);
    is_busy(&guest.set_items(checkout, &[("espresso-beans", 3)]).await, 29);
    is_busy(&guest.choose_shipping(checkout, "us-express").await, 19);
    is_busy(&guest.apply_coupon(checkout, "SAVE20").await, 9);
    is_busy(&guest.cancel(order).await, 239);
    is_busy(&staff.set_status(order, "processing").await, 239);
    is_busy(&user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await, 9);
    let cart = json!({"cartItems": [{"productId": "espresso-beans", "quantity": 1}]});
    is_busy(&world.guest().served_by(&container).post_once(Route::Initiate, "a-key", &cart).await, 9);

    world.dynamodb.clear_rules();
    guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    guest.cancel(order).await.expect(200);
}

#[tokio::test]
async fn those_who_are_turned_away_together_are_told_different_times() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let guest = guest.served_by(&hurried(&world, Duration::from_millis(500)));
    all_collide(&world);
    let mut waits = BTreeSet::new();
    for _ in 0..12 {
        let answer = guest.apply_coupon(id_of(&session), "SAVE20").await;
        if answer.code() == Some("BUSY") {
            waits.insert(answer.header("retry-after").unwrap().to_owned());
        }
    }
    assert!(waits.len() > 1, "{waits:?}");
}

/// Throttling is the store's: it is told as before, and the attempt is given back.
#[tokio::test]
async fn throttling_is_no_contention() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let guest = guest.served_by(&hurried(&world, 2 * SOON));
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::TransactionCanceled("ThrottlingError")));

    let failed = guest.confirm(id_of(&session), total_of(&session)).await;

    assert_eq!((failed.counts().contention, failed.counts().dynamodb_degraded), (0, 1));
    assert_eq!(remaining(&failed), 5);
    failed.refused(503, "STORE_UNAVAILABLE");
}
