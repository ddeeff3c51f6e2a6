//! Counted stock, and what deliveries and counts change of it: each is made once for its reference.

use time::OffsetDateTime;

/// The largest stock.
pub const MOST_STOCK: u64 = 1_000_000_000;
/// The most changes that are kept of one counter; the oldest go first. A reference is known as long as its change.
const KEPT_CHANGES: usize = 200;
/// The longest reference, and the longest reason, in characters.
pub const LONGEST_TEXT: usize = 200;

/// What a shop does about a counter of stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum StockLevel {
    InStock,
    /// It is to be ordered again.
    Low,
    /// What is sold from now on isn't there.
    Backorder,
    /// No more of it is sold.
    SoldOut,
}

/// Where the levels of a counter begin, as the catalog says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockMarks {
    /// It is low with so many left, or fewer. None: it never is.
    pub low_stock_at: Option<i64>,
    /// It is sold out with so many left, or fewer: negative where more may be sold than is there.
    pub sold_out_at: i64,
}

impl StockMarks {
    /// The function of `StockLevelsPipe` in template.yaml decides the same.
    pub fn level(self, left: i64) -> StockLevel {
        if left <= self.sold_out_at {
            StockLevel::SoldOut
        } else if left <= 0 {
            StockLevel::Backorder
        } else if self.low_stock_at.is_some_and(|low| left <= low) {
            StockLevel::Low
        } else {
            StockLevel::InStock
        }
    }
}

/// What is wanted of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockWish {
    /// So many are there.
    Set(u64),
    /// So many have come.
    Add(u64),
}

/// A change that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockOrder {
    pub wish: StockWish,
    /// Names the change: made again with it, it is the same change.
    pub reference: String,
    pub reason: String,
    /// A member of the staff, or an operator's login name.
    pub by: String,
    pub at: OffsetDateTime,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockChange {
    pub reference: String,
    pub reason: String,
    pub by: String,
    pub at: OffsetDateTime,
    /// What was added; negative if a count found fewer.
    pub units: i64,
    /// What a count found; none for a delivery.
    pub counted: Option<u64>,
}

/// A counter as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockCounter {
    /// What is left to sell; negative if more is sold than is there, and none if it isn't counted.
    pub left: Option<i64>,
    /// What is left in each of its parts: one is all of it, for most. None if it isn't counted.
    pub parts: Vec<i64>,
    /// Grows with each change that isn't a sale.
    pub version: u64,
    /// Deliveries and counts, oldest first.
    pub changes: Vec<StockChange>,
}

/// What becomes of a wanted change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockDecision {
    /// It is the last of the counter's changes now.
    Make(StockChange),
    /// It was made before, under this reference.
    Known(StockChange),
}

/// Why stock isn't changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StockRefusal {
    #[error("it isn't counted")]
    NotCounted,
    #[error("the reference {reference:?} was used for another change of it: {units:+}")]
    ReferenceUsed { reference: String, units: i64 },
    #[error("that is more than {MOST_STOCK}")]
    TooMuch { left: i64 },
}

impl StockCounter {
    /// By how much each part changes, so that these units come to all of it, and no part has much more than another.
    pub fn by_part(&self, units: i64) -> Vec<i64> {
        let parts = i64::try_from(self.parts.len()).unwrap_or(1).max(1);
        let all = self.parts.iter().sum::<i64>().saturating_add(units);
        let (each, more) = (all.div_euclid(parts), all.rem_euclid(parts));
        let share = |at: i64| each + i64::from(at < more);
        (0..parts).zip(&self.parts).map(|(at, left)| share(at) - left).collect()
    }

