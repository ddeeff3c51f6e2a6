//! The counts of limits by caller.

use std::net::IpAddr;

use redis::{Cmd, FromRedisValue, RedisError, Value};
use serde::Serialize;
use shared::{
    config::limits::LimitsConfig,
    domain::limit::Policy,
    http::{
        limits::{limit_key, network, signed_in_at},
        route::Route,
        source::limited_address,
    },
    ports::LimitKind,
};

use super::Operator;

/// The most keys that `top` reads. Above that it reports that there are more.
const MOST_KEYS: usize = 200_000;
/// The number of keys that are read at a time.
const BATCH: usize = 500;

/// One limit's count of one caller.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    pub caller: String,
    /// The caller as in log lines.
    pub logged_as: String,
    pub route: &'static str,
    /// `default`, or `address` for the limit of all signed-in users of an address together.
    pub kind: &'static str,
    pub key: String,
    pub limit: u32,
    pub window_seconds: u64,
    pub used: u32,
    pub remaining: u32,
    /// The time until the next request is accepted; 0 while there is room.
    pub wait_ms: u64,
}

/// A limit, and the caller that it counts.
struct Counted {
    caller: String,
    route: Route,
    kind: LimitKind,
    policy: Policy,
    key: String,
}

/// The callers that use the limits most.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Top {
    /// Sorted: callers that are refused now first, then by use.
    pub top: Vec<Count>,
    /// The number of counts that were read.
    pub looked_at: usize,
    /// Whether there are more.
    pub more: bool,
}

/// The name under which a caller is counted: for an IPv6 address, its network.
pub fn counted_as(caller: &str) -> (String, bool) {
    match caller.parse::<IpAddr>() {
        Ok(address) => (limited_address(address), false),
        Err(_) => (caller.to_owned(), true),
    }
}

/// The name of a caller in log lines: a user's id, or an address's network.
pub fn logged_as(caller: &str) -> String {
    caller.parse::<IpAddr>().map_or_else(|_| caller.to_owned(), |address| network(Some(address)))
}

/// The limits of a caller on a route. On routes that are limited only by address, a user has none.
fn limits_of(config: &LimitsConfig, route: Route, who: &str, signed_in: bool) -> Vec<(LimitKind, String, Policy)> {
    let by_address = config.by_address(route.function());
    let own = |policy| (LimitKind::Route, limit_key(who, route).0, policy);
    match route.policies(config) {
        Some(policies) if signed_in => vec![own(policies.signed_in)],
        Some(policies) => {
            let together = |policy| (LimitKind::Address, limit_key(&signed_in_at(who), route).0, policy);
            [Some(own(policies.anonymous)), by_address.map(together)].into_iter().flatten().collect()
        }
        None if signed_in => Vec::new(),
        None => by_address.map(own).into_iter().collect(),
    }
}

/// The caller and the route that a key counts. `name` is the key without the common prefix.
fn counted_under(config: &LimitsConfig, name: &str) -> Option<(String, Route, LimitKind, Policy)> {
    let route = Route::ALL.into_iter().find(|route| name.ends_with(&limit_key("", *route).0))?;
    let who = name.strip_suffix(&limit_key("", route).0)?;
    let (caller, kind) = match who.strip_suffix(&signed_in_at("")) {
        Some(address) => (address, LimitKind::Address),
        None => (who, LimitKind::Route),
    };
    let signed_in = caller.parse::<IpAddr>().is_err() && caller != "unknown";
    let mut limits = limits_of(config, route, caller, signed_in).into_iter();
    limits.find(|(of, ..)| *of == kind).map(|(_, _, policy)| (caller.to_owned(), route, kind, policy))
}

