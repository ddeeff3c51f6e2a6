//! Admission: limits, blocks and cached copies, in one round trip to Redis.

use std::{sync::Arc, time::Duration};

use redis::{FromRedisValue, Value};

use crate::{
    adapters::redis::{
        blocks::SeenBlocks,
        command::Command,
        connection::RedisConnection,
        documents,
        leases::{self, Field, Lives},
        local_limits::LocalLimits,
        scripts,
    },
    domain::limit::Decision,
    ports::{AdmissionRequest, AdmissionResult, CachedSession, ChangeId, DeclinePlaces, Limit},
    telemetry::counts::{Store, degraded},
};

#[derive(Debug)]
pub struct RedisAdmission {
    pub redis: Arc<RedisConnection>,
    pub session_ttl: time::Duration,
    pub lives: Lives,
    pub local: Arc<LocalLimits>,
    pub blocked: SeenBlocks,
}

/// Asks for the limits, the blocks, and the cached session or orders. With Redis down this container counts alone,
/// which refuses nothing that Redis would allow. It applies the blocks that it has seen, and nothing is cached.
impl RedisAdmission {
    pub async fn admit(&self, asked: &AdmissionRequest) -> AdmissionResult {
        let AdmissionRequest { request, limits, declines, callers, session, view } = asked;
        let keys = &self.redis.keys;
        let mut commands: Vec<Command> =
            limits.iter().chain(declines).map(|limit| self.count(limit, *request)).collect();
        if !callers.is_empty() {
            commands.push(Command::new("read blocks", "HMGET").arg(keys.blocked()).arg(callers));
        }
        commands.extend(session.map(|id| documents::get(&self.redis, id, self.session_ttl)));
        // A read of the cache writes if it takes the lease. Requests that will be refused must not cause such writes.
        let view = view.as_ref().filter(|_| !limits.iter().any(|limit| self.local.will_be_refused(limit)));
        let view = view.map(|(owner, view)| Field::of(keys, self.lives, owner, view));
        commands.extend(view.as_ref().map(|at| leases::look(&self.redis, at, *request)));
        if commands.is_empty() {
            return AdmissionResult::default();
        }
        let asked_at = self.local.now();
        let mut replies = self.redis.send(&commands).await.into_iter();
        let mut told = |of: &[Limit]| -> Vec<Option<Decision>> {
            of.iter().map(|_| replies.next().flatten().as_ref().and_then(decision)).collect()
        };
        let (counted, places) = (told(limits), told(declines));
        let blocks =
            if callers.is_empty() { Vec::new() } else { self.blocked.learn(callers, replies.next().flatten()) };
        let decisions = self.decide(limits, &counted, *request, asked_at).await;
        let places = self.decide(declines, &places, *request, asked_at).await;
        let places = match places.iter().filter(|decision| !decision.allowed).map(|decision| decision.reset_after).max()
        {
            Some(wait) => DeclinePlaces::refused_for(wait),
            None => DeclinePlaces::of(declines.clone()),
        };
        let cached = session.and_then(|_| cached(&replies.next()??));
        let looked = view.as_ref().map(|_| leases::found(replies.next().flatten(), *request));
        if decisions.iter().any(|decision| !decision.allowed) {
            if places.refused().is_none() && !declines.is_empty() {
                self.refund(places.release(), *request).await;
            }
            if let (Some(at), Some(token)) = (view, looked.and_then(|looked| looked.token)) {
                self.redis.send(&[leases::give_back(&at, &token)]).await;
            }
            return AdmissionResult { decisions, places, blocks, ..AdmissionResult::default() };
        }
        AdmissionResult { decisions, places, blocks, cached, looked }
    }

    /// Removes a request from the counts of limits that allowed it. Best effort.
    pub async fn refund(&self, limits: &[Limit], request: ChangeId) {
        self.redis.send(&refunds(&self.redis, &self.local, limits, request)).await;
    }

    /// The decision of each limit: by Redis, or by this container if Redis gave no answer. If one limit refuses a
    /// request, it is removed from the counts of the others.
    async fn decide(
        &self,
        limits: &[Limit],
        counted: &[Option<Decision>],
        request: ChangeId,
        asked_at: Duration,
    ) -> Vec<Decision> {
        let pairs = || limits.iter().zip(counted);
        let decisions: Vec<Decision> =
            pairs().map(|(limit, counted)| counted.unwrap_or_else(|| self.local.admit(limit, request))).collect();
        if decisions.iter().all(|decision| decision.allowed) {
            for (limit, _) in pairs().filter(|(_, counted)| counted.is_some()) {
                self.local.note(limit, request, asked_at);
            }
            return decisions;
        }
        for ((limit, _), decision) in
            pairs().zip(&decisions).filter(|((_, counted), made)| counted.is_some() && !made.allowed)
        {
            self.local.note_refusal(limit, *decision, asked_at);
        }
        let mut commands = Vec::new();
        let uncounted = |((limit, _), decision): &((&Limit, _), &Decision)| decision.allowed && limit.cost > 0;
        for ((limit, counted), _) in pairs().zip(&decisions).filter(uncounted) {
            match counted {
                Some(_) => commands.push(uncount(&self.redis, limit, request)),
                None => self.local.refund(limit, request),
            }
        }
        if !commands.is_empty() {
            self.redis.send(&commands).await;
        }
        decisions
    }

    fn count(&self, limit: &Limit, request: ChangeId) -> Command {
        Command::script("count request", &scripts::ADMIT, &self.redis.keys.limit(&limit.key))
            .arg(limit.policy.count)
            .arg(limit.policy.window.as_micros().to_string())
            .arg(limit.cost)
            .arg(request.0.to_string())
    }
}

/// Removes a request from this container's counts, and gives the commands that remove it from those of Redis.
pub fn refunds(redis: &RedisConnection, local: &LocalLimits, limits: &[Limit], request: ChangeId) -> Vec<Command> {
    for limit in limits {
        local.refund(limit, request);
    }
    limits.iter().filter(|limit| limit.cost > 0).map(|limit| uncount(redis, limit, request)).collect()
}

/// The command that removes a request from a count.
fn uncount(redis: &RedisConnection, limit: &Limit, request: ChangeId) -> Command {
    let members: Vec<String> = (1..=limit.cost).map(|n| format!("{}:{n}", request.0)).collect();
    Command::new("refund request", "ZREM").arg(redis.keys.limit(&limit.key)).arg(members)
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
    let text = text.filter(|text| text != documents::BARRED)?;
    documents::parse(&text).inspect_err(|error| degraded(Store::Redis, "read session", error)).ok()
}
