//! Statistics of Redis.

use std::collections::BTreeMap;

use redis::RedisError;
use serde::Serialize;

use super::{Operator, keys::Kind, pattern};

/// One server.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    pub node: String,
    pub version: String,
    pub used_bytes: u64,
    /// 0 without a limit.
    pub max_bytes: u64,
    pub policy: String,
    pub hits: u64,
    pub misses: u64,
    pub ops_per_second: u64,
    pub clients: u64,
    pub evicted: u64,
}

/// Keys of one kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Count {
    pub keys: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    pub servers: Vec<Server>,
    pub kinds: BTreeMap<&'static str, Count>,
}

impl Server {
    fn read(node: String, info: &str) -> Self {
        let fields: BTreeMap<&str, &str> = info.lines().filter_map(|line| line.trim().split_once(':')).collect();
        let text = |name: &str| fields.get(name).map(|text| (*text).to_owned());
        let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Self {
            node,
            version: text("valkey_version").or_else(|| text("redis_version")).unwrap_or_default(),
            used_bytes: number("used_memory"),
            max_bytes: number("maxmemory"),
            policy: text("maxmemory_policy").unwrap_or_default(),
            hits: number("keyspace_hits"),
            misses: number("keyspace_misses"),
            ops_per_second: number("instantaneous_ops_per_sec"),
            clients: number("connected_clients"),
            evicted: number("evicted_keys"),
        }
    }

    /// The hit rate in percent; none before the first read.
    pub fn hit_rate(&self) -> Option<f64> {
        let asked = self.hits + self.misses;
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
        (asked > 0).then(|| self.hits as f64 * 100.0 / asked as f64)
    }
}

impl Operator {
    /// Reads every server's statistics, and counts every key of this checkout.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn stats(&mut self) -> Result<Stats, RedisError> {
        let mut servers = Vec::with_capacity(self.primaries.len());
        for primary in &mut self.primaries {
            let info: String = redis::cmd("INFO").query_async(&mut primary.connection).await?;
            servers.push(Server::read(primary.node.to_string(), &info));
        }
        let mut kinds: BTreeMap<&'static str, Count> = Kind::ALL.map(|kind| (kind.name(), Count::default())).into();
        let names = self.scan(&pattern::glob(&self.prefix, "*")).await?;
        for found in self.describe(&names).await? {
            let count = kinds.entry(found.kind.name()).or_default();
            count.keys += 1;
            count.bytes += found.bytes;
        }
        Ok(Stats { servers, kinds })
    }
}
