//! Redis, with every fault.

use std::{sync::Arc, time::Duration};

use shared::http::route::Route;
use tests::{
    proxy::{FaultProxy, Mode},
    topologies::{Node, RedisPair},
    world::{Setup, World},
};

use super::{
    Outcome, Table,
    scene::{Scene, warm},
};

const FAULTS: [&str; 10] = [
    "down",
    "refused",
    "hung",
    "slow",
    "too slow",
    "read-only",
    "flushed",
    "failing over",
    "old data",
    "out of memory",
];

/// A Redis in which everything can go wrong.
struct Redis {
    node: Node,
    front: FaultProxy,
}

impl Redis {
    async fn start() -> Self {
        let node = Node::plain(&["--dbfilename", "old.rdb", "--maxmemory-policy", "noeviction"]).await;
        let front = FaultProxy::before(tools::ports::local(node.port())).await;
        Self { node, front }
    }

    async fn begin(&mut self, fault: &str) {
        match fault {
            "down" | "refused" => self.front.down().await,
            "hung" => self.front.set(Mode::Hang).await,
            "slow" => self.front.set(Mode::Delay(Duration::from_millis(20))).await,
            "too slow" => self.front.set(Mode::Delay(Duration::from_millis(600))).await,
            "read-only" => self.node.tell("REPLICAOF 127.0.0.1 1"),
            "flushed" => self.node.tell("FLUSHALL"),
            "old data" => {
                self.node.kill();
                self.node.start_again().await;
            }
            "out of memory" => self.node.tell("CONFIG SET maxmemory 1"),
            other => panic!("there is no {other}"),
        }
    }

    async fn end(&mut self) {
        self.front.up().await;
        self.front.cut();
        self.node.tell::<()>("REPLICAOF NO ONE");
        self.node.tell::<()>("CONFIG SET maxmemory 0");
    }
}

async fn shop(url: &str, fault: &str) -> Arc<World> {
    // Where a deadline is waited out, it is a short one.
    let timeout = if matches!(fault, "hung" | "too slow") { "300" } else { "5000" };
    Setup::default()
        .unlimited()
        .cards()
        .setting("PAYMENT_CAPTURE", "manual")
        .setting("REDIS_URL", url)
        .setting("REDIS_TIMEOUT_MS", timeout)
        .build()
        .await
}

async fn column(fault: &str) -> Vec<(&'static str, String)> {
    let mut redis = Redis::start().await;
    let world = shop(&format!("redis://{}", redis.front.address()), fault).await;
    let mut outcomes = Vec::new();
    for route in Route::ALL {
        let scene = Scene::set(&world, route, || redis.node.tell("SAVE")).await;
        let container = world.container();
        if fault != "refused" {
            warm(&world, &container).await;
        }
        redis.begin(fault).await;
        let answer = scene.send(&container).await;
        assert!(answer.status() < 300, "{fault}, {route:?}: {:#}", answer.body());
        outcomes.push((route.function(), Outcome::of_redis(&answer).to_string()));
        redis.end().await;
    }
    outcomes
}

/// Demoted behind the address that stays.
async fn failing_over() -> Vec<(&'static str, String)> {
    let mut pair = RedisPair::start().await;
    let world = shop(&pair.url(), "failing over").await;
    let mut outcomes = Vec::new();
    for route in Route::ALL {
        let scene = Scene::set(&world, route, || ()).await;
        let container = world.container();
        warm(&world, &container).await;
        pair.promote().await;
        outcomes.push((route.function(), Outcome::of_redis(&scene.send(&container).await).to_string()));
    }
    outcomes
}

#[tokio::test]
async fn every_route_goes_on_through_every_fault_of_redis_as_documented() {
    let mut columns = Vec::new();
    for fault in FAULTS {
        let outcomes = if fault == "failing over" { failing_over().await } else { column(fault).await };
        columns.push((fault, outcomes));
    }
    Table::measured(columns).stands_under("Redis");
}
