//! How long to wait before trying again.

use std::time::Duration;

use uuid::Uuid;

/// Full jitter: anything up to 10 ms, then 20, 40, … at most 320 ms. `seed` is the request's own chance.
pub fn backoff(seed: Uuid, attempt: u32) -> Duration {
    let ceiling_ms = 10_u64 << attempt.min(5);
    // Sixteen bits of the seed for each attempt; the multiplier spreads the ones after the eighth.
    let (high, low) = seed.as_u64_pair();
    let chance = (high ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.wrapping_add(u64::from(attempt) * 2)) >> 48;
    Duration::from_micros(ceiling_ms * 1000 * chance / 0xFFFF)
}

/// Whole seconds to come back after, spread by chance, so that those who were turned away together don't come back
/// together. `seed` is the request's own chance.
pub fn come_back_after(seed: Uuid) -> u64 {
    const LEAST: u64 = 2;
    const SPREAD: u64 = 7;
    let (high, low) = seed.as_u64_pair();
    LEAST + ((high ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % SPREAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_come_back_are_spread_over_seconds() {
        let seconds = (0..200_u128).map(|seed| come_back_after(Uuid::from_u128(seed * 0x9E37_79B9_7F4A_7C15_F39C)));
        let seconds: std::collections::BTreeSet<u64> = seconds.collect();
        assert_eq!(seconds.into_iter().collect::<Vec<_>>(), (2..=8).collect::<Vec<_>>());
    }

    #[test]
    fn the_backoff_grows_and_differs_between_requests() {
        let seeds = [1_u128 << 64 | 7, 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978].map(Uuid::from_u128);
        for attempt in 0..40 {
            let ceiling = Duration::from_millis(10 << attempt.min(5));
            assert!(seeds.iter().all(|seed| backoff(*seed, attempt) <= ceiling));
        }
        assert_ne!(backoff(seeds[0], 3), backoff(seeds[1], 3));
    }
}
