//! The order cache around a change, around its own expiry, and around what isn't there.

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, id_of, total_of},
};

fn id(order: &Value) -> String {
    order["orderId"].as_str().unwrap().to_owned()
}

async fn count_of(shopper: &Shopper) -> usize {
    shopper.orders().await.expect(200)["orders"].as_array().unwrap().len()
}

/// Ends a request right after its write has taken effect: it never tells the cache.
async fn dies_after(world: &World, operation: &'static str, request: impl Future<Output = Answer> + Send + 'static) {
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on(operation, Fault::HoldAnswer(gate.clone())).times(1));
    let running = tokio::spawn(request);
    gate.arrived(1).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    gate.open();
    world.dynamodb.clear_rules();
}

/// Before there were holds, each of these showed what had been cached before, until it expired.
#[tokio::test]
async fn whoever_dies_right_after_a_change_leaves_nothing_old_in_the_cache() {
    let world = Setup::default().unlimited().build().await;
    let (guest, staff) = (world.guest(), world.staff());
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    let warm = async || {
        guest.order(&order).await.expect(200);
        guest.orders().await.expect(200);
    };

    warm().await;
    let (someone, name) = (staff.clone(), order.clone());
    dies_after(&world, "PutItem", async move { someone.set_status(&name, "processing").await }).await;
    assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "processing");
    assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], "processing");

    let (someone, name) = (staff.clone(), order.clone());
    dies_after(&world, "TransactWriteItems", async move { someone.set_status(&name, "cancelled").await }).await;
    assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], "cancelled");
    assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], "cancelled");

    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    assert_eq!(count_of(&guest).await, 1);
    let (someone, checkout, total) = (guest.clone(), id_of(&session).to_owned(), total_of(&session));
    dies_after(&world, "TransactWriteItems", async move { someone.confirm(&checkout, total).await }).await;
    assert_eq!(count_of(&guest).await, 2);

    let (user, body) = (world.user("ada"), json!({"guestId": guest.guest_id()}));
    assert_eq!(count_of(&user).await, 0);
    let someone = user.clone();
    dies_after(&world, "TransactWriteItems", async move { someone.post(Route::Claim, &body).await }).await;
    assert_eq!((count_of(&user).await, count_of(&guest).await), (1, 1));
}

#[tokio::test]
async fn while_a_change_is_under_way_nothing_is_cached_and_afterwards_it_is_again() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    guest.order(&order).await.expect(200);
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("PutItem", Fault::Hold(gate.clone())).times(1));
    let (staff, name) = (world.staff(), order.clone());
    let change = tokio::spawn(async move { staff.set_status(&name, "processing").await });
    gate.arrived(1).await;
    for _ in 0..3 {
        let read = guest.order(&order).await;
        assert_eq!((read.counts().order_cache_misses, read.counts().order_cache_fills), (1, 0));
    }
    gate.open();
    change.await.unwrap().expect(200);
    assert_eq!(guest.order(&order).await.counts().order_cache_fills, 1);
    let read = guest.order(&order).await;
    assert_eq!(read.counts().order_cache_hits, 1);
    assert_eq!(read.expect(200)["order"]["status"], "processing");
}

/// Lets a cached order's document expire in this many milliseconds.
async fn expires_in(world: &World, key: &str, field: &str, ms: i64) {
    let mut redis = world.keys.connection().await;
    let held: String = redis.hget(key, field).await.unwrap();
    let (_, document) = held.split_once(':').unwrap();
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
    let expiry = seconds * 1000 + micros / 1000 + ms;
    let _: () = redis.hset(key, field, format!("{expiry}:{document}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_readers_of_an_entry_that_soon_expires_one_asks_the_database() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    let (key, field) = (format!("{}order:{order}", world.keys.prefix()), format!("d:guest#{}", guest.guest_id()));
    for round in 0..10 {
        guest.order(&order).await.expect(200);
        expires_in(&world, &key, &field, 900).await;
        world.dynamodb.forget_calls();
        let answers = at_once(20, |_| {
            let (guest, order) = (guest.clone(), order.clone());
            async move { guest.order(&order).await }
        })
        .await;
        assert!(answers.iter().all(|answer| answer.status() == 200));
        assert_eq!(world.dynamodb.count("GetItem"), 1, "round {round}");
        let hits: u64 = answers.iter().map(|answer| answer.counts().order_cache_hits).sum();
        let fills: u64 = answers.iter().map(|answer| answer.counts().order_cache_fills).sum();
        assert_eq!((hits, fills), (19, 1), "round {round}");
    }
    // The one who asks gets what there is, should the database not answer.
    expires_in(&world, &key, &field, 900).await;
    world.dynamodb.add(Rule::on("GetItem", Fault::InternalServerError));
    let answer = guest.order(&order).await;
    assert_eq!((answer.status(), answer.counts().dynamodb_degraded), (200, 1));
}

#[tokio::test]
async fn that_there_is_no_such_order_is_remembered_for_a_short_while_and_by_nobody_else() {
    let world = Setup::default().unlimited().build().await;
    let (guest, user) = (world.guest(), world.user("ada"));
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    user.order(&order).await.refused(404, "ORDER_NOT_FOUND");
    world.dynamodb.forget_calls();
    user.order(&order).await.refused(404, "ORDER_NOT_FOUND");
    assert_eq!(world.dynamodb.calls().len(), 0);
    guest.order(&order).await.expect(200);
    guest.order(&order).await.expect(200);
    // What isn't there doesn't take what is there along when it expires.
    let ttl: i64 = world.keys.connection().await.ttl(format!("{}order:{order}", world.keys.prefix())).await.unwrap();
    assert!(ttl > 590, "{ttl}");
    world.guest().order(&order).await.refused(404, "ORDER_NOT_FOUND");
    let ttl: i64 = world.keys.connection().await.ttl(format!("{}order:{order}", world.keys.prefix())).await.unwrap();
    assert!(ttl > 590, "{ttl}");

    // A claim makes it theirs at once.
    user.post(Route::Claim, &json!({"guestId": guest.guest_id()})).await.expect(200);
    user.order(&order).await.expect(200);
    guest.order(&order).await.refused(404, "ORDER_NOT_FOUND");
}
