//! A circuit breaker: after a failure Redis isn't called for a while, then probed.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it stays open before one caller may probe. Doubled after each failed probe.
const REST: Duration = Duration::from_secs(1);
/// The longest that it stays open without a probe.
const MAX_REST: Duration = Duration::from_secs(8);

#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    rest: Duration,
    /// When the next probe is allowed.
    probe_at: Instant,
}

impl Breaker {
    /// Whether a call is allowed at `now`. While open, one caller is allowed in each period.
    pub fn permits(&self, now: Instant) -> bool {
        match &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            None => true,
            Some(open) if now < open.probe_at => false,
            Some(open) => {
                // This caller probes; the others wait for its result.
                open.probe_at = now + open.rest;
                true
            }
        }
    }

    pub fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// One failure opens it, because a caller has already waited for a whole timeout or was refused twice. True if it
    /// was closed.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = state.as_ref().map_or(REST, |open| (open.rest * 2).min(MAX_REST));
        state.replace(Open { rest, probe_at: now + rest }).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_at_a_failure_and_lets_one_probe_through_a_rest() {
        let breaker = Breaker::default();
        let start = Instant::now();
        assert!(breaker.permits(start));
        assert!(breaker.failed(start), "it was closed");
        assert!(!breaker.permits(start + REST / 2));
        assert!(breaker.permits(start + REST), "the probe");
        assert!(!breaker.permits(start + REST), "only one");
        assert!(!breaker.failed(start + REST), "it was open");
        assert!(!breaker.permits(start + REST * 2));
        assert!(breaker.permits(start + REST * 3));
        breaker.succeeded();
        assert!(breaker.permits(start + REST * 3));
        assert!(breaker.permits(start + REST * 3), "closed for everyone");
    }

    #[test]
    fn it_rests_longer_each_time_but_never_for_long() {
        let breaker = Breaker::default();
        let mut now = Instant::now();
        breaker.failed(now);
        for rest in [1, 2, 4, 8, 8, 8] {
            let rest = Duration::from_secs(rest);
            assert!(!breaker.permits(now + rest.saturating_sub(Duration::from_millis(1))), "{rest:?}");
            now += rest;
            assert!(breaker.permits(now), "{rest:?}");
            breaker.failed(now);
        }
    }
}
