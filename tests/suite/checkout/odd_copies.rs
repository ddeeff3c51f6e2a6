//! What else Redis may have in it, or come back with: rubbish, copies from other clocks, leases of the dead.

use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::json;
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    proxy::Mode,
    race::at_once,
    world::{Setup, World, california, id_of, in_lists, total_of},
};

/// Longer than the breaker leaves a dead Redis alone.
const REST: Duration = Duration::from_millis(1100);

#[tokio::test]
async fn a_redis_that_is_back_is_used_again_after_the_breakers_rest() {
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "200").build().await;
    let guest = world.guest();
    world.redis.down().await;
    for _ in 0..3 {
        guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    }
    assert!(world.keys.all().is_empty(), "{:?}", world.keys.all());

    world.redis.up().await;
    tokio::time::sleep(REST).await;
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let keys = world.keys.all();
    assert!(keys.contains(&format!("checkout:session:{}", id_of(&session))), "{keys:?}");
    assert!(keys.iter().any(|key| key.ends_with("POST:/api/v1/checkout/initiate")), "{keys:?}");
    world.dynamodb.forget_calls();
    guest.session(id_of(&session)).await.expect(200);
    assert_eq!(world.dynamodb.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_requests_after_the_rest_one_probes() {
    let world = Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "200").build().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    world.redis.set(Mode::Hang).await;
    world.redis.cut();
    for _ in 0..3 {
        guest.session(id_of(&session)).await.expect(200);
    }
    tokio::time::sleep(REST).await;

    let before = world.redis.traffic().connections;
    let answers = at_once(10, |_| {
        let (guest, checkout) = (guest.clone(), id_of(&session).to_owned());
        async move { guest.session(&checkout).await }
    })
    .await;
    assert!(answers.into_iter().all(|answer| answer.status() == 200));
    assert_eq!(world.redis.traffic().connections - before, 1);
}

#[tokio::test]
async fn rubbish_under_a_sessions_key_harms_no_step() {
    let world = Setup::default().unlimited().build().await;
    let mut redis = world.keys.connection().await;
    for rubbish in [
        "",
        "nonsense",
        "{\"version\":1",
        "{\"version\":99999999999}",
        "{\"version\":0,\"verifiedAt\":\"never\",\"session\":{}}",
        "a list",
    ] {
        let guest = world.guest();
        let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
        let checkout = id_of(&session);
        let key = format!("{}checkout:session:{checkout}", world.keys.prefix());
        let _: () = redis.del(&key).await.unwrap();
        if rubbish == "a list" {
            let _: () = redis.lpush(&key, 1).await.unwrap();
        } else {
            let _: () = redis.set(&key, rubbish).await.unwrap();
        }

        assert_eq!(guest.session(checkout).await.expect(200)["version"], json!(1), "{rubbish}");
        let changed = guest.apply_coupon(checkout, "SAVE20").await.expect(200);
        assert_eq!(changed["version"], json!(2), "{rubbish}");
        assert_eq!(guest.session(checkout).await.expect(200)["version"], json!(2), "{rubbish}");
        guest.confirm(checkout, total_of(&changed)).await.expect(201);
    }
    assert_eq!(world.stored_orders().await.len(), 6);
}

#[tokio::test]
async fn rubbish_in_the_order_cache_harms_no_reader() {
    let world = World::new().await;
    let mut redis = world.keys.connection().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order["orderId"].as_str().unwrap();
    guest.order(id).await.expect(200);
    guest.orders().await.expect(200);
    for key in [format!("order:{id}"), format!("orders:{}", guest.guest_id())] {
        let key = format!("{}{key}", world.keys.prefix());
        let fields: Vec<String> = redis.hkeys(&key).await.unwrap();
        assert!(!fields.is_empty(), "{key}");
        for field in fields {
            // A document of the far future that no code of today can read.
            let _: () = redis.hset(&key, field, "99999999999999:{\"schema\":999}").await.unwrap();
        }
    }
    assert_eq!(guest.order(id).await.expect(200)["order"], order);
    assert_eq!(guest.orders().await.expect(200)["orders"], json!([in_lists(&order)]));
}

