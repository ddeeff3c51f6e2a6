//! `DynamoDB` out of reach, or busy with someone else's transaction: what is answered, and what is left of it.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    http::route::Route,
};
use tests::{
    dynamo_faults::{Fault, Rule},
    event::Event,
    proxy::FaultProxy,
    world::{Answer, Setup, Shopper, World, california, id_of, in_lists, total_of},
};

/// A container that reaches the database through another proxy, one that can refuse connections.
async fn container_behind_a_proxy(world: &World) -> (FaultProxy, Arc<App>) {
    let proxy = FaultProxy::before(world.dynamodb.address()).await;
    let mut config = world.app().config.clone();
    config.dynamodb.endpoint = Some(format!("http://{}", proxy.address()));
    (proxy, Arc::new(App::new(config, Clock::System).unwrap()))
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status(), answer.code()), (503, Some("STORE_UNAVAILABLE")), "{:#}", answer.body());
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(wait > 0);
}

/// Asks while the database refuses connections, and again when it is back.
async fn refused_and_again(proxy: &FaultProxy, status: u16, ask: impl AsyncFn() -> Answer) -> Value {
    proxy.down().await;
    assert_unavailable(&ask().await);
    proxy.up().await;
    ask().await.expect(status)
}

#[tokio::test]
async fn every_step_fails_whole_while_the_database_is_gone_and_goes_through_when_it_is_back() {
    let world = Setup::default().unlimited().build().await;
    let (proxy, container) = container_behind_a_proxy(&world).await;
    let guest = world.guest().served_by(&container);
    let staff = world.staff().served_by(&container);

    let session = refused_and_again(&proxy, 201, async || guest.initiate(&[("espresso-beans", 2)]).await).await;
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
    let checkout = id_of(&session);
    refused_and_again(&proxy, 200, async || guest.ship_to(checkout, &california()).await).await;
    refused_and_again(&proxy, 200, async || guest.choose_shipping(checkout, "us-standard").await).await;
    refused_and_again(&proxy, 200, async || guest.tax(checkout).await).await;
    refused_and_again(&proxy, 200, async || guest.apply_coupon(checkout, "FLAT500").await).await;
    refused_and_again(&proxy, 200, async || guest.remove_coupon(checkout).await).await;
    let session = refused_and_again(&proxy, 200, async || guest.apply_coupon(checkout, "SAVE20").await).await;
    assert_eq!(session["version"], json!(6), "each change once");

    let total = total_of(&session);
    let confirmed = refused_and_again(&proxy, 201, async || guest.confirm(checkout, total).await).await;
    assert_eq!(world.stored_orders().await.len(), 1);
    assert_eq!(world.stock("espresso-beans").await, 99_998);
    let order = confirmed["order"]["orderId"].as_str().unwrap();
    let read = refused_and_again(&proxy, 200, async || guest.order(order).await).await;
    assert_eq!(read["order"], confirmed["order"]);
    let list = refused_and_again(&proxy, 200, async || guest.orders().await).await;
    assert_eq!(list["orders"], json!([in_lists(&confirmed["order"])]));
    refused_and_again(&proxy, 200, async || staff.set_status(order, "processing").await).await;
    let moved = refused_and_again(&proxy, 200, async || staff.set_status(order, "cancelled").await).await;
    assert_eq!(moved["order"]["version"], json!(3));
    assert_eq!(world.stock("espresso-beans").await, 100_000);
}

#[tokio::test]
async fn a_key_is_not_used_up_by_a_database_that_was_gone() {
    let world = Setup::default().unlimited().build().await;
    let (proxy, container) = container_behind_a_proxy(&world).await;
    let guest = world.guest().served_by(&container);
    let body = json!({"cartItems": [{"productId": "espresso-beans", "quantity": 1}]});
    let open = async || guest.post_once(Route::Initiate, "a-key", &body).await;
    let session = refused_and_again(&proxy, 201, open).await;
    assert_eq!(open().await.expect(201), session);
    assert_eq!(world.all("SESSIONS_TABLE").await.len(), 1);
}

#[tokio::test]
async fn what_redis_has_is_still_shown_while_the_database_is_gone() {
    let world = Setup::default().unlimited().build().await;
    let (proxy, container) = container_behind_a_proxy(&world).await;
    let guest = world.guest().served_by(&container);
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    let before = (guest.order(order).await.expect(200), guest.orders().await.expect(200));

    proxy.down().await;
    assert_eq!(guest.session(id_of(&session)).await.expect(200)["version"], session["version"]);
    assert_eq!((guest.order(order).await.expect(200), guest.orders().await.expect(200)), before);
    // But a stranger is not told that it isn't there: nobody knows.
    assert_unavailable(&world.guest().served_by(&container).order(order).await);
}

