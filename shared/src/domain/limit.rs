//! Rate limits: exact sliding windows.

use std::{collections::VecDeque, time::Duration};

/// At most `count` accepted in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub count: u32,
    pub window: Duration,
}

/// The decision of a limit about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// How many more requests the window accepts now.
    pub remaining: u32,
    /// The time until the window accepts more than `remaining`: until the oldest accepted request leaves it. For a
    /// refused request, the time until it would be accepted.
    pub reset_after: Duration,
}

/// Why a text is not a limit.
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

/// The accepted requests of one caller on one route, for a container that counts without Redis. The rule is the same as
/// in the Redis script.
#[derive(Clone, Debug, Default)]
pub struct SlidingLog {
    /// Oldest first. A request is in it as many times as its cost.
    accepted: VecDeque<(Duration, u128)>,
}

impl SlidingLog {
    /// Decides on a request at `now` (since any fixed origin), and records it if it is allowed. `request` is its id; it
    /// counts as `cost` requests, or is a look if that is 0.
    pub fn admit(&mut self, policy: Policy, cost: u32, request: u128, now: Duration) -> Decision {
        self.forget(policy, now);
        let used = self.used();
        let until = |at: Option<&(Duration, u128)>| {
            at.map_or(Duration::ZERO, |(at, _)| policy.window.saturating_sub(now.saturating_sub(*at)))
        };
        if cost > 0 && used.saturating_add(cost) > policy.count {
            // The oldest entries must leave until there is room.
            let leaving = used.saturating_add(cost).saturating_sub(policy.count).saturating_sub(1);
            let last = self.accepted.get(leaving as usize);
            let remaining = policy.count.saturating_sub(used);
            return Decision { allowed: false, remaining, reset_after: until(last) };
        }
        self.note(policy, cost, request, now);
        let remaining = policy.count.saturating_sub(self.used());
        Decision { allowed: true, remaining, reset_after: until(self.accepted.front()) }
    }

    /// Records a request that was accepted elsewhere.
    pub fn note(&mut self, policy: Policy, cost: u32, request: u128, now: Duration) {
        self.forget(policy, now);
        for _ in 0..cost {
            self.accepted.push_back((now, request));
        }
    }

    /// Removes a request.
    pub fn refund(&mut self, request: u128) {
        self.accepted.retain(|(_, accepted)| *accepted != request);
    }

    /// Whether no request in it counts any more.
    pub fn idle(&mut self, policy: Policy, now: Duration) -> bool {
        self.forget(policy, now);
        self.accepted.is_empty()
    }

    fn used(&self) -> u32 {
        u32::try_from(self.accepted.len()).unwrap_or(u32::MAX)
    }

    fn forget(&mut self, policy: Policy, now: Duration) {
        while self.accepted.front().is_some_and(|(oldest, _)| now.saturating_sub(*oldest) >= policy.window) {
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
            if log.admit(POLICY, 1, u128::from(tick), now).allowed {
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
        let mut at = |ms| log.admit(POLICY, 1, u128::from(ms), Duration::from_millis(ms));
        for second in 0..3 {
            assert!(at(second * 1000).allowed);
        }
        let refused = Decision { allowed: false, remaining: 0, reset_after: Duration::from_secs(6) };
        assert_eq!(at(4000), refused);
        assert!(at(10_000).allowed);
        assert!(!at(10_999).allowed);
        assert!(at(11_000).allowed);
    }

    #[test]
    fn a_request_may_count_as_several_and_be_taken_out_again() {
        let mut log = SlidingLog::default();
        assert_eq!(log.admit(POLICY, 2, 1, Duration::ZERO).remaining, 1);
        let refused = log.admit(POLICY, 2, 2, Duration::from_secs(4));
        let expected = Decision { allowed: false, remaining: 1, reset_after: Duration::from_secs(6) };
        assert_eq!(refused, expected, "one is left, which is not enough");
        assert!(log.admit(POLICY, 1, 3, Duration::from_secs(5)).allowed);
        log.refund(1);
        assert_eq!(log.admit(POLICY, 2, 4, Duration::from_secs(6)).remaining, 0);
        log.refund(99);
        assert!(!log.admit(POLICY, 1, 5, Duration::from_secs(6)).allowed);
    }

    #[test]
    fn a_look_is_always_allowed_and_counts_nothing() {
        let mut log = SlidingLog::default();
        let look = |log: &mut SlidingLog, s| log.admit(POLICY, 0, 7, Duration::from_secs(s));
        let expected = |remaining, s| Decision { allowed: true, remaining, reset_after: Duration::from_secs(s) };
        assert_eq!(look(&mut log, 0), expected(3, 0));
        log.admit(POLICY, 3, 1, Duration::from_secs(1));
        assert_eq!(look(&mut log, 4), expected(0, 7));
        assert_eq!(look(&mut log, 11), expected(3, 0));
    }

    #[test]
    fn a_policy_reads_from_its_setting() {
        assert_eq!("10/300".parse::<Policy>().unwrap(), Policy { count: 10, window: Duration::from_secs(300) });
        for text in ["", "10", "0/60", "10/0", "-1/5", "10/5m", "10/86401"] {
            assert_eq!(text.parse::<Policy>(), Err(NotAPolicy), "{text}");
        }
    }
}
