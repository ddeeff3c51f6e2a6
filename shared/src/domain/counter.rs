//! The counters that orders take from, and their parts, for what many want at once: from which of them an order takes, and to
//! which it gives back.

use std::fmt;

use crate::domain::ids::{CouponCode, Sku};

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// Units of stock.
    Stock(Sku),
    /// The uses of a coupon with a total limit. One counter counts those that were made; one in parts, those that are left.
    Coupon(CouponCode),
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stock(sku) => write!(f, "stock#{sku}"),
            Self::Coupon(code) => write!(f, "coupon#{code}"),
        }
    }
}

/// The most parts of one counter: a count writes all of them in one transaction.
pub const MOST_PARTS: u8 = 64;

/// Units that an order took from one part of a counter. Part 0 is the counter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartUnits {
    pub part: u8,
    pub units: u32,
}

/// From which parts to take units, by what is left in each. From one if one has enough: from the part whose turn it is, or
/// the next one that has. Else from the largest, so that they are few. None if all together have too little.
pub fn choose(left: &[i64], units: u32, turn: u64) -> Option<Vec<PartUnits>> {
    let parts: Vec<(u8, i64)> = (0..=u8::MAX).zip(left.iter().copied()).collect();
    let first = usize::try_from(turn % u64::try_from(parts.len()).ok()?.max(1)).ok()?;
    let mut in_turn = parts.iter().cycle().skip(first).take(parts.len());
    if let Some((part, _)) = in_turn.find(|(_, left)| *left >= i64::from(units)) {
        return Some(vec![PartUnits { part: *part, units }]);
    }
    // A part below zero is owed by the others.
    if left.iter().fold(0_i64, |sum, left| sum.saturating_add(*left)) < i64::from(units) {
        return None;
    }
    let mut largest = parts;
    largest.sort_by_key(|(_, left)| std::cmp::Reverse(*left));
    let mut missing = units;
    let mut chosen = Vec::new();
    for (part, left) in largest {
        let units = missing.min(u32::try_from(left).unwrap_or_default());
        if units > 0 {
            chosen.push(PartUnits { part, units });
            missing -= units;
        }
    }
    (missing == 0).then_some(chosen)
}

/// Where units go back to that were taken from these parts, after `given` others went back: each to where it came from, and
/// each part once. What no part is known of goes to the counter itself.
pub fn give_back(taken: &[PartUnits], given: u32, units: u32) -> Vec<PartUnits> {
    let (mut skip, mut missing) = (given, units);
    let mut back: Vec<PartUnits> = Vec::new();
    let rest = PartUnits { part: 0, units: u32::MAX };
    for PartUnits { part, units } in taken.iter().copied().chain([rest]) {
        let passed = skip.min(units);
        skip -= passed;
        let units = missing.min(units - passed);
        missing -= units;
        match back.iter_mut().find(|of| of.part == part) {
            Some(of) => of.units = of.units.saturating_add(units),
            None if units > 0 => back.push(PartUnits { part, units }),
            None => {}
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[(u8, u32)]) -> Vec<PartUnits> {
        parts.iter().map(|(part, units)| PartUnits { part: *part, units: *units }).collect()
    }

    #[test]
    fn one_part_that_has_enough_is_taken_in_turn_and_else_the_largest() {
        assert_eq!(choose(&[5, 5, 5, 5], 2, 6), Some(of(&[(2, 2)])));
        assert_eq!(choose(&[5, 1, 1, 1], 2, 1), Some(of(&[(0, 2)])), "the next that has enough");
        assert_eq!(choose(&[1, 3, 0, 2], 6, 0), Some(of(&[(1, 3), (3, 2), (0, 1)])));
        assert_eq!(choose(&[1, 3, 0, 2], 5, 3), Some(of(&[(1, 3), (3, 2)])));
        assert_eq!(choose(&[1, 3, 0, 2], 7, 0), None);
        assert_eq!(choose(&[-2, 2, 2], 3, 0), None, "two of them are owed");
        assert_eq!(choose(&[-2, 3, 3], 4, 0), Some(of(&[(1, 3), (2, 1)])));
        assert_eq!(choose(&[], 1, 7), None);
        assert_eq!(choose(&[7], 7, u64::MAX), Some(of(&[(0, 7)])));
    }

    #[test]
    fn what_is_chosen_is_what_was_asked_for_and_is_there() {
        for seed in 0..2_000_u64 {
            let mixed = |n: u64| (seed * 64 + n).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let left: Vec<i64> = (0..=mixed(0) % 64).map(|n| (mixed(n + 1) % 6).cast_signed()).collect();
            let units = u32::try_from(1 + mixed(63) % 80).expect("a small number");
            let sum: i64 = left.iter().sum();
            let Some(chosen) = choose(&left, units, mixed(62)) else {
                assert!(sum < i64::from(units), "{left:?} has {units}");
                continue;
            };
            assert_eq!(chosen.iter().map(|of| of.units).sum::<u32>(), units);
            assert!(chosen.iter().all(|of| i64::from(of.units) <= left[usize::from(of.part)] && of.units > 0));
            let mut parts: Vec<_> = chosen.iter().map(|of| of.part).collect();
            parts.dedup();
            assert_eq!(parts.len(), chosen.len(), "each part once");
        }
    }

    #[test]
    fn units_go_back_to_where_they_came_from_however_they_are_divided() {
        let taken = of(&[(3, 2), (7, 3), (1, 1)]);
        assert_eq!(give_back(&taken, 0, 6), taken);
        assert_eq!(give_back(&taken, 1, 3), of(&[(3, 1), (7, 2)]));
        assert_eq!(give_back(&taken, 4, 2), of(&[(7, 1), (1, 1)]));
        assert_eq!(give_back(&taken, 5, 3), of(&[(1, 1), (0, 2)]), "more than is known of");
        assert_eq!(give_back(&[], 0, 2), of(&[(0, 2)]), "an order from before there were parts");
        assert_eq!(give_back(&taken, 2, 0), []);
        let ended = of(&[(0, 2), (7, 3), (0, 1)]);
        assert_eq!(give_back(&ended, 1, 5), of(&[(0, 2), (7, 3)]), "a part is written once");
    }
}
