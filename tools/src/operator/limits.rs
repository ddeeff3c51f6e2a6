//! What the limits hold against a caller.

use std::net::IpAddr;

use redis::RedisError;
use serde::Serialize;
use shared::{
    config::limits::LimitsConfig,
    http::{admit::limited_address, limits::limit_key, route::Route},
};

use super::Operator;

/// One route's count of one caller.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    pub route: &'static str,
    pub key: String,
    pub limit: u32,
    pub window_seconds: u64,
    pub used: u32,
    pub remaining: u32,
    /// Until the next request is let in; 0 while there is room.
    pub wait_ms: u64,
}

/// Who a caller is counted as: any address of an IPv6 network is the network.
pub fn counted_as(caller: &str) -> (String, bool) {
    match caller.parse::<IpAddr>() {
        Ok(address) => (limited_address(address), false),
        Err(_) => (caller.to_owned(), true),
    }
}

impl Operator {
    /// Every limited route's count of a caller.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn limits(&mut self, config: &LimitsConfig, caller: &str) -> Result<Vec<Count>, RedisError> {
        let (who, signed_in) = counted_as(caller);
        let (seconds, micros): (u64, u64) = match self.primaries.first_mut() {
            Some(primary) => redis::cmd("TIME").query_async(&mut primary.connection).await?,
            None => (0, 0),
        };
        let now = seconds * 1_000_000 + micros;
        let mut counts = Vec::new();
        for route in Route::ALL {
            let Some(policies) = route.policies(config) else { continue };
            let policy = if signed_in { policies.signed_in } else { policies.anonymous };
            let key = self.keys.limit(&limit_key(&who, route));
            let log: Vec<String> = self.ask(redis::cmd("LRANGE").arg(&key).arg(0).arg(-1)).await?;
            let at = |entry: &String| entry.split(':').next()?.parse::<u64>().ok();
            let window = u64::try_from(policy.window.as_micros()).unwrap_or(u64::MAX);
            let fresh: Vec<u64> = log.iter().filter_map(at).filter(|at| now.saturating_sub(*at) < window).collect();
            let used = u32::try_from(fresh.len()).unwrap_or(u32::MAX);
            let oldest = fresh.last().copied().unwrap_or(now);
            let wait = if used < policy.count { 0 } else { (oldest + window).saturating_sub(now) };
            counts.push(Count {
                route: route.function(),
                key,
                limit: policy.count,
                window_seconds: policy.window.as_secs(),
                used,
                remaining: policy.count.saturating_sub(used),
                wait_ms: wait.div_ceil(1000),
            });
        }
        Ok(counts)
    }
}
