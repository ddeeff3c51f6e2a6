//! What is asked of Redis before a use case runs: the limit and the session's copy, in one round trip.

use std::{sync::Arc, time::Duration};

use redis::{FromRedisValue, Value};

use crate::{
    adapters::redis::{command::Command, documents, leases, link::Link, local_limits::LocalLimits, scripts},
    domain::limit::Decision,
    ports::{CachedSession, ChangeId, Entrance, Entry, Gate, Limit},
    telemetry::counts::{Store, degraded},
};

#[derive(Debug)]
pub struct RedisGate {
    pub link: Arc<Link>,
    pub session_ttl: time::Duration,
    /// How long an owner's lists stay uncached when an order of theirs is being placed, and nobody says how it ended.
    pub hold: time::Duration,
    pub local: LocalLimits,
}

impl Gate for RedisGate {
    async fn enter(&self, entry: &Entry) -> Entrance {
        let Entry { request, limit, session, ordering } = entry;
        let keys = &self.link.keys;
        let mut commands = Vec::with_capacity(3);
        commands.extend(limit.as_ref().map(|limit| {
            Command::script("count request", &scripts::ADMIT, &keys.limit(&limit.key))
                .arg(limit.policy.count)
                .arg(limit.policy.window.as_micros().to_string())
                .arg(limit.cost)
                .arg(request.0.to_string())
        }));
        commands.extend(session.map(|id| documents::get(&self.link, id, self.session_ttl)));
        commands.extend(ordering.as_ref().map(|owner| leases::hold(&keys.orders(owner), *request, self.hold)));
        if commands.is_empty() {
            return Entrance::default();
        }
        let asked_at = self.local.now();
        let mut replies = self.link.send(&commands).await.into_iter();
        let decision = limit.as_ref().map(|limit| match replies.next().flatten().as_ref().and_then(decision) {
            Some(decision) => {
                if decision.allowed {
                    self.local.note(limit, *request, asked_at);
                }
                decision
            }
            None => self.local.admit(limit, *request),
        });
        let cached = session.and_then(|_| cached(&replies.next()??));
        Entrance { decision, cached }
    }

    async fn refund(&self, limit: &Limit, request: ChangeId) {
        self.local.refund(limit, request);
        let key = self.link.keys.limit(&limit.key);
        let command = Command::script("refund request", &scripts::REFUND, &key).arg(request.0.to_string());
        self.link.send(&[command]).await;
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
    documents::parse(&text?).inspect_err(|error| degraded(Store::Redis, "read session", error)).ok()
}
