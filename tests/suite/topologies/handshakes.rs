//! What it costs to connect: connections opened and pieces sent, before the first answer and after a pause, also where
//! one of the addresses swallows packets.

use std::{sync::Arc, time::Duration};

use tests::{
    proxy::{FaultProxy, Mode, Traffic},
    topologies::{BlackHole, RedisCluster, RedisSentinels},
    world::{Answer, World, id_of},
};

use super::{purchase, shop, used_redis};

/// A cluster of which every master is reached through a proxy, and no replica at all.
struct Scene {
    cluster: RedisCluster,
    fronts: Vec<FaultProxy>,
    _holes: Vec<BlackHole>,
}

impl Scene {
    async fn of(masters: usize) -> Self {
        let mut cluster = RedisCluster::of(masters).await;
        let (mut fronts, mut holes) = (Vec::new(), Vec::new());
        for index in 0..masters {
            let front = FaultProxy::before(tools::ports::local(cluster.node(index).port())).await;
            cluster.announce(index, front.address().port()).await;
            fronts.push(front);
        }
        for index in cluster.replicas() {
            let hole = BlackHole::open().await;
            cluster.announce(index, hole.address().port()).await;
            holes.push(hole);
        }
        Self { cluster, fronts, _holes: holes }
    }

    async fn shop(&self, hosts: &str, more: &[(&str, &str)]) -> Arc<World> {
        shop(&[&[("REDIS_TOPOLOGY", "cluster"), ("REDIS_HOST", hosts)], more].concat()).await
    }

    fn entry(&self) -> String {
        self.fronts[0].address().to_string()
    }

    fn traffic(&self) -> Traffic {
        sum(self.fronts.iter())
    }
}

fn sum<'a>(proxies: impl Iterator<Item = &'a FaultProxy>) -> Traffic {
    proxies.map(FaultProxy::traffic).fold(Traffic::default(), |sum, one| Traffic {
        connections: sum.connections + one.connections,
        requests: sum.requests + one.requests,
        commands: sum.commands + one.commands,
        bytes_to_server: sum.bytes_to_server + one.bytes_to_server,
        bytes_to_client: sum.bytes_to_client + one.bytes_to_client,
    })
}

/// The connections that were opened for a request. Replicas follow their masters through the same proxies, so what is
/// sent is not only the request's.
async fn cost(traffic: impl Fn() -> Traffic, request: impl Future<Output = Answer>) -> (u64, Answer) {
    let before = traffic();
    let answer = request.await;
    let after = traffic();
    (after.connections - before.connections, answer)
}

fn undisturbed(answer: &Answer) -> bool {
    let counts = answer.counts();
    (counts.redis_degraded, counts.redis_timeouts, counts.breaker_openings) == (0, 0, 0)
}

/// As `ElastiCache` Serverless is: one address for all slots, and a second one for reads that a security group may hide.
/// It costs what a single server costs. Before, every node of `CLUSTER SLOTS` was connected to first.
#[tokio::test]
async fn one_address_for_all_slots_costs_one_handshake_whatever_else_is_announced() {
    let scene = Scene::of(1).await;
    let entry = scene.entry();
    let single = shop(&[("REDIS_HOST", entry.as_str())]).await;
    let world = scene.shop(&entry, &[]).await;
    let mut costs = Vec::new();
    for world in [&single, &world] {
        let guest = world.guest();
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        let checkout = id_of(&session);
        scene.fronts[0].set(Mode::Delay(Duration::from_millis(60))).await;
        let cold = guest.clone().served_by(&world.container());
        let (connections, answer) = cost(|| scene.traffic(), cold.apply_coupon(checkout, "SAVE20")).await;
        scene.fronts[0].set(Mode::Pass).await;
        assert!(undisturbed(&answer), "{answer:#?}");
        assert_eq!(answer.counts().session_hits, 1);
        answer.expect(200);
        costs.push(connections);
    }
    assert_eq!(costs, [1, 1], "as single, as cluster");
    assert!(used_redis(&purchase(&world, 0, async |_| ()).await));
}