#[tokio::test]
async fn with_both_stores_gone_every_route_says_so_and_none_pretends() {
    let world = Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "200").build().await;
    let (proxy, container) = container_behind_a_proxy(&world).await;
    let guest = world.guest().served_by(&container);
    let session = guest.fill_cart(&[("espresso-beans", 1)]).await;
    let (checkout, total) = (id_of(&session), total_of(&session));
    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();
    proxy.down().await;
    world.redis.down().await;

    assert_unavailable(&guest.initiate(&[("espresso-beans", 1)]).await);
    assert_unavailable(&guest.session(checkout).await);
    assert_unavailable(&guest.ship_to(checkout, &california()).await);
    assert_unavailable(&guest.shipping_offers(checkout).await);
    assert_unavailable(&guest.tax(checkout).await);
    assert_unavailable(&guest.apply_coupon(checkout, "SAVE20").await);
    assert_unavailable(&guest.remove_coupon(checkout).await);
    assert_unavailable(&guest.confirm(checkout, total).await);
    assert_unavailable(&guest.orders().await);
    assert_unavailable(&guest.order(order).await);
    assert_unavailable(&guest.cancel(order).await);
    assert_unavailable(&world.staff().served_by(&container).set_status(order, "shipped").await);
    let event = Event::get("/api/v1/checkout/health");
    let health = world.call_in(&container, "health", event.request()).await.expect(200);
    assert_eq!(health["status"], "degraded");
    assert_eq!((&health["redis"]["status"], &health["dynamodb"]["status"]), (&json!("down"), &json!("down")));

    proxy.up().await;
    guest.confirm(checkout, total).await.expect(201);
    assert_eq!(world.stored_orders().await.len(), 2);
}

#[tokio::test]
async fn health_does_not_wait_for_a_database_that_hangs() {
    let world = Setup::default().setting("DYNAMODB_TIMEOUT_MS", "100").build().await;
    world.dynamodb.add(Rule::on("GetItem", Fault::Hang));
    let event = Event::get("/api/v1/checkout/health");
    let health = world.call("health", event.request()).await.expect(200);
    assert_eq!((&health["status"], &health["dynamodb"]["status"]), (&json!("degraded"), &json!("down")));
    assert_eq!(health["redis"]["status"], "up");
}

/// A transaction that holds the item refuses a write to it alone; it is over in a moment.
#[tokio::test]
async fn a_write_that_meets_a_transaction_on_its_item_is_made_when_that_is_over() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let busy = || world.dynamodb.add(Rule::on("PutItem", Fault::TransactionConflict).times(3));

    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let hits = busy();
    let changed = guest.ship_to(id_of(&session), &california()).await.expect(200);
    assert_eq!((hits.count(), &changed["version"]), (3, &json!(2)));

    let order = guest.buy(&[("espresso-beans", 1)]).await;
    let hits = busy();
    let moved = world.staff().set_status(order["orderId"].as_str().unwrap(), "processing").await.expect(200);
    assert_eq!((hits.count(), &moved["order"]["version"]), (3, &json!(2)));
    assert_eq!(moved["order"]["statusHistory"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn troubles_of_reads_and_of_moves_are_told_as_such_and_leave_nothing_behind() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    let order = guest.buy(&[("limited-print", 2)]).await;
    let order = order["orderId"].as_str().unwrap().to_owned();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let ask = async |who: &Shopper, what: &str| match what {
        "session" => who.session(id_of(&session)).await,
        "order" => who.order(&order).await,
        "orders" => who.orders().await,
        "cancel" => who.cancel(&order).await,
        _ => world.staff().set_status(&order, "processing").await,
    };
    for fault in [Fault::Throttling, Fault::ProvisionedThroughputExceeded, Fault::InternalServerError] {
        for (what, operation) in [
            ("session", "GetItem"),
            ("order", "GetItem"),
            ("orders", "Query"),
            ("cancel", "GetItem"),
            ("cancel", "TransactWriteItems"),
            ("status", "Query"),
            ("status", "GetItem"),
            ("status", "PutItem"),
        ] {
            world.keys.clear();
            let hits = world.dynamodb.add(Rule::on(operation, fault.clone()));
            assert_unavailable(&ask(&guest, what).await);
            assert!(hits.count() > 0, "{what}: {operation}");
            world.dynamodb.clear_rules();
        }
    }
    let read = guest.order(&order).await.expect(200);
    assert_eq!((&read["order"]["status"], &read["order"]["version"]), (&json!("confirmed"), &json!(1)));
    assert_eq!(world.stock("limited-print").await, 3);
    guest.cancel(&order).await.expect(200);
    assert_eq!(world.stock("limited-print").await, 5);
}
