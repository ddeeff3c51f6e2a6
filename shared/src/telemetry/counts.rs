//! The counts and timings of one invocation.

use std::{cell::RefCell, error::Error, time::Duration};

use crate::telemetry::cause;

/// The counts of one invocation. Zeros are not reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Loads of sessions from a trusted copy in Redis, and from the database.
    pub session_hits: u64,
    pub session_misses: u64,
    /// Orders and lists of orders that were read from the cache, that were read from the database, and that were put
    /// into the cache.
    pub order_cache_hits: u64,
    pub order_cache_misses: u64,
    pub order_cache_fills: u64,
    /// Requests refused by a rate limit.
    pub rate_limit_violations: u64,
    /// Requests of callers whom staff have blocked.
    pub blocked_requests: u64,
    /// Calls to a store that failed; the request went on without it or failed too.
    pub redis_degraded: u64,
    pub dynamodb_degraded: u64,
    pub payments_degraded: u64,
    /// Payments in the provider's events that belong to no known order.
    pub unknown_payments: u64,
    /// Refunds that the provider or the customer's bank refused.
    pub failed_refunds: u64,
    /// Disputes that are new, or came to a new state.
    pub disputes: u64,
    /// Authorizations that end within a day and are not captured.
    pub authorizations_ending: u64,
    /// Runs of the reconciler that could read at least a part of the index of due orders.
    pub reconcile_runs: u64,
    /// Runs of the reconciler that could not read the index of due orders, or a part of it.
    pub reconcile_failures: u64,
    /// Orders that a run could not reconcile, once for each attempt.
    pub orders_not_reconciled: u64,
    /// How long the oldest due order had been due when a run of the reconciler began, in seconds.
    pub oldest_due_s: u64,
    /// Abandoned checkouts that the shop is told of.
    pub checkouts_abandoned: u64,
    /// Abandoned checkouts that could not be told, and parts of their index that could not be read, once for each attempt.
    pub abandoned_not_told: u64,
    /// Changed orders that staff can't find, because they can't be read or their change was not an order's.
    pub orders_not_indexed: u64,
    /// Cards that were declined.
    pub declines: u64,
    /// Cards that weren't tried, after too many declines.
    pub declines_refused: u64,
    /// Timeouts of Redis. They bound the time that a broken Redis costs.
    pub redis_timeouts: u64,
    /// How often the circuit breaker for Redis opened.
    pub breaker_openings: u64,
    /// Writes that conflicted with another write and were repeated.
    pub version_conflicts: u64,
    /// Requests that were refused because too many others changed the same item at once.
    pub contention: u64,
    /// Whether this was the container's first invocation.
    pub cold_starts: u64,
    /// The duration of each call to a store, including retries and timeouts.
    pub redis_calls: Vec<Duration>,
    pub dynamodb_calls: Vec<Duration>,
    pub payments_calls: Vec<Duration>,
}

impl Counts {
    /// The calls to one store.
    pub fn calls(&self, store: Store) -> &[Duration] {
        match store {
            Store::Redis => &self.redis_calls,
            Store::DynamoDb => &self.dynamodb_calls,
            Store::Payments => &self.payments_calls,
        }
    }
}

tokio::task_local! {
    // Boxed: each poll of the invocation moves it in and out.
    static COUNTS: RefCell<Box<Counts>>;
}

/// Runs an invocation, and returns its output and its counts.
pub async fn counting<T>(work: impl Future<Output = T>) -> (T, Counts) {
    COUNTS
        .scope(RefCell::default(), async {
            let output = work.await;
            (output, *COUNTS.with(RefCell::take))
        })
        .await
}

/// Changes the counts of the current invocation. Outside of one it does nothing.
pub fn count(change: impl FnOnce(&mut Counts)) {
    let _: Result<(), _> = COUNTS.try_with(|counts| change(&mut counts.borrow_mut()));
}

/// Records the duration of one call to a store.
pub fn timed(store: Store, took: Duration) {
    count(|counts| match store {
        Store::Redis => counts.redis_calls.push(took),
        Store::DynamoDb => counts.dynamodb_calls.push(took),
        Store::Payments => counts.payments_calls.push(took),
    });
}

/// The milliseconds that the invocation has spent in calls to a store so far. Parallel calls are added up.
pub fn spent_ms(store: Store) -> u64 {
    let spent = COUNTS.try_with(|counts| counts.borrow().calls(store).iter().sum::<Duration>()).unwrap_or_default();
    u64::try_from(spent.as_millis()).unwrap_or(u64::MAX)
}

/// A count of this invocation so far.
pub fn counted(of: impl FnOnce(&Counts) -> u64) -> u64 {
    COUNTS.try_with(|counts| of(&counts.borrow())).unwrap_or_default()
}

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Redis,
    DynamoDb,
    /// The payment provider.
    Payments,
}

/// Logs and counts a failed call to a store, with every cause.
pub fn degraded<'e>(store: Store, operation: &'static str, error: impl Into<Box<dyn Error + 'e>>) {
    let store = match store {
        Store::Redis => {
            count(|counts| counts.redis_degraded += 1);
            "redis"
        }
        Store::DynamoDb => {
            count(|counts| counts.dynamodb_degraded += 1);
            "dynamodb"
        }
        Store::Payments => {
            count(|counts| counts.payments_degraded += 1);
            "payments"
        }
    };
    tracing::warn!(store, operation, error = cause::chain(&*error.into()), "Store call failed");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_counted_outside_is_nobodys_and_each_invocation_has_its_own() {
        count(|counts| counts.session_hits += 7);
        let hit = || count(|counts| counts.session_hits += 1);
        let inner = counting(async {
            hit();
            tokio::task::yield_now().await;
            hit();
        });
        let other = counting(async { hit() });
        let (((), first), ((), second)) = tokio::join!(inner, other);
        assert_eq!((first.session_hits, second.session_hits), (2, 1));
    }
}
