//! How long to wait before trying again.

use std::time::Duration;

use uuid::Uuid;

/// Full jitter: a random time up to 10 ms, then 20, 40, … at most 320 ms. `seed` is a random id of the request.
pub fn backoff(seed: Uuid, attempt: u32) -> Duration {
    jitter(seed, attempt, 5)
}

/// As [`backoff`], for those who wait for one item that many write: at most 640 ms. Each attempt costs the table as much as
/// one that succeeds, and who has waited for long makes room for others.
pub fn turn(seed: Uuid, attempt: u32) -> Duration {
    jitter(seed, attempt, 6)
}

fn jitter(seed: Uuid, attempt: u32, doublings: u32) -> Duration {
    let ceiling_ms = 10_u64 << attempt.min(doublings);
    // Sixteen bits for each attempt: the multiplier mixes the seed with the attempt.
    let (high, low) = seed.as_u64_pair();
    let chance = (high ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.wrapping_add(u64::from(attempt) * 2)) >> 48;
    Duration::from_micros(ceiling_ms * 1000 * chance / 0xFFFF)
}

/// Seconds until a client should try again. They are random, so that clients that were refused together don't come back
/// together. `seed` is a random id of the request.
pub fn come_back_after(seed: Uuid) -> u64 {
    const LEAST: u64 = 2;
    const SPREAD: u64 = 7;
    let (high, low) = seed.as_u64_pair();
    LEAST + ((high ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % SPREAD
}

/// The pause after `failures` failed attempts: a minute, then 2, 4, 8 … and at most `longest`. Each is randomly up to a
/// quarter shorter, so that what failed together isn't tried again together.
pub fn pause(seed: Uuid, failures: u32, longest: Duration) -> Duration {
    let whole = Duration::from_secs(60 << failures.saturating_sub(1).min(20)).min(longest);
    let (high, low) = seed.as_u64_pair();
    let chance = (high ^ low).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.wrapping_add(u64::from(failures) * 2)) >> 48;
    let chance = u32::try_from(chance).unwrap_or_default();
    whole.saturating_sub(whole / 4 * chance / 0xFFFF)
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
            let ceiling = Duration::from_millis(10 << attempt.min(6));
            assert!(seeds.iter().all(|seed| turn(*seed, attempt) <= ceiling));
        }
        assert_ne!(backoff(seeds[0], 3), backoff(seeds[1], 3));
    }

    #[test]
    fn pauses_grow_are_bounded_and_differ() {
        let longest = Duration::from_secs(3600);
        let seeds = [1_u128 << 64 | 7, 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978, u128::MAX].map(Uuid::from_u128);
        for (failures, minutes) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (40, 60), (u32::MAX, 60)]
        {
            let whole = Duration::from_secs(60 * minutes);
            for seed in seeds {
                let pause = pause(seed, failures, longest);
                assert!(pause <= whole && pause >= whole * 3 / 4, "{failures}: {pause:?}");
            }
        }
        assert_ne!(pause(seeds[0], 2, longest), pause(seeds[1], 2, longest));
    }
}