#[tokio::test]
async fn a_copy_that_another_clock_verified_in_the_future_is_not_trusted() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let ahead = guest.clone().served_by(&world.container_after(Duration::from_secs(600)));
    ahead.session(id_of(&session)).await.expect(200);

    world.dynamodb.forget_calls();
    guest.session(id_of(&session)).await.expect(200);
    assert_eq!(world.dynamodb.count("GetItem"), 1);
}

#[tokio::test]
async fn reading_gives_the_copy_another_life() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let mut redis = world.keys.connection().await;
    let key = format!("{}checkout:session:{}", world.keys.prefix(), id_of(&session));
    let _: () = redis.expire(&key, 60).await.unwrap();
    guest.session(id_of(&session)).await.expect(200);
    let ttl: i64 = redis.ttl(&key).await.unwrap();
    assert!((1790..=1800).contains(&ttl), "{ttl}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_noted_late_does_not_put_the_old_session_over_a_change() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session).to_owned();
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("UpdateItem", Fault::Hold(gate.clone())).times(1));
    let (later, id) = (guest.clone().served_by(&world.container_after(Duration::from_secs(120))), checkout.clone());
    let reader = tokio::spawn(async move { later.session(&id).await.expect(200) });
    gate.arrived(1).await;
    guest.ship_to(&checkout, &california()).await.expect(200);
    gate.open();
    assert_eq!(reader.await.unwrap()["version"], json!(1));

    for flushed in [false, true] {
        if flushed {
            world.keys.clear();
        }
        let read = guest.session(&checkout).await.expect(200);
        assert_eq!((&read["version"], &read["shippingAddress"]["state"]), (&json!(2), &json!("CA")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_died_with_the_lease_keeps_nobody_from_reading() {
    // The others wait for the dead for as long.
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "500").build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let id = order["orderId"].as_str().unwrap().to_owned();
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("GetItem", Fault::Hold(gate.clone())).times(1));
    let (dying, dead) = (guest.clone(), id.clone());
    let reader = tokio::spawn(async move { dying.order(&dead).await });
    gate.arrived(1).await;
    reader.abort();
    assert!(reader.await.unwrap_err().is_cancelled());
    gate.open();

    assert_eq!(guest.order(&id).await.expect(200)["order"], order);
    // A change takes the lease of the dead along: the next reader fills, the one after that is served by Redis.
    world.staff().set_status(&id, "processing").await.expect(200);
    guest.order(&id).await.expect(200);
    world.dynamodb.forget_calls();
    assert_eq!(guest.order(&id).await.expect(200)["order"]["status"], "processing");
    assert_eq!(world.dynamodb.calls().len(), 0);
}

#[tokio::test]
async fn a_caller_who_asks_for_every_list_there_is_does_not_fill_redis_and_one_change_drops_them_all() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let mut redis = world.keys.connection().await;
    let key = format!("{}orders:{}", world.keys.prefix(), guest.guest_id());
    let ask = async |status: Option<&str>, limit: u32| {
        let event = guest.event(Route::ListOrders).query("limit", limit.to_string());
        let event = status.into_iter().fold(event, |event, status| event.query("status", status));
        guest.send(Route::ListOrders, &event).await.expect(200)["orders"].as_array().map(Vec::len)
    };
    for limit in 1..=75 {
        assert_eq!(ask(None, limit).await, Some(1));
        assert_eq!(ask(Some("confirmed"), limit).await, Some(1));
        let fields: usize = redis.hlen(&key).await.unwrap();
        assert!(fields <= 130, "{fields} fields after {limit} lists of two kinds");
    }

    guest.cancel(order["orderId"].as_str().unwrap()).await.expect(200);
    let exists: bool = redis.exists(&key).await.unwrap();
    assert!(!exists);
    assert_eq!((ask(Some("confirmed"), 20).await, ask(Some("cancelled"), 20).await), (Some(0), Some(1)));
}
