//! Callers whom staff have shut out.

use std::{sync::Arc, time::Duration};

use redis::AsyncCommands as _;
use shared::{domain::block::Blocks, http::route::Route};
use tests::{
    topologies::RedisCluster,
    world::{Answer, Setup, Shopper, World},
};

const ADDRESS: &str = "203.0.113.9";

pub(super) async fn write(world: &World, caller: &str, route: Option<&str>, for_: time::Duration) {
    let mut blocks = Blocks::default();
    blocks.add(route, world.app().now() + for_);
    let key = format!("{}blocked", world.keys.prefix());
    let _: () = world.keys.connection().await.hset(key, caller, blocks.to_string()).await.unwrap();
}

async fn anything(shopper: &Shopper, route: Route) -> Answer {
    shopper.send(route, &shopper.bare_event(route)).await
}

#[track_caller]
fn is_blocked(answer: &Answer) {
    assert_eq!(answer.counts().blocked_requests, 1, "{answer:#?}");
    let problem = answer.clone().refused(403, "CALLER_BLOCKED");
    assert!(problem["detail"].as_str().unwrap().contains("until 20"), "{problem}");
}

#[tokio::test]
async fn an_address_is_shut_out_of_every_route_whoever_calls_from_there_and_nobody_else_is() {
    let world = Setup::default().unlimited().build().await;
    write(&world, ADDRESS, None, time::Duration::HOUR).await;
    let inside = [world.guest(), world.user("ada"), world.nobody(), world.guest().with_token("forged")];
    let inside = inside.map(|caller| caller.from_address(ADDRESS));
    for route in Route::ALL {
        world.dynamodb.forget_calls();
        for caller in &inside {
            is_blocked(&anything(caller, route).await);
        }
        assert_eq!(world.dynamodb.calls().len(), 0, "{route:?}: nothing is done for who is shut out");
        assert_ne!(anything(&world.guest(), route).await.status(), 403, "{route:?}");
    }
    // Any address of an IPv6 network is the network.
    write(&world, "2001:db8:1:2::", None, time::Duration::HOUR).await;
    is_blocked(&anything(&world.guest().from_address("2001:db8:1:2::77"), Route::Health).await);
    anything(&world.guest().from_address("2001:db8:1:3::77"), Route::Health).await.expect(200);
}

#[tokio::test]
async fn a_user_is_shut_out_wherever_they_call_from_and_of_one_route_if_so() {
    let world = Setup::default().unlimited().build().await;
    write(&world, "ada", None, time::Duration::HOUR).await;
    write(&world, "bob", Some("apply-coupon"), time::Duration::HOUR).await;
    for address in ["203.0.113.1", "203.0.113.2"] {
        let [ada, bob] = ["ada", "bob"].map(|name| world.user(name).from_address(address));
        for route in [Route::ListOrders, Route::ApplyCoupon, Route::GetSession] {
            is_blocked(&anything(&ada, route).await);
        }
        is_blocked(&anything(&bob, Route::ApplyCoupon).await);
        bob.orders().await.expect(200);
        assert_ne!(anything(&world.guest().from_address(address), Route::ApplyCoupon).await.status(), 403);
    }
}

#[tokio::test]
async fn a_block_ends_by_itself() {
    let world = Setup::default().unlimited().build().await;
    write(&world, ADDRESS, None, time::Duration::minutes(10)).await;
    let guest = world.guest().from_address(ADDRESS);
    let at = |minutes: u64| guest.clone().served_by(&world.container_after(Duration::from_secs(minutes * 60)));
    is_blocked(&anything(&at(9), Route::Health).await);
    anything(&at(11), Route::Health).await.expect(200);
}

/// It rides with what is asked anyway, and reads one key.
#[tokio::test]
async fn looking_for_blocks_takes_no_trip_of_its_own() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest();
    anything(&guest, Route::Health).await.expect(200);
    let before = world.redis.traffic();
    anything(&guest, Route::UpdateAddress).await.expect(400);
    let after = world.redis.traffic();
    assert_eq!((after.requests - before.requests, after.commands - before.commands), (1, 2));
}

#[tokio::test]
async fn with_redis_gone_a_container_remembers_whom_it_has_seen_shut_out() {
    let world: Arc<World> = Setup::default().unlimited().setting("REDIS_TIMEOUT_MS", "200").build().await;
    write(&world, ADDRESS, None, time::Duration::HOUR).await;
    let guest = world.guest().from_address(ADDRESS);
    is_blocked(&anything(&guest, Route::ApplyCoupon).await);
    world.redis.down().await;
    for _ in 0..3 {
        is_blocked(&anything(&guest, Route::ApplyCoupon).await);
    }
    // Another container hasn't, and nobody else is shut out.
    let elsewhere = guest.clone().served_by(&world.container());
    assert_ne!(anything(&elsewhere, Route::ApplyCoupon).await.status(), 403);
    assert_ne!(anything(&world.guest(), Route::ApplyCoupon).await.status(), 403);
}

#[tokio::test]
async fn a_caller_who_is_let_in_again_is_served_at_once_and_rubbish_shuts_nobody_out() {
    let world = Setup::default().unlimited().build().await;
    let guest = world.guest().from_address(ADDRESS);
    write(&world, ADDRESS, None, time::Duration::HOUR).await;
    is_blocked(&anything(&guest, Route::Health).await);
    let key = format!("{}blocked", world.keys.prefix());
    let _: () = world.keys.connection().await.hdel(&key, ADDRESS).await.unwrap();
    anything(&guest, Route::Health).await.expect(200);
    let _: () = world.keys.connection().await.hset(&key, ADDRESS, "rubbish").await.unwrap();
    anything(&guest, Route::Health).await.expect(200);
}

#[tokio::test]
async fn on_a_cluster_too() {
    let cluster = RedisCluster::start().await;
    let setup = Setup::default().unlimited().setting("REDIS_URL", "").setting("REDIS_TOPOLOGY", "cluster");
    let world = setup.setting("REDIS_HOST", cluster.hosts()).setting("REDIS_TIMEOUT_MS", "5000").build().await;
    let mut blocks = Blocks::default();
    blocks.add(None, world.app().now() + time::Duration::HOUR);
    let key = format!("{}blocked", world.keys.prefix());
    let master = cluster.node(cluster.master_of(&key)).address();
    let client = redis::Client::open(format!("redis://{master}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = connection.hset(key, ADDRESS, blocks.to_string()).await.unwrap();
    for route in [Route::Health, Route::GetSession, Route::ConfirmOrder] {
        is_blocked(&anything(&world.guest().from_address(ADDRESS), route).await);
        assert_ne!(anything(&world.guest(), route).await.status(), 403);
    }
}
