//! Passwords, users, and TLS with an authority of the shop's own.

use shared::adapters::redis::node;
use tests::{
    topologies::{Node, RedisCluster, RedisSentinels, TlsRedis, node::command},
    world::{Answer, patiently},
};

use super::{purchase, shop, used_redis};

/// What the functions need of Redis, and nothing else: docs/DEPLOY.md has the same rule.
const LEAST: &str = "shop on >secret ~cannbe:* resetchannels -@all +ping +eval +evalsha +getex +unlink +getrange +set +zadd \
                     +zcount +zrangebyscore +zrem +zremrangebyscore +zrevrange +zscore +pexpire +pttl +hlen +hget +hmget +hset +hdel +time +hello";

async fn answers(settings: &[(&str, &str)]) -> Vec<Answer> {
    let world = shop(settings).await;
    purchase(&world, 0, async |_| ()).await
}

/// Redis is out of reach, and nobody notices but the operator.
fn without_redis(answers: &[Answer]) -> bool {
    answers.iter().all(|answer| answer.counts().session_hits == 0 && answer.counts().redis_degraded > 0)
}

#[tokio::test]
async fn a_user_with_the_least_rights_will_do() {
    let redis = Node::plain(&[&["--user"], LEAST.split(' ').collect::<Vec<_>>().as_slice()].concat()).await;
    let port = redis.port().to_string();
    let least = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", port.as_str()), ("REDIS_PREFIX", "cannbe:")];
    let right = [least[0], least[1], least[2], ("REDIS_USERNAME", "shop"), ("REDIS_PASSWORD", "secret")];
    let used = answers(&right).await;
    assert!(used_redis(&used), "{used:#?}");

    let wrong = [least[0], least[1], least[2], ("REDIS_USERNAME", "shop"), ("REDIS_PASSWORD", "guess")];
    assert!(without_redis(&answers(&wrong).await));
}

/// The rule for a cluster's functions.
#[tokio::test]
async fn in_a_cluster_the_user_may_look_for_slots_too() {
    let cluster = RedisCluster::start().await;
    for node in 0..6 {
        cluster.node(node).tell::<()>(&format!("ACL SETUSER {LEAST} +cluster|slots +asking"));
    }
    let login = [("REDIS_USERNAME", "shop"), ("REDIS_PASSWORD", "secret"), ("REDIS_PREFIX", "cannbe:")];
    let hosts = cluster.hosts();
    let used = answers(&[&login[..], &[("REDIS_TOPOLOGY", "cluster"), ("REDIS_HOST", hosts.as_str())]].concat()).await;
    assert!(used_redis(&used), "{used:#?}");
}

#[tokio::test]
async fn through_sentinel_the_user_may_ask_for_the_role_too() {
    let sentinels = RedisSentinels::start().await;
    for server in 0..2 {
        sentinels.server(server).tell::<()>(&format!("ACL SETUSER {LEAST} +role"));
    }
    let hosts = sentinels.hosts();
    let used = answers(&[
        ("REDIS_USERNAME", "shop"),
        ("REDIS_PASSWORD", "secret"),
        ("REDIS_PREFIX", "cannbe:"),
        ("REDIS_TOPOLOGY", "sentinel"),
        ("REDIS_SENTINEL_MASTER", sentinels.master_name()),
        ("REDIS_HOST", hosts.as_str()),
    ])
    .await;
    assert!(used_redis(&used), "{used:#?}");
}

#[tokio::test]
async fn tls_with_the_right_authority_works_and_with_another_does_not() {
    let redis = TlsRedis::start(Some("secret"), &[]).await;
    let port = redis.node().port().to_string();
    let plain = [("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", port.as_str()), ("REDIS_PASSWORD", "secret")];
    let with = |more: &[(&'static str, &str)]| {
        let more: Vec<(String, String)> = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        async move {
            let more: Vec<(&str, &str)> = more.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            answers(&[&plain, more.as_slice()].concat()).await
        }
    };

    let used = with(&[("REDIS_SSL", "true"), ("REDIS_CA", redis.ca())]).await;
    assert!(used_redis(&used), "{used:#?}");
    let file = redis.node().file("ca.pem").display().to_string();
    assert!(used_redis(&with(&[("REDIS_SSL", "true"), ("REDIS_CA", &file)]).await), "{file}");
    let url = format!("rediss://:secret@localhost:{port}");
    assert!(used_redis(&answers(&[("REDIS_URL", &url), ("REDIS_CA", redis.ca())]).await));

    assert!(without_redis(&with(&[("REDIS_SSL", "true"), ("REDIS_CA", &TlsRedis::another_ca())]).await));
    assert!(without_redis(&with(&[("REDIS_SSL", "true")]).await), "the public authorities don't know it");
    assert!(without_redis(&with(&[("REDIS_SSL", "false")]).await), "in the clear there is no answer");
}

#[tokio::test]
async fn a_cluster_behind_tls_asks_every_connection_for_its_password() {
    let bus = tools::ports::free().expect("a free port").to_string();
    let options = ["--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", &bus];
    let redis = TlsRedis::start(Some("secret"), &options).await;
    let port = redis.node().port().to_string();
    let settings = |password| {
        let topology = [("REDIS_TOPOLOGY", "cluster"), ("REDIS_HOST", "localhost"), ("REDIS_SSL", "true")];
        [&topology[..], &[("REDIS_PORT", port.as_str()), ("REDIS_PASSWORD", password), ("REDIS_CA", redis.ca())]]
            .concat()
    };
    let world = shop(&settings("secret")).await;
    let config = &world.app().config.redis;
    let client = node::client(config, &config.nodes[0], &config.login, time::OffsetDateTime::now_utc()).unwrap();
    let mut straight = client.get_multiplexed_async_connection().await.unwrap();
    let () = command("CLUSTER ADDSLOTSRANGE 0 16383").query_async(&mut straight).await.unwrap();
    patiently(async || {
        let info: String = command("CLUSTER INFO").query_async(&mut straight.clone()).await.unwrap();
        info.contains("cluster_state:ok")
    })
    .await;
    let used = purchase(&world, 0, async |_| ()).await;
    assert!(used_redis(&used), "{used:#?}");
    assert!(without_redis(&answers(&settings("guess")).await));
}
