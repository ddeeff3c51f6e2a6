//! A single Redis that is there, and not as it was: old data, no memory, read-only.

use shared::http::route::Route;
use tests::{
    event::Event,
    topologies::Node,
    world::{STEPS, World, id_of, patiently},
};

use super::{purchase, shop, used_redis};

/// What `/health` says: as a whole, and of Redis.
async fn health(world: &World) -> [String; 2] {
    let event = Event::get(Route::Health.path());
    let health = world.call("health", event.request()).await.expect(200);
    [&health["status"], &health["redis"]["status"]].map(|text| text.as_str().unwrap().to_owned())
}

fn url(node: &Node) -> String {
    format!("redis://{}", node.address())
}

/// The server is restored from a backup before each step in turn: sessions of the time before, and orders, come back.
#[tokio::test]
async fn a_redis_that_comes_back_with_old_data_decides_nothing() {
    for at in 1..STEPS {
        let mut redis = Node::plain(&["--dbfilename", "old.rdb"]).await;
        let world = shop(&[("REDIS_URL", &url(&redis))]).await;
        purchase(&world, 0, async |step| {
            if step == at - 1 {
                // As it was one step ago, or empty.
                redis.tell::<()>("SAVE");
            }
            if step == at {
                redis.kill();
                redis.start_again().await;
            }
        })
        .await;
        assert!(redis.file("old.rdb").is_file());
    }
}

#[tokio::test]
async fn an_old_copy_of_a_session_is_shown_for_no_longer_than_it_is_trusted() {
    let mut redis = Node::plain(&["--dbfilename", "old.rdb"]).await;
    let url = url(&redis);
    let world = shop(&[("REDIS_URL", &url), ("SESSION_TRUST_SECONDS", "1")]).await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = id_of(&session);
    redis.tell::<()>("SAVE");
    guest.apply_coupon(checkout, "SAVE20").await.expect(200);
    redis.kill();
    redis.start_again().await;
    // It may be shown, for as long as it would have been without the restart; it is never built upon.
    let changed = guest.ship_to(checkout, &tests::world::california()).await.expect(200);
    assert_eq!((&changed["version"], &changed["coupon"]["couponCode"]), (&3.into(), &"SAVE20".into()), "{changed:#}");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(guest.session(checkout).await.expect(200)["version"], 3);
}

#[tokio::test]
async fn a_redis_without_memory_takes_nothing_and_breaks_nothing() {
    let redis = Node::plain(&["--maxmemory-policy", "noeviction"]).await;
    let world = shop(&[("REDIS_URL", &url(&redis))]).await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    redis.tell::<()>("CONFIG SET maxmemory 1");

    // What is there can be read, and nothing can be written.
    let read = guest.session(id_of(&session)).await;
    assert_eq!(read.counts().session_hits, 1, "{read:#?}");
    let answers = purchase(&world, 0, async |_| ()).await;
    assert!(answers.iter().all(|answer| answer.counts().redis_degraded > 0), "{answers:#?}");
    let opened: u64 = answers.iter().map(|answer| answer.counts().breaker_openings).sum();
    assert_eq!(opened, 0, "it answers at once: there is nothing to be left alone");

    assert_eq!(health(&world).await, ["degraded", "refuses-writes"], "it answers everything but writes");
    redis.tell::<()>("CONFIG SET maxmemory 0");
    assert_eq!(health(&world).await, ["ok", "up"]);
    assert!(used_redis(&purchase(&world, 2, async |_| ()).await));
}

#[tokio::test]
async fn a_read_only_redis_breaks_nothing() {
    let redis = Node::plain(&[]).await;
    let world = shop(&[("REDIS_URL", &url(&redis))]).await;
    purchase(&world, 0, async |step| {
        if step == 2 {
            redis.tell::<()>("REPLICAOF 127.0.0.1 1");
        }
    })
    .await;
    assert_eq!(health(&world).await, ["degraded", "down"]);
    redis.tell::<()>("REPLICAOF NO ONE");
    let mut sold = 2;
    patiently(async || {
        let answers = purchase(&world, sold, async |_| ()).await;
        sold += 2;
        used_redis(&answers)
    })
    .await;
}
