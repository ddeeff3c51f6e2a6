//! Redis Cluster: every key somewhere else.

use serde_json::json;
use shared::http::route::Route;
use tests::{
    topologies::RedisCluster,
    world::{Setup, cart, id_of},
};

use super::{purchase, shop, used_redis};

fn settings(cluster: &RedisCluster) -> [(&'static str, String); 2] {
    [("REDIS_TOPOLOGY", "cluster".to_owned()), ("REDIS_HOST", cluster.hosts())]
}

async fn shop_on(cluster: &RedisCluster) -> std::sync::Arc<tests::world::World> {
    let [topology, hosts] = settings(cluster);
    shop(&[(topology.0, &topology.1), (hosts.0, &hosts.1)]).await
}

/// The key of a session's copy.
fn copy(world: &tests::world::World, checkout: &str) -> String {
    format!("{}checkout:session:{checkout}", world.keys.prefix())
}

#[tokio::test]
async fn a_purchase_runs_on_a_cluster_whatever_the_servers_forget_and_wherever_slots_go() {
    let cluster = RedisCluster::start().await;
    let world = shop_on(&cluster).await;
    let answers = purchase(&world, 0, async |_| ()).await;
    assert!(used_redis(&answers), "{answers:#?}");
    let nodes: std::collections::BTreeSet<_> = cluster.keys().iter().map(|key| cluster.master_of(key)).collect();
    assert!(nodes.len() > 1, "the keys lie on one node, which proves nothing");

    let answers = purchase(&world, 2, async |_| cluster.tell_masters("SCRIPT FLUSH")).await;
    assert!(used_redis(&answers), "a forgotten script costs nobody anything: {answers:#?}");

    let answers = purchase(&world, 4, async |_| cluster.tell_masters("FLUSHALL")).await;
    assert!(answers.iter().all(|answer| answer.counts().redis_degraded == 0), "an empty cluster is a good one");

    // MOVED and ASK.
    let guest = world.guest();
    for stop_in_the_middle in [false, true] {
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        let key = copy(&world, id_of(&session));
        let to = (cluster.master_of(&key) + 1) % 3;
        cluster.move_slot(&key, to, stop_in_the_middle);
        let read = guest.session(id_of(&session)).await;
        assert_eq!((read.counts().session_hits, read.counts().redis_degraded), (1, 0), "{read:#?}");
        read.expect(200);
        let changed = guest.apply_coupon(id_of(&session), "SAVE20").await;
        assert_eq!(changed.counts().redis_degraded, 0);
        changed.expect(200);
    }
}

#[tokio::test]
async fn limits_are_exact_on_a_cluster() {
    let cluster = RedisCluster::start().await;
    let [topology, hosts] = settings(&cluster);
    let setup = Setup::default().setting("REDIS_URL", "").setting("RATE_LIMIT_INITIATE", "10/300");
    let world = setup.setting(topology.0, topology.1).setting(hosts.0, hosts.1).build().await;
    let guest = world.guest();
    let containers: Vec<_> = (0..4).map(|_| world.container()).collect();
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)])});
    let ask = |at: usize| {
        let guest = guest.clone().served_by(&containers[at % containers.len()]);
        let body = body.clone();
        async move { guest.post(Route::Initiate, &body).await.status() }
    };
    let answers = tests::race::at_once(60, ask).await;
    let accepted = answers.iter().filter(|status| **status == 201).count();
    assert_eq!((accepted, answers.len()), (10, 60), "{answers:?}");
}

/// One of three masters dies in the middle, comes back as a replica, and another dies: each purchase is whole.
#[tokio::test]
async fn a_purchase_survives_the_death_of_any_master() {
    let mut cluster = RedisCluster::start().await;
    let world = shop_on(&cluster).await;
    let mut sold = 0;
    for dying in 0..3 {
        purchase(&world, sold, async |step| {
            if step == 2 {
                cluster.kill(dying);
            }
            if step == 4 {
                cluster.fails_over(dying).await;
            }
        })
        .await;
        sold += 2;
        cluster.start_again(dying).await;
    }
    // Whoever opened the breaker probes again: in a while everything is done with Redis once more.
    tests::world::patiently(async || used_redis(&whole(&world, &mut sold).await)).await;
}

async fn whole(world: &std::sync::Arc<tests::world::World>, sold: &mut u64) -> Vec<tests::world::Answer> {
    let answers = purchase(world, *sold, async |_| ()).await;
    *sold += 2;
    answers
}

/// A node that hangs holds up nobody for longer than the deadline, and the others go on being used.
#[tokio::test]
async fn a_purchase_survives_a_master_that_hangs() {
    let cluster = RedisCluster::start().await;
    let world = shop_on(&cluster).await;
    let mut sold = 0;
    for hanging in 0..3 {
        let answers = purchase(&world, sold, async |step| {
            if step == 2 {
                cluster.node(hanging).freeze();
            }
        })
        .await;
        sold += 2;
        for answer in &answers {
            assert!(answer.counts().redis_timeouts <= 2, "{answer:#?}");
        }
        cluster.node(hanging).thaw();
    }
    tests::world::patiently(async || used_redis(&whole(&world, &mut sold).await)).await;
}
