//! After the answer was lost for good, or the process was: what a retry finds, what the cache says meanwhile, and what
//! a write does that arrives when nobody waits for it any more.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    world::{Setup, Shopper, World, california, cart, id_of, in_lists, number, total_of},
};

const LOST: [Fault; 3] = [Fault::AnswerLost, Fault::DoneButInternalServerError, Fault::DoneButHangs];

/// Short attempts: an answer that never comes is waited for.
async fn world() -> Arc<World> {
    Setup::default().unlimited().hasty_under_faults(800).build().await
}

fn id(order: &Value) -> String {
    order["orderId"].as_str().unwrap().to_owned()
}

/// The same caller in a container that knows nothing of the first.
fn elsewhere(world: &World, shopper: &Shopper) -> Shopper {
    shopper.clone().served_by(&world.container())
}

/// Ends a request while its only call to this operation is under way. Before the engine has done what was asked
/// (`done` is false), or after. The call goes on when the gate is opened.
async fn die_at(
    world: &World,
    operation: &'static str,
    done: bool,
    request: impl Future<Output = ()> + Send + 'static,
) -> Gate {
    let gate = Gate::closed();
    let fault = if done { Fault::HoldAnswer(gate.clone()) } else { Fault::Hold(gate.clone()) };
    world.dynamodb.forget_calls();
    world.dynamodb.add(Rule::on(operation, fault).times(1));
    let running = tokio::spawn(request);
    gate.arrived(1).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    world.dynamodb.clear_rules();
    gate
}

/// Lets a dead request's write through, and returns the status it got when it has one.
async fn land(world: &World, operation: &str, gate: &Gate) -> u16 {
    gate.open();
    loop {
        let straggler = world.dynamodb.calls().into_iter().find(|call| call.operation == operation).unwrap();
        if let Some(status) = straggler.status {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_checkout_whose_every_answer_was_lost_is_opened_once_under_its_key() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let body = json!({"cartItems": cart(&[("espresso-beans", 1)])});

        world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()));
        let lost = guest.post_once(Route::Initiate, "a-key", &body).await;
        assert!(lost.header("retry-after").is_some(), "{fault:?}");
        lost.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();

        let again = elsewhere(&world, &guest).post_once(Route::Initiate, "a-key", &body).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{fault:?}");
        let session = again.expect(201);
        assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1, "{fault:?}");
        guest.session(id_of(&session)).await.expect(200);
    }
}

#[tokio::test]
async fn a_change_whose_every_answer_was_lost_is_there_once_after_the_retry() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 2)]).await;
        let checkout = id_of(&session);

        world.dynamodb.add(Rule::on("PutItem", fault.clone()));
        guest.apply_coupon(checkout, "ONEEACH").await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();
        // It did take effect, and the retry starts from a copy that hasn't heard of it.
        assert_eq!(number(&world.stored_session(checkout).await.unwrap(), "version"), 2, "{fault:?}");

        let changed = elsewhere(&world, &guest).apply_coupon(checkout, "ONEEACH").await.expect(200);
        assert_eq!(changed["coupon"]["couponCode"], "ONEEACH", "{fault:?}: {changed:#}");
        let confirmed = guest.confirm(checkout, total_of(&changed)).await.expect(201);
        assert_eq!(confirmed["order"]["summary"], changed["summary"], "{fault:?}");
        let owner = format!("guest#{}", guest.guest_id());
        assert_eq!(world.coupon_uses_by("ONEEACH", &owner).await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_status_whose_every_answer_was_lost_is_shown_at_once_and_recorded_once() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
        guest.order(&order).await.expect(200);
        guest.orders().await.expect(200);

        world.dynamodb.add(Rule::on("PutItem", fault.clone()));
        world.staff().set_status(&order, "processing").await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();
        // What may have been written is not hidden by what was cached before.
        assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "processing", "{fault:?}");
        assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], "processing", "{fault:?}");

        let again = elsewhere(&world, &world.staff()).set_status(&order, "processing").await.expect(200);
        assert_eq!(again["order"]["version"], json!(2), "{fault:?}");
        assert_eq!(again["order"]["statusHistory"].as_array().map(Vec::len), Some(2), "{fault:?}");
    }
}

#[tokio::test]
async fn a_keyed_cancellation_whose_every_answer_was_lost_is_replayed_by_the_retry() {
    for fault in LOST {
        let world = world().await;
        let guest = world.guest();
        let order = id(&guest.buy(&[("limited-print", 3)]).await);
        let event = guest.event_about(Route::CancelOrder, &order).idempotency_key("a-key").json(&json!({}));

        world.dynamodb.add(Rule::on("TransactWriteItems", fault.clone()));
        guest.send(Route::CancelOrder, &event).await.refused(503, "STORE_UNAVAILABLE");
        world.dynamodb.clear_rules();

        let again = elsewhere(&world, &guest).send(Route::CancelOrder, &event).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{fault:?}");
        assert_eq!(again.expect(200)["order"]["status"], "cancelled", "{fault:?}");
        assert_eq!(world.stock("limited-print").await, 5, "{fault:?}");
    }
}

