//! The order cache around a change, around its own expiry, and around what isn't there.

use std::time::{Duration, Instant};

use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use serde_json::{Value, json};
use shared::{domain::ids::Owner, http::route::Route, ports::ChangeId};
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    race::at_once,
    world::{Answer, Setup, Shopper, World, confirmation, id_of, total_of},
};
use uuid::Uuid;

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
    let mut judged = 0;
    for round in 0..100 {
        guest.order(&order).await.expect(200);
        let began = Instant::now();
        expires_in(&world, &key, &field, 900).await;
        world.dynamodb.forget_calls();
        let answers = at_once(20, |_| {
            let (guest, order) = (guest.clone(), order.clone());
            async move { guest.order(&order).await }
        })
        .await;
        assert!(answers.iter().all(|answer| answer.status() == 200));
        // On a busy machine it may have expired meanwhile: that is another case, and says nothing about this one.
        if began.elapsed() > Duration::from_millis(850) {
            continue;
        }
        assert_eq!(world.dynamodb.count("GetItem"), 1, "round {round}");
        let hits: u64 = answers.iter().map(|answer| answer.counts().order_cache_hits).sum();
        let fills: u64 = answers.iter().map(|answer| answer.counts().order_cache_fills).sum();
        assert_eq!((hits, fills), (19, 1), "round {round}");
        judged += 1;
        if judged == 10 {
            break;
        }
    }
    assert_eq!(judged, 10, "this machine is too slow for an entry that lives for 900 ms");
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

/// The hold once left with the limit's check, for any body.
#[tokio::test]
async fn only_a_confirmation_that_is_being_written_holds_its_callers_lists() {
    let world = Setup::default().unlimited().build().await;
    let (guest, other) = (world.guest(), world.guest());
    let own = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let theirs = other.fill_cart(&[("espresso-beans", 1)]).await;
    let lists = format!("orders:{}", guest.guest_id());
    let nobodys = Uuid::new_v4().to_string();
    for body in [
        json!({}),
        json!([]),
        json!({"checkoutId": id_of(&own)}),
        confirmation(&nobodys, 1),
        confirmation(id_of(&theirs), total_of(&theirs)),
    ] {
        let refused = guest.post(Route::ConfirmOrder, &body).await;
        assert!((400..500).contains(&refused.status()), "{body}: {refused:#?}");
        assert!(!world.keys.all().contains(&lists), "{body}");
    }
    guest.confirm(id_of(&own), total_of(&own) + 1).await.refused(409, "TOTAL_CHANGED");
    assert!(!world.keys.all().contains(&lists), "nothing was to be written");

    let gate = Gate::closed();
    world.dynamodb.add(Rule::on("TransactWriteItems", Fault::HoldAnswer(gate.clone())).times(1));
    let (someone, checkout, total) = (guest.clone(), id_of(&own).to_owned(), total_of(&own));
    let confirming = tokio::spawn(async move { someone.confirm(&checkout, total).await });
    gate.arrived(1).await;
    // The hold is sent together with the write, whose answer waits: it may come a moment later.
    let held = async {
        while !world.keys.all().contains(&lists) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), held).await.expect("a hold while it is being written");
    let life: i64 = world.keys.connection().await.pttl(format!("{}{lists}", world.keys.prefix())).await.unwrap();
    assert!(life > 0, "the hold of a confirmation that dies runs out");
    gate.open();
    confirming.await.unwrap().expect(201);
    assert!(!world.keys.all().contains(&lists), "it is let go");

    world.keys.clear();
    guest.confirm(id_of(&own), total_of(&own)).await.expect(200);
    assert!(!world.keys.all().contains(&lists), "what is an order already is no order to come");
}

/// The one field, and how many bytes the hash takes.
async fn held(redis: &mut MultiplexedConnection, key: &str) -> (Vec<String>, u64) {
    let bytes: Option<u64> = redis::cmd("MEMORY").arg("USAGE").arg(key).query_async(redis).await.unwrap();
    (redis.hkeys(key).await.unwrap(), bytes.unwrap_or_default())
}

/// Changes of one owner's orders, any number of them at once: nothing is cached until all of them are over, and what
/// is kept of them does not grow.
#[tokio::test]
async fn any_number_of_changes_at_once_hold_a_hash_for_as_long_as_the_last_and_in_the_space_of_a_few() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let owner = Owner::Guest(guest.guest_id().parse().unwrap());
    let key = format!("{}orders:{}", world.keys.prefix(), guest.guest_id());
    let mut redis = world.keys.connection().await;
    let change = |n: u128| ChangeId(Uuid::from_u128(n));
    let orders = &world.app().orders;
    let lists = [orders.redis.keys.orders(&owner)];
    let fills = async || guest.orders().await.counts().order_cache_fills;

    // A few are known by name: each ends with its own release, whatever the order, and however often each is sent.
    for n in 1..=8 {
        orders.hold(&lists, change(n)).await;
        orders.hold(&lists, change(n)).await;
    }
    for n in [3, 1, 2, 8, 7, 6, 5] {
        orders.release(&lists, change(n), Vec::new()).await;
        orders.release(&lists, change(n), Vec::new()).await;
        assert_eq!(fills().await, 0, "released: {n}");
    }
    orders.release(&lists, change(4), Vec::new()).await;
    assert_eq!(fills().await, 1, "all are released");

    let mut most = 0;
    for n in 1..=2_000 {
        orders.hold(&lists, change(n)).await;
        let (fields, bytes) = held(&mut redis, &key).await;
        assert_eq!(fields, ["h"]);
        most = most.max(bytes);
    }
    assert!(most < 1_024, "{most} bytes");
    // Of those that are not known by name nobody can say that they are over.
    for n in 1..=2_000 {
        orders.release(&lists, change(n), Vec::new()).await;
    }
    assert_eq!(fills().await, 0);
    // They run out, and leave.
    let held: String = redis.hget(&key, "h").await.unwrap();
    let (_, name) = held.split_once(':').unwrap();
    let _: () = redis.hset(&key, "h", format!("1:{name}")).await.unwrap();
    assert_eq!(fills().await, 1);
    orders.release(&lists, change(1), Vec::new()).await;
    assert!(!world.keys.all().contains(&format!("orders:{}", guest.guest_id())));
}

/// A hash that is full of what others asked for is no reason not to cache what its owner asks for.
#[tokio::test]
async fn a_hash_that_is_full_starts_anew() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    for _ in 0..100 {
        world.guest().order(&order).await.refused(404, "ORDER_NOT_FOUND");
    }
    let fields: u64 =
        world.keys.connection().await.hlen(format!("{}order:{order}", world.keys.prefix())).await.unwrap();
    assert!(fields <= 32, "{fields}");
    assert_eq!(guest.order(&order).await.counts().order_cache_fills, 1);
    assert_eq!(guest.order(&order).await.counts().order_cache_hits, 1);
}

/// What isn't there is remembered up to a number; what is there always.
#[tokio::test]
async fn ids_that_somebody_invents_leave_no_more_than_so_many_keys() {
    let world = Setup::default().unlimited().own_redis().build().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    for _ in 0..1_000 {
        guest.order(&Uuid::now_v7().to_string()).await.refused(404, "ORDER_NOT_FOUND");
        world.guest().orders().await.expect(200);
    }
    let kept = world.keys.all().into_iter().filter(|key| key.starts_with("order")).count();
    assert!(kept <= 210, "{kept}");
    guest.order(&order).await.expect(200);
    assert_eq!(guest.order(&order).await.counts().order_cache_hits, 1);
}
