//! The window slides. Time is made to pass by making the requests in the log older: nothing here waits.

use std::{sync::Arc, time::Duration};

use redis::AsyncCommands;
use tests::world::{Answer, Setup, Shopper, World};

use super::{ask, remaining};

const ADDRESS: &str = "203.0.113.5";
const KEY: &str = "checkout:203.0.113.5:POST:/api/v1/checkout/initiate";

/// Two a minute on initiate, and someone to use them up.
async fn two_a_minute() -> (Arc<World>, Shopper) {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "2/60").build().await;
    let guest = world.guest().from_address(ADDRESS);
    (world, guest)
}

/// The accepted requests, newest first: which, and when in µs.
async fn log(world: &World) -> Vec<(String, f64)> {
    let key = format!("{}{KEY}", world.keys.prefix());
    world.keys.connection().await.zrevrange_withscores(key, 0, -1).await.expect("a sorted set")
}

/// Lets this much time pass for one accepted request, the newest being 0.
async fn age(world: &World, request: usize, by: Duration) {
    let key = format!("{}{KEY}", world.keys.prefix());
    let (which, _) = log(world).await.swap_remove(request);
    let by = i64::try_from(by.as_micros()).expect("short");
    let _: f64 = world.keys.connection().await.zincr(key, which, -by).await.expect("an entry");
}

#[track_caller]
fn wait(refused: &Answer) -> Duration {
    assert_eq!(refused.status(), 429);
    Duration::from_secs(refused.header("retry-after").expect("when to come back").parse().expect("seconds"))
}

#[tokio::test]
async fn each_request_leaves_the_window_by_itself() {
    let (world, guest) = two_a_minute().await;
    ask(&guest).await.expect(201);
    ask(&guest).await.expect(201);
    age(&world, 1, Duration::from_secs(50)).await;
    let refused = ask(&guest).await;
    assert!(wait(&refused) <= Duration::from_secs(10), "{:?}", wait(&refused));

    age(&world, 1, Duration::from_secs(10)).await;
    let third = ask(&guest).await;

    // The second request is as young as ever: a window that began anew would have room for another.
    assert_eq!((third.status(), remaining(&third)), (201, Some(0)));
    ask(&guest).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn whoever_waits_as_told_is_let_in() {
    let (world, guest) = two_a_minute().await;
    ask(&guest).await.expect(201);
    ask(&guest).await.expect(201);
    let told = wait(&ask(&guest).await);
    assert!(told <= Duration::from_secs(60), "{told:?}");

    // The oldest first: they stay in order.
    for request in [1, 0] {
        age(&world, request, told).await;
    }

    let next = ask(&guest).await;
    assert_eq!((next.status(), remaining(&next)), (201, Some(1)));
}

#[tokio::test]
async fn what_is_refused_doesnt_count() {
    let (world, guest) = two_a_minute().await;
    ask(&guest).await.expect(201);
    ask(&guest).await.expect(201);
    let accepted = log(&world).await;

    for _ in 0..5 {
        ask(&guest).await.refused(429, "RATE_LIMITED");
    }

    assert_eq!(log(&world).await, accepted);
    assert_eq!(accepted.len(), 2);
}

#[tokio::test]
async fn the_log_goes_with_the_window() {
    let (world, guest) = two_a_minute().await;
    ask(&guest).await.expect(201);

    let key = format!("{}{KEY}", world.keys.prefix());
    let life: i64 = world.keys.connection().await.pttl(key).await.expect("a life");

    assert!((1..=60_000).contains(&life), "{life} ms");
}

#[tokio::test]
async fn containers_count_together() {
    let (world, guest) = two_a_minute().await;
    for _ in 0..2 {
        ask(&guest.clone().served_by(&world.container())).await.expect(201);
    }

    ask(&guest.served_by(&world.container())).await.refused(429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_window_passes_in_true_time() {
    let world = Setup::default().setting("RATE_LIMIT_INITIATE", "1/1").build().await;
    let guest = world.guest();
    ask(&guest).await.expect(201);

    tokio::time::sleep(Duration::from_secs(1)).await;

    ask(&guest).await.expect(201);
}