impl Operator {
    /// Every limit's count of a caller.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn limits(&mut self, config: &LimitsConfig, caller: &str) -> Result<Vec<Count>, RedisError> {
        let (who, signed_in) = counted_as(caller);
        let prefix = self.limits_prefix();
        let counted: Vec<Counted> = Route::ALL
            .into_iter()
            .flat_map(|route| limits_of(config, route, &who, signed_in).into_iter().map(move |limit| (route, limit)))
            .map(|(route, (kind, key, policy))| Counted {
                caller: who.clone(),
                route,
                kind,
                policy,
                key: format!("{prefix}{key}"),
            })
            .collect();
        self.count(counted).await
    }

    /// The callers that use the limits most right now, at most `wanted`. By SCAN on every primary.
    ///
    /// # Errors
    /// When a server refuses.
    pub async fn top(&mut self, config: &LimitsConfig, wanted: usize) -> Result<Top, RedisError> {
        let prefix = self.limits_prefix();
        let keys = self.scan_some(&format!("{prefix}*:/api/*"), MOST_KEYS).await?;
        let more = keys.len() >= MOST_KEYS;
        let counted: Vec<Counted> = keys
            .into_iter()
            .filter_map(|key| {
                let (caller, route, kind, policy) = counted_under(config, key.strip_prefix(&prefix)?)?;
                Some(Counted { caller, route, kind, policy, key })
            })
            .collect();
        let looked_at = counted.len();
        let mut top = self.count(counted).await?;
        top.retain(|count| count.used > 0);
        top.sort_by(|a, b| {
            let order = |count: &Count| (count.remaining > 0, std::cmp::Reverse(count.used), count.caller.clone());
            order(a).cmp(&order(b))
        });
        top.truncate(wanted);
        Ok(Top { top, looked_at, more })
    }

    fn limits_prefix(&self) -> String {
        format!("{}checkout:", self.prefix)
    }

    /// By the servers' clock, as in the functions' counts.
    async fn count(&mut self, counted: Vec<Counted>) -> Result<Vec<Count>, RedisError> {
        let (seconds, micros): (u64, u64) = match self.primaries.first_mut() {
            Some(primary) => redis::cmd("TIME").query_async(&mut primary.connection).await?,
            None => (0, 0),
        };
        let now = seconds * 1_000_000 + micros;
        let mut counts = Vec::with_capacity(counted.len());
        for batch in counted.chunks(BATCH) {
            let commands: Vec<Cmd> = batch.iter().flat_map(|one| questions(one, now)).collect();
            let replies = self.ask_all(&commands).await?;
            for (one, reply) in batch.iter().zip(replies.chunks(2)) {
                if let [used, last] = reply {
                    counts.push(read(one, now, used, last)?);
                }
            }
        }
        Ok(counts)
    }
}

fn window(policy: Policy) -> u64 {
    u64::try_from(policy.window.as_micros()).unwrap_or(u64::MAX)
}

/// The used requests, and the time of the accepted request whose expiry makes room for another.
fn questions(one: &Counted, now: u64) -> [Cmd; 2] {
    let (mut used, mut last) = (redis::cmd("ZCOUNT"), redis::cmd("ZREVRANGE"));
    used.arg(&one.key).arg(format!("({}", now.saturating_sub(window(one.policy)))).arg("+inf");
    last.arg(&one.key).arg(one.policy.count - 1).arg(one.policy.count - 1).arg("WITHSCORES");
    [used, last]
}

fn read(one: &Counted, now: u64, used: &Value, last: &Value) -> Result<Count, RedisError> {
    let used = u32::from_redis_value_ref(used)?;
    let last: Vec<String> = FromRedisValue::from_redis_value_ref(last)?;
    let last: Option<u64> = last.get(1).and_then(|at| at.parse().ok());
    let free_at = last.map_or(0, |at| at.saturating_add(window(one.policy)));
    let wait = if used < one.policy.count { 0 } else { free_at.saturating_sub(now) };
    Ok(Count {
        caller: one.caller.clone(),
        logged_as: if one.kind == LimitKind::Address {
            network(one.caller.parse().ok())
        } else {
            logged_as(&one.caller)
        },
        route: one.route.function(),
        kind: one.kind.name(),
        key: one.key.clone(),
        limit: one.policy.count,
        window_seconds: one.policy.window.as_secs(),
        used,
        remaining: one.policy.count.saturating_sub(used),
        wait_ms: wait.div_ceil(1000),
    })
}
