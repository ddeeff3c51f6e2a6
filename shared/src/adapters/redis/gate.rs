//! What is asked of Redis before a use case runs: the limit and the session's copy, in one round trip.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{FromRedisValue, Value};

use crate::{
    adapters::redis::{documents, link::Link, scripts},
    domain::limit::{Decision, Policy, SlidingLog},
    ports::{CachedSession, Entrance, Entry, Gate, LimitKey},
};

/// Callers that one container remembers while Redis is gone; past that, those with nothing in the window go.
const MAX_LOGS: usize = 10_000;

#[derive(Debug)]
pub struct RedisGate {
    link: Arc<Link>,
    session_ttl: time::Duration,
    local: LocalLimits,
}

impl RedisGate {
    pub fn new(link: Arc<Link>, session_ttl: time::Duration) -> Self {
        Self { link, session_ttl, local: LocalLimits::default() }
    }
}

impl Gate for RedisGate {
    async fn enter(&self, entry: &Entry) -> Entrance {
        let mut commands = Vec::with_capacity(2);
        if let Some((key, policy)) = &entry.limit {
            let mut command = scripts::call(&self.link.scripts.admit, &self.link.keys.limit(key));
            command.arg(policy.count).arg(policy.window.as_micros().to_string());
            commands.push(command);
        }
        if let Some(id) = entry.session {
            commands.push(documents::get(&self.link, id, self.session_ttl));
        }
        if commands.is_empty() {
            return Entrance::default();
        }
        // Before the server's own time of it: this container must never hold a request against its caller for longer.
        let asked_at = self.local.now();
        let mut replies = self.link.send("enter", &commands).await.unwrap_or_default().into_iter();
        let decision = entry.limit.as_ref().map(|(key, policy)| {
            match replies.next().and_then(|reply| decision(&reply)) {
                Some(decision) => {
                    // What Redis accepted counts here too, for the case that it goes away.
                    if decision.allowed {
                        self.local.note(key, *policy, asked_at);
                    }
                    decision
                }
                None => self.local.admit(key, *policy),
            }
        });
        Entrance { decision, cached: replies.next().and_then(|reply| cached(&reply)) }
    }
}

fn decision(reply: &Value) -> Option<Decision> {
    let (allowed, remaining, reset_us): (u8, u32, i64) = FromRedisValue::from_redis_value_ref(reply).ok()?;
    Some(Decision {
        allowed: allowed == 1,
        remaining,
        reset_after: Duration::from_micros(u64::try_from(reset_us).unwrap_or_default()),
    })
}

fn cached(reply: &Value) -> Option<CachedSession> {
    let text: Option<String> = FromRedisValue::from_redis_value_ref(reply).ok()?;
    documents::parse(&text?)
        .inspect_err(|error| tracing::warn!(store = "redis", operation = "read session", %error, "degraded"))
        .ok()
}

/// What this container has seen accepted. It sees a part of the traffic, so it is never stricter than Redis.
#[derive(Debug)]
struct LocalLimits {
    start: Instant,
    logs: Mutex<HashMap<LimitKey, (Policy, SlidingLog)>>,
}

impl Default for LocalLimits {
    fn default() -> Self {
        Self { start: Instant::now(), logs: Mutex::default() }
    }
}

impl LocalLimits {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn admit(&self, key: &LimitKey, policy: Policy) -> Decision {
        let now = self.now();
        self.with_log(key, policy, now, |log| log.admit(policy, now))
    }

    fn note(&self, key: &LimitKey, policy: Policy, now: Duration) {
        self.with_log(key, policy, now, |log| log.note(policy, now));
    }

    fn with_log<T>(&self, key: &LimitKey, policy: Policy, now: Duration, work: impl FnOnce(&mut SlidingLog) -> T) -> T {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= MAX_LOGS && !logs.contains_key(key) {
            logs.retain(|_, (policy, log)| !log.idle(*policy, now));
            // Nothing idle: forgetting lets traffic pass, which is what a missing Redis means anyway.
            if logs.len() >= MAX_LOGS {
                logs.clear();
            }
        }
        let (_, log) = logs.entry(key.clone()).or_insert_with(|| (policy, SlidingLog::default()));
        work(log)
    }
}
