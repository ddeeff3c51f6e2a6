//! Limits where keys lie on several servers, and where a server dies with what it has not passed on.

use std::{sync::Arc, time::Duration};

use shared::{app::App, domain::limit::Policy, ports::LimitKey};
use tests::{
    arrivals::{Caller, arrive, fullest_window, refused_in_vain},
    seed::seeds,
    topologies::{RedisCluster, RedisSentinels},
    world::World,
};

use super::shop;

fn containers(world: &World) -> Vec<Arc<App>> {
    (0..3).map(|_| world.container()).collect()
}

fn caller(seed: u64, policy: Policy) -> Caller {
    Caller { key: LimitKey(format!("198.51.100.{seed}:POST:/random")), policy }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_cluster_no_window_is_too_full_and_nobody_is_refused_in_vain() {
    let cluster = RedisCluster::start().await;
    let world = shop(&[("REDIS_TOPOLOGY", "cluster"), ("REDIS_HOST", &cluster.hosts())]).await;
    let policy = Policy { count: 5, window: Duration::from_millis(300) };
    for seed in seeds("LIMITS", 3) {
        let (caller, prefix) = (caller(seed, policy), world.keys.prefix().to_owned());
        let name = |key: &LimitKey| format!("{prefix}checkout:{}", key.0);
        let master = cluster.node(cluster.master_of(&name(&caller.key))).address();
        let client = redis::Client::open(format!("redis://{master}")).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let arrivals = arrive(
            &containers(&world),
            move || std::future::ready(connection.clone()),
            name,
            &caller,
            seed,
            Duration::from_secs(3),
        )
        .await;
        assert!(arrivals.iter().all(|arrival| arrival.allowed == arrival.accepted_at.is_some()), "seed {seed}");
        assert_eq!(fullest_window(&arrivals, policy), policy.count, "seed {seed}");
        assert!(refused_in_vain(&arrivals, policy).is_none(), "seed {seed}: {arrivals:#?}");
    }
}

/// Replication is not waited for: what the dead master had accepted in its last moment, the new one has not heard of,
/// and may accept once more. That is at most one count on top, in the one window around the failover. And while there
/// is no master, each container lets pass what its own log of the window has room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_a_failover_a_window_holds_at_most_one_count_more() {
    let mut sentinels = RedisSentinels::start().await;
    let hosts = sentinels.hosts();
    let settings = [("REDIS_TOPOLOGY", "sentinel"), ("REDIS_SENTINEL_MASTER", "shop"), ("REDIS_HOST", &hosts)];
    let world = shop(&settings).await;
    let policy = Policy { count: 5, window: Duration::from_secs(1) };
    let (prefix, app) = (world.keys.prefix().to_owned(), Arc::clone(world.app()));
    let log = move || {
        let app = Arc::clone(&app);
        async move {
            let now = || time::OffsetDateTime::now_utc();
            loop {
                match shared::adapters::redis::connect::open(&app.config.redis, now).await {
                    Ok(shared::adapters::redis::connect::Connection::Node(connection)) => return connection,
                    // Nobody knows of a primary right now.
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        }
    };
    let containers = containers(&world);
    let caller = caller(1, policy);
    let key_of = |key: &LimitKey| format!("{prefix}checkout:{}", key.0);
    let arriving = arrive(&containers, log, key_of, &caller, 7, Duration::from_secs(9));
    let failing = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let old = sentinels.kill_master();
        sentinels.fails_over(old).await;
    };
    let (arrivals, ()) = tokio::join!(arriving, failing);

    let counted = arrivals.iter().filter(|arrival| arrival.accepted_at.is_some()).count();
    let alone = arrivals.iter().filter(|arrival| arrival.allowed && arrival.accepted_at.is_none()).count();
    assert!(counted > 10, "{counted} counted by Redis prove nothing");
    assert!(alone > 0, "the failover was not noticed");
    let fullest = fullest_window(&arrivals, policy);
    assert!((policy.count..=2 * policy.count).contains(&fullest), "a window held {fullest}");
}
