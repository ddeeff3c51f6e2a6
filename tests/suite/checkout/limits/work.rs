//! What a limit costs the server: the same for the ten-thousandth request as for the first.

use std::{collections::BTreeMap, sync::Arc};

use redis::aio::MultiplexedConnection;
use serde_json::json;
use shared::http::route::Route;
use tests::world::{Setup, World};

use super::remaining;

const ADDRESS: &str = "203.0.113.9";
const KEY: &str = "checkout:203.0.113.9:GET:/api/v1/checkout/session/:checkoutId";

async fn shop(policy: &str) -> (Arc<World>, MultiplexedConnection, String) {
    let world = Setup::default().own_redis().setting("RATE_LIMITS", format!("get-session={policy}")).build().await;
    let key = format!("{}{KEY}", world.keys.prefix());
    let redis = world.keys.connection().await;
    (world, redis, key)
}

async fn ask(world: &Arc<World>) -> (u16, Option<u32>) {
    let guest = world.guest().from_address(ADDRESS);
    let answer = guest.send(Route::GetSession, &guest.event_about(Route::GetSession, "x").json(&json!({}))).await;
    (answer.status(), remaining(&answer))
}

/// How often each command was called while something was done, by scripts too.
async fn calls(redis: &mut MultiplexedConnection, work: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(redis).await.unwrap();
    work.await;
    let text: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.unwrap();
    let line = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(line).filter(|(name, _)| name != "config|resetstat" && name != "info").collect()
}

/// As if the address had asked this often before, in the last minute.
async fn asked_before(redis: &mut MultiplexedConnection, key: &str, times: u64) {
    let (seconds, _): (u64, u64) = redis::cmd("TIME").query_async(redis).await.unwrap();
    let mut pipeline = redis::pipe();
    for number in 0..times {
        pipeline.zadd(key, format!("{}:1", uuid::Uuid::new_v4()), seconds * 1_000_000 - 30_000_000 + number).ignore();
    }
    let () = pipeline.query_async(redis).await.unwrap();
}

#[tokio::test]
async fn a_request_is_counted_by_as_many_commands_however_many_were_before() {
    let (world, mut redis, key) = shop("10000/60").await;
    ask(&world).await;
    let first = calls(&mut redis, async { assert_eq!(ask(&world).await, (400, Some(9998))) }).await;
    asked_before(&mut redis, &key, 9000).await;
    let late = calls(&mut redis, async { assert_eq!(ask(&world).await, (400, Some(997))) }).await;

    assert_eq!(first, late);
    // None of these answers with more than one entry, or looks at more than it must to find one. HMGET asks whether the
    // caller is blocked.
    let cheap = [
        "evalsha",
        "hmget",
        "pexpire",
        "time",
        "zadd",
        "zcount",
        "zrangebyscore",
        "zremrangebyscore",
        "zrevrange",
        "zscore",
    ];
    assert_eq!(late.keys().map(String::as_str).collect::<Vec<_>>(), cheap);
    assert!(late.values().all(|calls| *calls == 1), "{late:?}");
}

#[tokio::test]
async fn a_refused_request_writes_nothing_and_the_log_is_never_longer_than_the_count() {
    let (world, mut redis, key) = shop("50/60").await;
    for left in (0..50).rev() {
        assert_eq!(ask(&world).await, (400, Some(left)));
    }
    let bytes = async |redis: &mut MultiplexedConnection| -> u64 {
        redis::cmd("MEMORY").arg("USAGE").arg(&key).query_async(redis).await.unwrap()
    };
    let full = bytes(&mut redis).await;
    let before: i64 = redis::cmd("PEXPIRETIME").arg(&key).query_async(&mut redis).await.unwrap();
    let refused = calls(&mut redis, async {
        for _ in 0..200 {
            assert_eq!(ask(&world).await, (429, Some(0)));
        }
    })
    .await;

    let after: i64 = redis::cmd("PEXPIRETIME").arg(&key).query_async(&mut redis).await.unwrap();
    assert_eq!(
        refused.keys().map(String::as_str).collect::<Vec<_>>(),
        ["evalsha", "hmget", "time", "zcount", "zrevrange", "zscore"]
    );
    assert_eq!((bytes(&mut redis).await, after), (full, before));

    // What has left the window goes when the next one is accepted.
    let entries: Vec<String> = redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).query_async(&mut redis).await.unwrap();
    let mut pipeline = redis::pipe();
    for entry in &entries {
        pipeline.cmd("ZINCRBY").arg(&key).arg(-61_000_000).arg(entry).ignore();
    }
    let () = pipeline.query_async(&mut redis).await.unwrap();
    assert_eq!(ask(&world).await, (400, Some(49)));
    let length: u64 = redis::cmd("ZCARD").arg(&key).query_async(&mut redis).await.unwrap();
    assert_eq!(length, 1);
}

/// A deployment meets the lists of the release before it.
#[tokio::test]
async fn a_list_of_an_earlier_release_begins_anew() {
    let (world, mut redis, key) = shop("3/60").await;
    let _: i64 = redis::cmd("RPUSH").arg(&key).arg("1795435200000000:x").query_async(&mut redis).await.unwrap();
    for left in [2, 1, 0] {
        assert_eq!(ask(&world).await, (400, Some(left)));
    }
    assert_eq!(ask(&world).await, (429, Some(0)));
}

/// The setting was made smaller: what is there already may be more than it lets in.
#[tokio::test]
async fn a_limit_that_was_made_smaller_counts_what_came_before() {
    let (world, mut redis, key) = shop("3/60").await;
    asked_before(&mut redis, &key, 10).await;
    assert_eq!(ask(&world).await, (429, Some(0)));
    asked_before(&mut redis, &key, 10).await;
    assert_eq!(ask(&world).await, (429, Some(0)));
}
