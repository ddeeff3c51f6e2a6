//! A replica that takes over behind one address, while a client is connected to the server that it takes over from.

use tests::{topologies::RedisPair, world::id_of};

use super::{purchase, shop, used_redis};

#[tokio::test]
async fn a_server_that_was_demoted_is_left_within_the_request() {
    let mut pair = RedisPair::start().await;
    let world = shop(&[("REDIS_URL", &pair.url())]).await;
    let mut sold = 0;
    for at in 0..6 {
        let answers = purchase(&world, sold, async |step| {
            if step == at {
                pair.promote().await;
            }
        })
        .await;
        sold += 2;
        // It answers READONLY to what writes; the same request goes on with the new one.
        assert!(used_redis(&answers), "promoted before step {at}: {answers:#?}");
    }
}

#[tokio::test]
async fn a_primary_that_nobody_replaces_is_a_redis_that_is_gone() {
    let pair = RedisPair::start().await;
    let world = shop(&[("REDIS_URL", &pair.url())]).await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    // Demoted, and the address still leads to it.
    pair.primary().tell::<()>("REPLICAOF 127.0.0.1 1");
    let connections = pair.front().traffic().connections;
    for _ in 0..5 {
        let read = guest.session(id_of(&session)).await;
        assert_eq!((read.counts().session_misses, read.counts().redis_timeouts), (1, 0));
        read.expect(200);
    }
    assert!(pair.front().traffic().connections - connections <= 3, "the breaker lets it be");
}