#[tokio::test]
async fn on_a_cluster_only_nodes_that_keys_lie_on_are_connected_to() {
    let scene = Scene::of(3).await;
    let world = scene.shop(&scene.entry(), &[]).await;
    let answers = purchase(&world, 0, async |_| ()).await;
    assert!(used_redis(&answers) && answers.iter().all(undisturbed), "{answers:#?}");
    // One of the container, and one of the replica.
    let connections: Vec<u64> = scene.fronts.iter().map(|front| front.traffic().connections).collect();
    assert!(connections.iter().all(|connections| *connections <= 2), "{connections:?}");

    // After a pause it is known where the keys lie: one handshake, and nobody is asked on the way.
    let world = scene.shop(&scene.entry(), &[("REDIS_IDLE_SECONDS", "1")]).await;
    purchase(&world, 0, async |_| ()).await;
    let guest = world.guest();
    for _ in 0..3 {
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let (connections, read) = cost(|| scene.traffic(), guest.session(id_of(&session))).await;
        assert_eq!(read.counts().session_hits, 1, "{read:#?}");
        assert!(undisturbed(&read), "{read:#?}");
        // Where the limits' keys and the session's lie.
        assert!((1..=3).contains(&connections), "{connections} connections");
    }
}

/// One that was shut off, listed first.
#[tokio::test]
async fn an_address_of_the_settings_that_swallows_packets_holds_nobody_up() {
    let scene = Scene::of(3).await;
    let hole = BlackHole::open().await;
    let hosts = format!("{},{}", hole.address(), scene.entry());
    let world = scene.shop(&hosts, &[]).await;
    let answers = purchase(&world, 0, async |_| ()).await;
    assert!(used_redis(&answers) && answers.iter().all(undisturbed), "{answers:#?}");
    for container in 0..3 {
        let cold = world.guest().served_by(&world.container());
        let answer = cold.initiate(&[("espresso-beans", 1)]).await;
        assert!(undisturbed(&answer), "container {container}: {answer:#?}");
    }
}

/// A master that nobody can reach fails what lies on it, and nothing else; and it is asked again when it is back.
#[tokio::test]
async fn a_master_that_cannot_be_reached_costs_only_what_lies_on_it() {
    let scene = Scene::of(3).await;
    let world = scene.shop(&scene.entry(), &[]).await;
    assert!(used_redis(&purchase(&world, 0, async |_| ()).await));
    scene.fronts[2].down().await;
    let guest = world.guest();
    let (mut there, mut gone) = (0, 0);
    for _ in 0..12 {
        let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
        let key = format!("{}checkout:session:{}", world.keys.prefix(), id_of(&session));
        let cold = guest.clone().served_by(&world.container());
        let read = cold.session(id_of(&session)).await;
        assert_eq!(read.counts().redis_timeouts, 0, "it is refused, and not waited for");
        if scene.cluster.master_of(&key) == 2 {
            gone += 1;
            assert_eq!(read.counts().session_hits, 0);
        } else {
            there += 1;
        }
        read.expect(200);
    }
    assert!(there > 0 && gone > 0, "{there} and {gone} prove nothing");
    scene.fronts[2].up().await;
    let mut sold = 2;
    tests::world::patiently(async || {
        let answers = purchase(&world, sold, async |_| ()).await;
        sold += 2;
        used_redis(&answers)
    })
    .await;
}

/// The primary of before is tried while the sentinels are asked, and a dead one that a sentinel names is not waited for.
#[tokio::test]
async fn after_a_pause_a_primary_behind_sentinels_costs_one_handshake() {
    let sentinels = RedisSentinels::start().await;
    let hosts = sentinels.hosts();
    let front = FaultProxy::before(tools::ports::local(sentinels.sentinel(0).port())).await;
    let settings = [("REDIS_TOPOLOGY", "sentinel"), ("REDIS_SENTINEL_MASTER", "shop"), ("REDIS_IDLE_SECONDS", "1")];
    let asked = front.address().to_string();
    let world = shop(&[&settings[..], &[("REDIS_HOST", asked.as_str())]].concat()).await;
    let guest = world.guest();
    let session = guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    // From now on the sentinel swallows everything: only who remembers the primary gets there.
    front.set(Mode::Hang).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let read = guest.session(id_of(&session)).await;
    assert_eq!(read.counts().session_hits, 1, "{read:#?}");
    assert!(undisturbed(&read), "{read:#?}");
    front.set(Mode::Pass).await;

    // A primary that was demoted meanwhile says so itself.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    sentinels.order_failover().await;
    let world_of_all = shop(&[&settings[..], &[("REDIS_HOST", hosts.as_str())]].concat()).await;
    for world in [&world, &world_of_all] {
        let answer = world.guest().initiate(&[("espresso-beans", 1)]).await;
        assert!(undisturbed(&answer), "{answer:#?}");
    }
}
