//! Periods of time, and business days.

use std::collections::BTreeSet;

use time::{Date, OffsetDateTime, Weekday};

/// When a rule is in force: from its start (inclusive) to its end (exclusive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    pub starts_at: Option<OffsetDateTime>,
    pub ends_at: Option<OffsetDateTime>,
}

impl Period {
    pub fn has_started(&self, now: OffsetDateTime) -> bool {
        self.starts_at.is_none_or(|start| start <= now)
    }

    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    pub fn contains(&self, now: OffsetDateTime) -> bool {
        self.has_started(now) && !self.has_ended(now)
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        let ends_before = |a: &Self, b: &Self| a.ends_at.zip(b.starts_at).is_some_and(|(end, start)| end <= start);
        !ends_before(self, other) && !ends_before(other, self)
    }
}

/// The date that is `days` business days after another: Monday to Friday without holidays.
pub fn business_days_after(day: Date, days: u16, holidays: &BTreeSet<Date>) -> Date {
    let (mut day, mut left) = (day, days);
    while left > 0 {
        let Some(next) = day.next_day() else { return day };
        day = next;
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !weekend && !holidays.contains(&day) {
            left -= 1;
        }
    }
    day
}
