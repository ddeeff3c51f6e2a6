//! The same commands on a cluster and through Sentinel.

use std::collections::BTreeMap;

use serde_json::json;
use tests::{
    topologies::{RedisCluster, RedisSentinels},
    world::{Setup, World},
};

use super::run;

async fn commands(world: &std::sync::Arc<World>, servers: usize) {
    let guest = world.guest();
    let order = guest.buy(&[("espresso-beans", 1)]).await["orderId"].as_str().unwrap().to_owned();
    guest.order(&order).await.expect(200);
    guest.orders().await.expect(200);
    for _ in 0..20 {
        world.guest().initiate(&[("espresso-beans", 1)]).await.expect(201);
    }
    let stats = run(world, &["stats", "--json"]).await.json();
    assert_eq!(stats["servers"].as_array().unwrap().len(), servers);
    assert_eq!((&stats["kinds"]["session"]["keys"], &stats["kinds"]["order"]["keys"]), (&json!(21), &json!(1)));
    let keys = run(world, &["keys", "session:*", "--json"]).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 21);
    let ttls: BTreeMap<_, _> =
        keys["keys"].as_array().unwrap().iter().map(|key| (key["key"].to_string(), &key["ttl"])).collect();
    assert!(ttls.values().all(|ttl| ttl["in"].as_u64() > Some(1_700_000)), "{ttls:?}");
    assert_eq!(
        run(world, &["clear", "session:*", "--yes", "--json"]).await.json(),
        json!({"found": 21, "dropped": 21})
    );
    assert_eq!(run(world, &["keys", "session:*"]).await.code, 3);
    let healthy = run(world, &["doctor"]).await;
    assert!(healthy.has_no_fault(), "{healthy:?}");
}

#[tokio::test]
async fn on_a_cluster_every_node_is_asked() {
    let cluster = RedisCluster::start().await;
    // One node is enough to find the others.
    let hosts = cluster.node(4).address();
    let setup = Setup::default().unlimited().setting("REDIS_URL", "").setting("REDIS_TOPOLOGY", "cluster");
    let world = setup.setting("REDIS_HOST", hosts).setting("REDIS_TIMEOUT_MS", "1000").build().await;
    commands(&world, 3).await;
}

#[tokio::test]
async fn through_sentinel_the_master_is_asked() {
    let sentinels = RedisSentinels::with_passwords(Some("for-servers"), None).await;
    let setup = Setup::default().unlimited().setting("REDIS_URL", "").setting("REDIS_TOPOLOGY", "sentinel");
    let setup =
        setup.setting("REDIS_SENTINEL_MASTER", sentinels.master_name()).setting("REDIS_HOST", sentinels.hosts());
    let world = setup.setting("REDIS_PASSWORD", "for-servers").build().await;
    commands(&world, 1).await;
    sentinels.order_failover().await;
    assert_eq!(run(&world, &["stats"]).await.code, 0);
}
