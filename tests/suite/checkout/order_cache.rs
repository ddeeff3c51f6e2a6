//! The order cache: filled under a lease, dropped by every change, read only as its owner.

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use shared::http::route::Route;
use tests::{
    dynamo_faults::{Fault, Rule},
    gate::Gate,
    world::{Setup, Shopper, World, in_lists},
};

fn id(order: &Value) -> String {
    order["orderId"].as_str().unwrap().to_owned()
}

async fn listed(shopper: &Shopper, status: &str) -> Vec<Value> {
    let event = shopper.event(Route::ListOrders).query("status", status);
    shopper.send(Route::ListOrders, &event).await.expect(200)["orders"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_and_a_list_are_read_once_and_then_come_from_redis_as_they_are() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let missed = (guest.order(&id(&order)).await.expect(200), guest.orders().await.expect(200));
    world.dynamodb.forget_calls();
    let hit = (guest.order(&id(&order)).await.expect(200), guest.orders().await.expect(200));
    assert_eq!(world.dynamodb.calls().len(), 0);
    assert_eq!(hit, missed);

    let mut redis = world.keys.connection().await;
    let prefix = world.keys.prefix();
    let ttl: i64 = redis.ttl(format!("{prefix}order:{}", id(&order))).await.unwrap();
    assert!((595..=600).contains(&ttl), "{ttl}");
    let ttl: i64 = redis.ttl(format!("{prefix}orders:{}", guest.guest_id())).await.unwrap();
    assert!((295..=300).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn a_change_drops_the_order_and_every_list_of_its_owner() {
    let world = World::new().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    guest.order(&id(&order)).await.expect(200);
    assert_eq!(listed(&guest, "confirmed").await.len(), 1);
    assert_eq!(listed(&guest, "processing").await.len(), 0);

    world.staff().set_status(&id(&order), "processing").await.expect(200);
    assert_eq!(guest.order(&id(&order)).await.expect(200)["order"]["status"], "processing");
    assert_eq!(listed(&guest, "confirmed").await.len(), 0);
    assert_eq!(listed(&guest, "processing").await.len(), 1);

    let second = guest.buy(&[("espresso-beans", 1)]).await;
    assert_eq!(guest.orders().await.expect(200)["orders"].as_array().map(Vec::len), Some(2));
    guest.cancel(&id(&second)).await.expect(200);
    assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], "cancelled");
    assert_eq!(listed(&guest, "cancelled").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fill_that_began_before_a_change_never_lands_after_it() {
    let world = World::new().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);

    for (operation, list) in [("GetItem", false), ("Query", true)] {
        world.keys.clear();
        let before = guest.order(&order).await.expect(200)["order"]["status"].clone();
        world.keys.clear();
        // The reader has read the old state, and is held before it can fill the cache with it.
        let gate = Gate::closed();
        world.dynamodb.add(Rule::on(operation, Fault::HoldAnswer(gate.clone())).times(1));
        let (slow, id) = (guest.clone(), order.clone());
        let reader = tokio::spawn(async move { if list { slow.orders().await } else { slow.order(&id).await } });
        gate.arrived(1).await;
        let next = if before == json!("confirmed") { "processing" } else { "shipped" };
        world.staff().set_status(&order, next).await.expect(200);
        gate.open();
        reader.await.unwrap().expect(200);
        world.dynamodb.clear_rules();

        assert_eq!(guest.order(&order).await.expect(200)["order"]["status"], next);
        assert_eq!(guest.orders().await.expect(200)["orders"][0]["status"], next);
    }
}

#[tokio::test]
async fn a_strangers_look_neither_sees_nor_spoils_a_cached_order() {
    let world = World::new().await;
    let guest = world.guest();
    let order = id(&guest.buy(&[("espresso-beans", 1)]).await);
    for _ in 0..2 {
        world.guest().order(&order).await.refused(404, "ORDER_NOT_FOUND");
        guest.order(&order).await.expect(200);
    }
    // A user whose id is the guest's is another owner, under the same key.
    let twin = world.user(guest.guest_id());
    guest.orders().await.expect(200);
    assert_eq!(twin.orders().await.expect(200)["orders"], json!([]));
    twin.order(&order).await.refused(404, "ORDER_NOT_FOUND");
}

#[tokio::test]
async fn without_redis_orders_come_from_the_database() {
    let world = Setup::default().setting("REDIS_TIMEOUT_MS", "200").build().await;
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    world.redis.down().await;
    assert_eq!(guest.order(&id(&order)).await.expect(200)["order"], order);
    assert_eq!(guest.orders().await.expect(200)["orders"][0], in_lists(&order));
}
