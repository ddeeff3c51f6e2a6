//! Sessions and their copies: `DynamoDB` decides, Redis is fast, and no activity is cut short.

use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::json;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    world::{World, california, id_of, total_of},
};

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// The copy of a session as Redis has it.
async fn copy(world: &World, checkout: &str) -> Option<String> {
    world.keys.connection().await.get(format!("{}checkout:session:{checkout}", world.keys.prefix())).await.unwrap()
}

async fn put_copy(world: &World, checkout: &str, copy: &str) {
    let key = format!("{}checkout:session:{checkout}", world.keys.prefix());
    let _: () = world.keys.connection().await.set(key, copy).await.unwrap();
}

#[tokio::test]
async fn a_copy_lives_for_half_an_hour_under_the_name_that_was_promised() {
    let world = World::new().await;
    let session = world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    let key = format!("checkout:session:{}", id_of(&session));
    assert!(world.keys.all().contains(&key));
    let ttl: i64 = world.keys.connection().await.ttl(format!("{}{key}", world.keys.prefix())).await.unwrap();
    assert!((1790..=1800).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn a_trusted_copy_answers_alone_and_an_older_one_is_verified_and_kept_again() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    world.dynamodb.forget_calls();
    guest.session(id_of(&session)).await.expect(200);
    assert_eq!(world.dynamodb.calls().len(), 0);

    let later = guest.clone().served_by(&world.container_after(Duration::from_secs(31)));
    later.session(id_of(&session)).await.expect(200);
    assert_eq!(world.dynamodb.count("GetItem"), 1);
    later.session(id_of(&session)).await.expect(200);
    assert_eq!(world.dynamodb.calls().len(), 1, "{:?}", world.dynamodb.counts());
    let read = &world.dynamodb.calls()[0].request;
    assert_eq!(read["ConsistentRead"], json!(true));
}

#[tokio::test]
async fn an_old_copy_decides_nothing() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 2)]).await.expect(201);
    let checkout = id_of(&session);
    let old = copy(&world, checkout).await.unwrap();
    guest.ship_to(checkout, &california()).await.expect(200);
    guest.choose_shipping(checkout, "us-standard").await.expect(200);

    // As after a failover to a replica that lagged behind: the old document is back, and young enough to be trusted.
    put_copy(&world, checkout, &old).await;
    let changed = guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    assert_eq!((&changed["version"], &changed["shippingAddress"]["state"]), (&json!(4), &json!("CA")));
    assert_eq!(changed["shippingMethod"]["shippingMethodId"], "us-standard");

    put_copy(&world, checkout, &old).await;
    let order = guest.confirm(checkout, total_of(&changed)).await.expect(201);
    assert_eq!(order["order"]["summary"]["totalAmount"], json!(total_of(&changed)));

    put_copy(&world, checkout, &old).await;
    let again = guest.confirm(checkout, total_of(&changed)).await.expect(200);
    assert_eq!(again["order"], order["order"]);
    assert_eq!(world.stored_orders().await.len(), 1);
    // Whoever was told of the order doesn't read that the session is open.
    assert_eq!(guest.session(checkout).await.expect(200)["status"], "completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_was_overtaken_does_not_put_an_older_copy_over_a_newer() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session).to_owned();
    world.keys.clear();

    // The reader has its answer, version 1, and is held before it can use it.
    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("GetItem", Fault::HoldAnswer(gate.clone())).times(1));
    let (slow, id) = (guest.clone(), checkout.clone());
    let reader = tokio::spawn(async move { slow.session(&id).await.expect(200) });
    gate.arrived(1).await;
    guest.ship_to(&checkout, &california()).await.expect(200);
    gate.open();
    assert_eq!(reader.await.unwrap()["version"], json!(1));

    world.dynamodb.forget_calls();
    let read = guest.session(&checkout).await.expect(200);
    assert_eq!((&read["version"], world.dynamodb.calls().len()), (&json!(2), 0), "the copy is the newer one");
}

#[tokio::test]
async fn reading_keeps_a_session_alive_without_a_write_each_time() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session);

    world.dynamodb.forget_calls();
    for second in [31, 40, 55] {
        let later = guest.clone().served_by(&world.container_after(Duration::from_secs(second)));
        later.session(checkout).await.expect(200);
    }
    assert_eq!(world.dynamodb.count("UpdateItem"), 0);
    // Twenty minutes apart, for hours: one write each.
    for turn in 1..=9 {
        let later = guest.clone().served_by(&world.container_after(minutes(20 * turn)));
        let read = later.session(checkout).await.expect(200);
        assert_eq!(read["version"], json!(1));
        later.session(checkout).await.expect(200);
        assert_eq!(world.dynamodb.count("UpdateItem"), usize::try_from(turn).unwrap());
    }
}

#[tokio::test]
async fn a_session_lives_as_long_as_promised_and_no_reader_revives_it() {
    let world = World::new().await;
    let guest = world.guest();
    let at = |seconds| guest.clone().served_by(&world.container_after(Duration::from_secs(seconds)));
    let kept = guest.fill_cart(&[("espresso-beans", 1)]).await;
    at(1799).session(id_of(&kept)).await.expect(200);

    for copied in [true, false] {
        let lost = guest.fill_cart(&[("espresso-beans", 1)]).await;
        if !copied {
            world.keys.clear();
        }
        let late = at(1870);
        for _ in 0..2 {
            late.session(id_of(&lost)).await.refused(404, "SESSION_EXPIRED");
        }
        late.ship_to(id_of(&lost), &california()).await.refused(404, "SESSION_EXPIRED");
        late.confirm(id_of(&lost), total_of(&lost)).await.refused(404, "SESSION_EXPIRED");
        assert!(world.stored_orders().await.is_empty());
    }
}

#[tokio::test]
async fn a_stranger_does_not_keep_a_session_alive() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let stranger = world.guest().served_by(&world.container_after(minutes(20)));
    stranger.session(id_of(&session)).await.refused(404, "SESSION_NOT_FOUND");
    assert_eq!(world.dynamodb.count("UpdateItem"), 0);
}

#[tokio::test]
async fn a_session_that_became_an_order_answers_with_it_hours_later() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let order = guest.confirm(id_of(&session), total_of(&session)).await.expect(201);

    let late = guest.clone().served_by(&world.container_after(minutes(600)));
    let again = late.confirm(id_of(&session), total_of(&session)).await.expect(200);
    assert_eq!(again["order"], order["order"]);
    let read = late.session(id_of(&session)).await.expect(200);
    assert_eq!((&read["status"], &read["orderId"]), (&json!("completed"), &order["order"]["orderId"]));
    late.apply_coupon(id_of(&session), "SAVE20").await.refused(409, "SESSION_COMPLETED");
}

#[tokio::test]
async fn an_etag_saves_the_body_of_an_unchanged_session() {
    let world = World::new().await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let read = guest.session(id_of(&session)).await;
    let etag = read.header("etag").unwrap().to_owned();
    let route = shared::http::route::Route::GetSession;
    let event = guest.event_about(route, id_of(&session)).header("if-none-match", etag.clone());
    let unchanged = guest.send(route, &event).await;
    assert_eq!((unchanged.status(), unchanged.body()), (304, &serde_json::Value::Null));
    guest.ship_to(id_of(&session), &california()).await.expect(200);
    let changed = guest.send(route, &event).await;
    assert_eq!(changed.status(), 200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
}