    /// Decides about a change, and notes it if it is to be made.
    ///
    /// # Errors
    /// [`StockRefusal`]; then nothing is noted.
    pub fn change(&mut self, order: StockOrder) -> Result<StockDecision, StockRefusal> {
        let StockOrder { wish, reference, reason, by, at } = order;
        let left = self.left.ok_or(StockRefusal::NotCounted)?;
        let signed = |units: u64| {
            i64::try_from(units).ok().filter(|_| units <= MOST_STOCK).ok_or(StockRefusal::TooMuch { left })
        };
        let (units, counted) = match wish {
            StockWish::Add(units) => (signed(units)?, None),
            StockWish::Set(count) => (signed(count)? - left, Some(count)),
        };
        if let Some(known) = self.changes.iter().find(|known| known.reference == reference) {
            let is_same = known.counted == counted && (counted.is_some() || known.units == units);
            if is_same {
                return Ok(StockDecision::Known(known.clone()));
            }
            return Err(StockRefusal::ReferenceUsed { reference, units: known.units });
        }
        if left.checked_add(units).is_none_or(|after| after > MOST_STOCK.cast_signed()) {
            return Err(StockRefusal::TooMuch { left });
        }
        let change = StockChange { reference, reason, by, at, units, counted };
        self.changes.push(change.clone());
        let surplus = self.changes.len().saturating_sub(KEPT_CHANGES);
        self.changes.drain(..surplus);
        self.version += 1;
        Ok(StockDecision::Make(change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(wish: StockWish, reference: &str) -> StockOrder {
        StockOrder {
            wish,
            reference: reference.to_owned(),
            reason: "a delivery".to_owned(),
            by: "grace".to_owned(),
            at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn units(counter: &mut StockCounter, wish: StockWish, reference: &str) -> Result<i64, StockRefusal> {
        counter.change(order(wish, reference)).map(|decided| match decided {
            StockDecision::Make(change) => change.units,
            StockDecision::Known(change) => change.units * 1000,
        })
    }

    #[test]
    fn a_reference_is_one_change_and_nothing_that_is_refused_is_noted() {
        let mut counter = StockCounter { left: Some(7), ..StockCounter::default() };
        assert_eq!(units(&mut counter, StockWish::Add(5), "a"), Ok(5));
        assert_eq!(units(&mut counter, StockWish::Add(5), "a"), Ok(5000), "known");
        let used = StockRefusal::ReferenceUsed { reference: "a".to_owned(), units: 5 };
        assert_eq!(units(&mut counter, StockWish::Add(6), "a"), Err(used.clone()));
        assert_eq!(units(&mut counter, StockWish::Set(12), "a"), Err(used), "a count isn't a delivery");
        assert_eq!(units(&mut counter, StockWish::Set(3), "b"), Ok(-4));
        // A count that is repeated is the same, whatever was sold since.
        counter.left = Some(2);
        assert_eq!(units(&mut counter, StockWish::Set(3), "b"), Ok(-4000));
        assert_eq!((counter.changes.len(), counter.version), (2, 2));
    }

    #[test]
    fn a_count_is_spread_over_the_parts() {
        let counter = |parts: &[i64]| StockCounter { parts: parts.to_vec(), ..StockCounter::default() };
        assert_eq!(counter(&[7]).by_part(-3), [-3]);
        assert_eq!(counter(&[-4]).by_part(6), [6]);
        assert_eq!(counter(&[5, 0, 2]).by_part(4), [-1, 4, 1]);
        assert_eq!(counter(&[5, 0, 2]).by_part(-7), [-5, 0, -2]);
        assert_eq!(counter(&[-1, 0, 0]).by_part(0), [1, 0, -1]);
        assert_eq!(counter(&[]).by_part(4), [0; 0]);
    }

    #[test]
    fn there_is_a_most_and_what_isnt_counted_stays_so() {
        let most = StockRefusal::TooMuch { left: 1 };
        for wish in [StockWish::Add(MOST_STOCK), StockWish::Add(MOST_STOCK + 1), StockWish::Add(u64::MAX)] {
            let mut counter = StockCounter { left: Some(1), ..StockCounter::default() };
            assert_eq!(units(&mut counter, wish, "a"), Err(most.clone()), "{wish:?}");
            assert_eq!((counter.changes.len(), counter.version), (0, 0));
        }
        let mut counter = StockCounter { left: Some(1), ..StockCounter::default() };
        assert_eq!(units(&mut counter, StockWish::Add(MOST_STOCK - 1), "a"), Ok(999_999_999));
        assert_eq!(units(&mut StockCounter::default(), StockWish::Set(0), "a"), Err(StockRefusal::NotCounted));
    }

    #[test]
    fn the_oldest_changes_go_first() {
        let mut counter = StockCounter { left: Some(0), ..StockCounter::default() };
        for nth in 0..=KEPT_CHANGES {
            assert_eq!(units(&mut counter, StockWish::Add(1), &nth.to_string()), Ok(1));
        }
        assert_eq!(counter.changes.len(), KEPT_CHANGES);
        assert_eq!(counter.changes.first().map(|change| change.reference.as_str()), Some("1"));
    }
}
