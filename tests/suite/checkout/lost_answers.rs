//! Writes that took effect and whose answer never came, and requests that ended right after one.

use std::sync::Arc;

use serde_json::json;
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    world::{Setup, World, california, confirmation, id_of, total_of},
};

const LOST: [Fault; 3] = [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs];

/// Short attempts: an answer that never comes is waited for.
async fn world() -> Arc<World> {
    Setup::default().unlimited().hasty_under_faults(800).build().await
}

#[tokio::test]
async fn an_answer_lost_once_is_not_noticed_and_the_effect_is_there_once() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let lost = |operation| world.dynamodb.add(Rule::on(operation, fault.clone()).times(1));

        let hits = [lost("PutItem")];
        let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
        assert_eq!(hits[0].count(), 1);
        assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
        let checkout = id_of(&session);

        let hits = lost("PutItem");
        let session = guest.ship_to(checkout, &california()).await.expect(200);
        assert_eq!((hits.count(), &session["version"]), (1, &json!(2)), "{fault:?}");
        let hits = lost("PutItem");
        let session = guest.choose_shipping(checkout, "us-standard").await.expect(200);
        assert_eq!((hits.count(), &session["version"]), (1, &json!(3)), "{fault:?}");
        let hits = lost("PutItem");
        let session = guest.apply_coupon(checkout, "ONEEACH").await.expect(200);
        assert_eq!((hits.count(), &session["version"]), (1, &json!(4)), "{fault:?}");

        let hits = lost("TransactWriteItems");
        let order = guest.confirm(checkout, total_of(&session)).await.expect(201);
        let order = order["order"]["orderId"].as_str().unwrap().to_owned();
        assert_eq!(hits.count(), 1);
        assert_eq!(world.stored_orders().await.len(), 1);
        assert_eq!(world.stock("espresso-beans").await, 99_998);
        let owner = format!("guest#{}", guest.guest_id());
        assert_eq!(world.coupon_uses_by("ONEEACH", &owner).await, 1);

        let hits = lost("PutItem");
        let moved = world.staff().set_status(&order, "processing").await.expect(200);
        assert_eq!((hits.count(), &moved["order"]["version"]), (1, &json!(2)), "{fault:?}");
        assert_eq!(moved["order"]["statusHistory"].as_array().map(Vec::len), Some(2));

        let hits = lost("TransactWriteItems");
        let moved = world.staff().set_status(&order, "cancelled").await.expect(200);
        assert_eq!((hits.count(), &moved["order"]["version"]), (1, &json!(3)), "{fault:?}");
        assert_eq!(world.stock("espresso-beans").await, 100_000);
        assert_eq!(world.coupon_uses_by("ONEEACH", &owner).await, 0);
    }
}

#[tokio::test]
async fn a_confirmation_whose_every_answer_is_lost_is_found_again_by_the_retry() {
    for fault in LOST {
        for key in [None, Some("a-key")] {
            let world = world().await;
            let guest = world.guest();
            let session = guest.fill_cart(&[("limited-print", 5)]).await;
            let body = confirmation(id_of(&session), total_of(&session));
            let confirm = async |shopper: &tests::world::Shopper| match key {
                None => shopper.post(Route::ConfirmOrder, &body).await,
                Some(key) => shopper.post_once(Route::ConfirmOrder, key, &body).await,
            };

            world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()));
            confirm(&guest).await.refused(503, "STORE_UNAVAILABLE");
            world.dynamodb.clear_rules();
            assert_eq!(world.stored_orders().await.len(), 1, "{fault:?}");

            // All five are gone by then, to this very order; another container has never heard of it.
            let again = confirm(&guest.clone().served_by(&world.container())).await;
            assert_eq!(again.status(), if key.is_some() { 201 } else { 200 }, "{fault:?}: {:#}", again.body());
            let read = guest.order(again.body()["order"]["orderId"].as_str().unwrap()).await.expect(200);
            assert_eq!(read["order"], again.body()["order"]);
            assert_eq!(world.stored_orders().await.len(), 1);
            assert_eq!(world.stock("limited-print").await, 0);
        }
    }
}

#[tokio::test]
async fn a_cancellation_whose_every_answer_is_lost_gives_back_once() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let order = guest.buy(&[("limited-print", 3)]).await;
        let order = order["orderId"].as_str().unwrap();
        world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()));
        // The old state is cached by then.
        guest.order(order).await.expect(200);
        guest.orders().await.expect(200);
        guest.cancel(order).await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();
        assert_eq!(guest.order(order).await.expect(200)["order"]["status"], "cancelled");
        assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], "cancelled");
        let again = guest.cancel(order).await.expect(200);
        assert_eq!(again["order"]["status"], "cancelled");
        assert_eq!(world.stock("limited-print").await, 5, "{fault:?}");
    }
}

/// Ends a request in the middle of one of its calls, before or after the engine did what was asked.
async fn die_at(
    world: &Arc<World>,
    operation: &'static str,
    done: bool,
    request: impl Future<Output = ()> + Send + 'static,
) {
    let gate = Gate::closed();
    let fault = if done { Fault::HoldAnswer(gate.clone()) } else { Fault::Hold(gate.clone()) };
    world.dynamodb.add(Rule::on(operation, fault).times(1));
    let running = tokio::spawn(request);
    gate.arrived(1).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    gate.open();
    world.dynamodb.clear_rules();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_in_a_confirmation_leaves_one_order_or_none_and_the_retry_has_it() {
    for operation in ["GetItem", "BatchGetItem", "TransactWriteItems"] {
        for done in [false, true] {
            let world = Setup::default().unlimited().setting("SESSION_TRUST_SECONDS", "0").build().await;
            let guest = world.guest();
            let session = guest.fill_cart(&[("limited-print", 4)]).await;
            let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
            let dying = guest.clone();
            die_at(&world, operation, done, async move {
                dying.confirm(&checkout, total).await;
            })
            .await;

            let survivor = guest.clone().served_by(&world.container());
            let answer = survivor.confirm(id_of(&session), total).await;
            assert!([200, 201].contains(&answer.status()), "{operation}: {:#}", answer.body());
            assert_eq!(world.stored_orders().await.len(), 1, "{operation}, done: {done}");
            assert_eq!(world.stock("limited-print").await, 1, "{operation}, done: {done}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_in_a_cancellation_gives_back_once() {
    for operation in ["GetItem", "TransactWriteItems"] {
        for done in [false, true] {
            let world = Setup::default().unlimited().build().await;
            let guest = world.guest();
            let order = guest.buy(&[("limited-print", 4)]).await;
            let order = order["orderId"].as_str().unwrap().to_owned();
            let (dying, id) = (guest.clone(), order.clone());
            die_at(&world, operation, done, async move {
                dying.cancel(&id).await;
            })
            .await;

            let answer = guest.clone().served_by(&world.container()).cancel(&order).await.expect(200);
            assert_eq!(answer["order"]["status"], "cancelled");
            assert_eq!(world.stock("limited-print").await, 5, "{operation}, done: {done}");
        }
    }
}
