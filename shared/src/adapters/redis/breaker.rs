//! A circuit breaker: after a few failures a store is left alone, and probed again after a while.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures in a row that open it.
const FAILURES: u32 = 2;
/// How long it stays open before one caller may probe.
const REST: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// While it is open: when the next probe may go.
    probe_at: Option<Instant>,
}

impl Breaker {
    /// Whether a call may go at `now`. While open, one caller a rest may.
    pub fn permits(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.probe_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                // This caller probes; the others wait for what it finds.
                state.probe_at = Some(now + REST);
                true
            }
        }
    }

    pub fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    pub fn failed(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.probe_at = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let breaker = Breaker::default();
        let start = Instant::now();
        breaker.failed(start);
        breaker.succeeded();
        breaker.failed(start);
        assert!(breaker.permits(start), "one failure in a row is not enough");
        breaker.failed(start);
        assert!(!breaker.permits(start + REST / 2));
        assert!(breaker.permits(start + REST), "the probe");
        assert!(!breaker.permits(start + REST), "only one");
        breaker.failed(start + REST);
        assert!(!breaker.permits(start + REST * 3 / 2));
        assert!(breaker.permits(start + REST * 2));
        breaker.succeeded();
        assert!(breaker.permits(start + REST * 2));
    }
}
