use std::sync::Arc;

use tests::{
    race,
    world::{Setup, World, id_of},
};

#[tokio::test]
async fn a_purchase_leaves_its_traces_in_the_ledger() {
    let world = World::new().await;
    let before = world.stock("espresso-beans").await;

    let shopper = world.guest();
    let order = shopper.buy(&[("espresso-beans", 2)]).await;

    assert_eq!(world.stock("espresso-beans").await, before - 2);
    assert_eq!(world.stored_orders().await.len(), 1);
    let read = shopper.order(order["orderId"].as_str().unwrap()).await.expect(200);
    assert_eq!(read["order"]["orderId"], order["orderId"]);
    assert!(world.dynamodb.count("TransactWriteItems") >= 1);
    assert!(world.redis.traffic().requests > 0);
    assert!(world.keys.all().iter().any(|key| key.starts_with("checkout:session:")));
}

#[tokio::test]
async fn worlds_do_not_meet() {
    let (first, second) = (World::new().await, World::new().await);
    let shopper = first.guest();
    let session = shopper.fill_cart(&[("espresso-beans", 1)]).await;

    let elsewhere = second.guest().known_as_guest(shopper.guest_id());

    elsewhere.session(id_of(&session)).await.refused(404, "SESSION_NOT_FOUND");
    shopper.session(id_of(&session)).await.expect(200);
}

#[tokio::test]
async fn users_and_staff_are_let_in() {
    let world = World::new().await;
    let order = world.user("ada").buy(&[("espresso-beans", 1)]).await;
    let order = order["orderId"].as_str().unwrap();

    world.user("ada").set_status(order, "processing").await.refused(403, "FORBIDDEN");
    world.staff().set_status(order, "processing").await.expect(200);
}

#[tokio::test]
async fn a_world_with_its_own_redis_can_lose_it() {
    let world = Setup::default().own_redis().setting("REDIS_TIMEOUT_MS", "100").build().await;
    let shopper = world.guest();
    let session = shopper.fill_cart(&[("espresso-beans", 1)]).await;

    world.keys.server().stop();

    shopper.session(id_of(&session)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_at_once_comes_back_in_order() {
    let world = World::new().await;
    let numbers = race::at_once(8, |number| {
        let world = Arc::clone(&world);
        async move {
            world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
            number
        }
    });
    assert_eq!(numbers.await, [0, 1, 2, 3, 4, 5, 6, 7]);
}
