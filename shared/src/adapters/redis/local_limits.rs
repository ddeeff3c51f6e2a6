//! Limits as one container counts them, for the time when Redis is down.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    domain::limit::{Decision, Policy, SlidingLog},
    ports::{ChangeId, Limit, LimitKey},
};

/// The most callers that one container remembers. Above that, callers without requests in the window are removed.
const MAX_LOGS: usize = 10_000;

/// The requests that this container has seen accepted. It sees only a part of the traffic, so it is never stricter than
/// Redis.
#[derive(Debug)]
pub struct LocalLimits {
    start: Instant,
    logs: Mutex<HashMap<LimitKey, (Policy, SlidingLog)>>,
    /// The callers that Redis has refused, and until when.
    refused: Mutex<HashMap<LimitKey, Duration>>,
}

impl Default for LocalLimits {
    fn default() -> Self {
        Self { start: Instant::now(), logs: Mutex::default(), refused: Mutex::default() }
    }
}

impl LocalLimits {
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn admit(&self, limit: &Limit, request: ChangeId) -> Decision {
        let now = self.now();
        self.with_log(limit, now, |log| log.admit(limit.policy, limit.cost, request.0.as_u128(), now))
    }

    /// Counts a request that Redis accepted, in case Redis fails later. `asked_at` is before the server's own time, so
    /// that the request never counts for longer than in Redis.
    pub fn note(&self, limit: &Limit, request: ChangeId, asked_at: Duration) {
        self.with_log(limit, asked_at, |log| log.note(limit.policy, limit.cost, request.0.as_u128(), asked_at));
    }

    pub fn refund(&self, limit: &Limit, request: ChangeId) {
        self.with_log(limit, self.now(), |log| log.refund(request.0.as_u128()));
    }

    /// Records that Redis refused a request that was sent at `asked_at`.
    pub fn note_refusal(&self, limit: &Limit, decision: Decision, asked_at: Duration) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MAX_LOGS {
            refused.clear();
        }
        refused.insert(limit.key.clone(), asked_at.saturating_add(decision.reset_after));
    }

    /// Whether this container knows that Redis will refuse a request now. It doesn't know all such requests.
    pub fn will_be_refused(&self, limit: &Limit) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_refused = refused.get(&limit.key).is_some_and(|until| self.now() < *until);
        if !is_refused {
            refused.remove(&limit.key);
        }
        is_refused
    }

    fn with_log<T>(&self, limit: &Limit, now: Duration, work: impl FnOnce(&mut SlidingLog) -> T) -> T {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= MAX_LOGS && !logs.contains_key(&limit.key) {
            logs.retain(|_, (policy, log)| !log.idle(*policy, now));
            // Few are idle, so all are forgotten. This lets more traffic pass, as without Redis anyway. A new search
            // for each new caller would be work that callers can cause.
            if logs.len() > MAX_LOGS / 2 {
                logs.clear();
            }
        }
        let (_, log) = logs.entry(limit.key.clone()).or_insert_with(|| (limit.policy, SlidingLog::default()));
        work(log)
    }
}
