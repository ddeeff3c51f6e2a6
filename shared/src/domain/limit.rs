//! Rate limits: exact sliding windows.

use std::{collections::VecDeque, time::Duration};

/// At most `count` accepted in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub count: u32,
    pub window: Duration,
}

/// What a limit said of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// How many more the window would take now.
    pub remaining: u32,
    /// Until the window takes one more than `remaining`: until the oldest accepted request leaves it.
    pub reset_after: Duration,
}

/// Why a text is not a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be COUNT/SECONDS such as 10/300, with a count of 1 to 10000 and 1 to 86400 seconds")]
pub struct NotAPolicy;

impl std::str::FromStr for Policy {
    type Err = NotAPolicy;

    fn from_str(text: &str) -> Result<Self, NotAPolicy> {
        let (count, seconds) = text.split_once('/').ok_or(NotAPolicy)?;
        let count: u32 = count.parse().map_err(|_| NotAPolicy)?;
        let seconds: u64 = seconds.parse().map_err(|_| NotAPolicy)?;
        if !(1..=10_000).contains(&count) || !(1..=86_400).contains(&seconds) {
            return Err(NotAPolicy);
        }
        Ok(Self { count, window: Duration::from_secs(seconds) })
    }
}

/// The accepted requests of one caller on one route: the same rule as the script on the Redis server,
/// for a container that has to count alone.
#[derive(Clone, Debug, Default)]
pub struct SlidingLog {
    accepted: VecDeque<Duration>,
}

impl SlidingLog {
    /// Decides on a request at `now` (since any fixed origin), and notes it if it is allowed.
    pub fn admit(&mut self, policy: Policy, now: Duration) -> Decision {
        self.forget(policy, now);
        let used = u32::try_from(self.accepted.len()).unwrap_or(u32::MAX);
        let allowed = used < policy.count;
        if allowed {
            self.accepted.push_back(now);
        }
        let used = used.saturating_add(u32::from(allowed));
        let reset_after = self
            .accepted
            .front()
            .map_or(Duration::ZERO, |oldest| policy.window.saturating_sub(now.saturating_sub(*oldest)));
        Decision { allowed, remaining: policy.count.saturating_sub(used), reset_after }
    }

    /// Notes a request that was accepted elsewhere.
    pub fn note(&mut self, policy: Policy, now: Duration) {
        self.forget(policy, now);
        self.accepted.push_back(now);
    }

    /// Whether nothing in it counts any more.
    pub fn idle(&mut self, policy: Policy, now: Duration) -> bool {
        self.forget(policy, now);
        self.accepted.is_empty()
    }

    fn forget(&mut self, policy: Policy, now: Duration) {
        while self.accepted.front().is_some_and(|oldest| now.saturating_sub(*oldest) >= policy.window) {
            self.accepted.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { count: 3, window: Duration::from_secs(10) };

    #[test]
    fn no_window_ever_holds_more_than_the_count() {
        let mut log = SlidingLog::default();
        let mut accepted = Vec::new();
        for tick in 0..500_u64 {
            // An uneven arrival: bursts and gaps.
            let now = Duration::from_millis(tick * 137 + (tick % 7) * 400);
            if log.admit(POLICY, now).allowed {
                accepted.push(now);
            }
        }
        for start in &accepted {
            let inside = accepted.iter().filter(|t| **t >= *start && **t < *start + POLICY.window).count();
            assert!(inside <= 3, "{inside} in the window from {start:?}");
        }
    }

    #[test]
    fn a_refused_request_says_when_to_come_back_and_does_not_count() {
        let mut log = SlidingLog::default();
        for second in 0..3 {
            assert!(log.admit(POLICY, Duration::from_secs(second)).allowed);
        }
        let refused = log.admit(POLICY, Duration::from_secs(4));
        assert_eq!(refused, Decision { allowed: false, remaining: 0, reset_after: Duration::from_secs(6) });
        assert!(log.admit(POLICY, Duration::from_secs(10)).allowed);
        assert!(!log.admit(POLICY, Duration::from_millis(10_999)).allowed);
        assert!(log.admit(POLICY, Duration::from_secs(11)).allowed);
    }

    #[test]
    fn a_policy_reads_from_its_setting() {
        assert_eq!("10/300".parse::<Policy>().unwrap(), Policy { count: 10, window: Duration::from_secs(300) });
        for text in ["", "10", "0/60", "10/0", "-1/5", "10/5m", "10/86401"] {
            assert_eq!(text.parse::<Policy>(), Err(NotAPolicy), "{text}");
        }
    }
}
