//! Redis as shops run it: clusters, sentinels, pairs that fail over, TLS; and any server behind TLS. Real servers, each test with its own.

pub mod black_hole;
pub mod cluster;
pub mod node;
pub mod pair;
pub mod sentinels;
pub mod tls;
pub mod tls_front;

use std::time::Duration;

pub use black_hole::BlackHole;
pub use cluster::RedisCluster;
pub use node::Node;
pub use pair::RedisPair;
pub use sentinels::RedisSentinels;
pub use tls::TlsRedis;
pub use tls_front::TlsFront;

/// Looks again and again until it is so. Servers that come up, and elections, take what they take.
///
/// # Panics
/// When it isn't so within half a minute.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(tokio::time::Instant::now() < end, "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
