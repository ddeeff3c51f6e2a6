//! Redis Sentinel: the primary is where the sentinels say.

use std::sync::Arc;

use tests::{
    topologies::RedisSentinels,
    world::{World, patiently},
};

use super::{purchase, shop, used_redis};

async fn shop_on(sentinels: &RedisSentinels, more: &[(&str, &str)]) -> Arc<World> {
    let hosts = sentinels.hosts();
    let settings = [
        ("REDIS_TOPOLOGY", "sentinel"),
        ("REDIS_SENTINEL_MASTER", sentinels.master_name()),
        ("REDIS_HOST", hosts.as_str()),
    ];
    shop(&[&settings, more].concat()).await
}

#[tokio::test]
async fn a_purchase_survives_a_failover_that_somebody_ordered() {
    let sentinels = RedisSentinels::start().await;
    let world = shop_on(&sentinels, &[]).await;
    let answers = purchase(&world, 0, async |step| {
        if step == 3 {
            sentinels.order_failover().await;
        }
    })
    .await;
    // The demoted server ended the connection, or refuses writes: the same request finds the new one.
    assert!(answers.iter().all(|answer| answer.counts().redis_degraded == 0), "{answers:#?}");
}

#[tokio::test]
async fn a_purchase_survives_the_death_of_the_master_and_of_a_sentinel() {
    let mut sentinels = RedisSentinels::start().await;
    let world = shop_on(&sentinels, &[]).await;
    // The first to be asked hangs: the others answer.
    sentinels.sentinel(0).freeze();
    let mut dead = None;
    purchase(&world, 0, async |step| {
        if step == 2 {
            dead = Some(sentinels.kill_master());
        }
        if step == 4 {
            sentinels.sentinel(0).thaw();
            sentinels.fails_over(dead.expect("a master")).await;
            sentinels.sentinel(0).freeze();
        }
    })
    .await;
    let mut sold = 2;
    patiently(async || {
        let answers = purchase(&world, sold, async |_| ()).await;
        sold += 2;
        used_redis(&answers)
    })
    .await;
}

#[tokio::test]
async fn servers_and_sentinels_have_passwords_of_their_own() {
    let sentinels = RedisSentinels::with_passwords(Some("for-servers"), Some("for-sentinels")).await;
    let right = [("REDIS_PASSWORD", "for-servers"), ("REDIS_SENTINEL_PASSWORD", "for-sentinels")];
    let world = shop_on(&sentinels, &right).await;
    let answers = purchase(&world, 0, async |_| ()).await;
    assert!(used_redis(&answers), "{answers:#?}");

    for wrong in [("REDIS_PASSWORD", "for-sentinels"), ("REDIS_SENTINEL_PASSWORD", "for-servers")] {
        let settings: Vec<_> = right.iter().map(|right| if right.0 == wrong.0 { wrong } else { *right }).collect();
        let world = shop_on(&sentinels, &settings).await;
        let answers = purchase(&world, 0, async |_| ()).await;
        assert!(answers.iter().all(|answer| answer.counts().session_hits == 0), "{wrong:?}");
        assert!(answers.iter().all(|answer| answer.counts().redis_degraded > 0), "{wrong:?}");
    }
}