#[tokio::test]
async fn reading_does_not_fail_for_activity_that_could_not_be_noted() {
    for fault in [Fault::AnswerLost, Fault::InternalServerError, Fault::TransactionConflict] {
        let world = world().await;
        let guest = world.guest();
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        let later = guest.served_by(&world.container_after(Duration::from_secs(120)));
        let hits = world.dynamodb.add(Rule::on("UpdateItem", fault.clone()));
        assert_eq!(later.session(id_of(&session)).await.expect(200)["version"], json!(1), "{fault:?}");
        assert!(hits.count() > 0, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_lands_after_its_request_died_does_not_undo_a_newer_one() {
    let world = world().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let checkout = id_of(&session).to_owned();
    let (dying, dead) = (guest.clone(), checkout.clone());
    let gate = die_at(&world, "PutItem", false, async move {
        dying.apply_coupon(&dead, "SAVE20").await;
    })
    .await;

    let survivor = elsewhere(&world, &guest);
    survivor.ship_to(&checkout, &california()).await.expect(200);
    assert_eq!(land(&world, "PutItem", &gate).await, 400);

    world.keys.clear();
    let read = survivor.session(&checkout).await.expect(200);
    assert_eq!((&read["version"], &read["shippingAddress"]["state"]), (&json!(2), &json!("CA")));
    assert_eq!(read.get("coupon").filter(|coupon| !coupon.is_null()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_process_died_right_after_it_survives_the_next_one() {
    let world = world().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let checkout = id_of(&session).to_owned();
    let (dying, dead) = (guest.clone(), checkout.clone());
    let gate = die_at(&world, "PutItem", true, async move {
        dying.apply_coupon(&dead, "SAVE20").await;
    })
    .await;
    gate.open();

    // Redis still has the copy from before.
    let changed = elsewhere(&world, &guest).ship_to(&checkout, &california()).await.expect(200);
    assert_eq!((&changed["version"], &changed["shippingAddress"]["state"]), (&json!(3), &json!("CA")));
    assert_eq!(changed["summary"]["discountAmount"], json!(800));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_lands_after_its_retry_makes_no_second_order() {
    let world = world().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("limited-print", 2)]).await;
    let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
    let (dying, dead) = (guest.clone(), checkout.clone());
    let gate = die_at(&world, "TransactWriteItems", false, async move {
        dying.confirm(&dead, total).await;
    })
    .await;

    let order = elsewhere(&world, &guest).confirm(&checkout, total).await.expect(201);
    assert_eq!(land(&world, "TransactWriteItems", &gate).await, 400);
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("limited-print").await, 3);
    let again = guest.confirm(&checkout, total).await.expect(200);
    assert_eq!(again["order"], order["order"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_lands_after_its_retry_gives_nothing_back_twice() {
    let world = world().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("limited-print", 2)]).await);
    let (dying, dead) = (guest.clone(), order.clone());
    let gate = die_at(&world, "TransactWriteItems", false, async move {
        dying.cancel(&dead).await;
    })
    .await;

    elsewhere(&world, &guest).cancel(&order).await.expect(200);
    assert_eq!(land(&world, "TransactWriteItems", &gate).await, 400);
    assert_eq!(world.stock("limited-print").await, 5);
    let read = guest.order(&order).await.expect(200);
    assert_eq!((&read["order"]["status"], &read["order"]["version"]), (&json!("cancelled"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_tells_the_cache_what_its_dead_double_could_not() {
    for (operation, status) in [("PutItem", "processing"), ("TransactWriteItems", "cancelled")] {
        let world = world().await;
        let guest = world.guest();
        let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
        guest.order(&order).await.expect(200);
        guest.orders().await.expect(200);
        let (dying, dead) = (world.staff(), order.clone());
        let gate = die_at(&world, operation, true, async move {
            dying.set_status(&dead, status).await;
        })
        .await;
        gate.open();

        elsewhere(&world, &world.staff()).set_status(&order, status).await.expect(200);
        assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], status);
        assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_listed_once_its_confirmation_was_answered_however_it_got_there() {
    // The process died right after the transaction, or its every answer was lost.
    for died in [true, false] {
        let world = world().await;
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let (checkout, total) = (id_of(&session).to_owned(), total_of(&session));
        assert_eq!(guest.orders().await.expect(200)["orders"], json!([]));
        if died {
            let (dying, dead) = (guest.clone(), checkout.clone());
            let gate = die_at(&world, "TransactWriteItems", true, async move {
                dying.confirm(&dead, total).await;
            })
            .await;
            gate.open();
        } else {
            world.dynamodb.add(Rule::on("TransactWriteItems", Fault::AnswerLost));
            guest.confirm(&checkout, total).await.refused(503, "STORE_UNAVAILABLE");
            world.dynamodb.clear_rules();
        }

        let order = elsewhere(&world, &guest).confirm(&checkout, total).await.expect(200);
        assert_eq!(guest.orders().await.expect(200)["orders"], json!([in_lists(&order["order"])]), "died: {died}");
        // Redis may have the open session for as long as it is trusted: enough to be shown, not to change anything.
        guest.apply_coupon(&checkout, "SAVE20").await.refused(409, "SESSION_COMPLETED");
        let later = guest.served_by(&world.container_after(Duration::from_secs(31)));
        assert_eq!(later.session(&checkout).await.expect(200)["status"], "completed", "died: {died}");
    }
}
