//! Money in integers: amounts in the minor unit of a currency, rates in parts per million.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::as_text::as_text;

/// A result is outside the range of an amount. Numbers are never wrapped or clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the amount is out of range")]
pub struct OutOfRange;

/// An amount in the minor unit of its currency: `Minor(1999)` is 19.99 USD, 1999 JPY or 1.999 KWD. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct Minor(i64);

impl TryFrom<i64> for Minor {
    type Error = OutOfRange;

    fn try_from(amount: i64) -> Result<Self, OutOfRange> {
        Self::new(amount)
    }
}

impl Minor {
    pub const ZERO: Self = Self(0);
    /// The largest amount: the sums and products of any cart stay exact as JSON numbers (below 2^53).
    pub const MAX: Self = Self(9_007_199_254_740_991);

    pub fn new(amount: i64) -> Result<Self, OutOfRange> {
        if (0..=Self::MAX.0).contains(&amount) { Ok(Self(amount)) } else { Err(OutOfRange) }
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn plus(self, other: Self) -> Result<Self, OutOfRange> {
        self.0.checked_add(other.0).ok_or(OutOfRange).and_then(Self::new)
    }

    /// The difference. [`OutOfRange`] if it is negative.
    pub fn minus(self, other: Self) -> Result<Self, OutOfRange> {
        self.0.checked_sub(other.0).ok_or(OutOfRange).and_then(Self::new)
    }

    /// The difference, or nothing if it is negative.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        self.minus(other).unwrap_or(Self::ZERO)
    }

    /// `part` of `whole` parts, rounded down. `part` is at most `whole`; all of it if `whole` is zero.
    #[must_use]
    pub fn share(self, part: u64, whole: u64) -> Self {
        let product = i128::from(self.0) * i128::from(part.min(whole));
        let share = product.checked_div(i128::from(whole)).and_then(|share| i64::try_from(share).ok());
        share.map_or(self, Self)
    }

    pub fn times(self, quantity: impl Into<u64>) -> Result<Self, OutOfRange> {
        let product = i128::from(self.0) * i128::from(quantity.into());
        i64::try_from(product).map_err(|_| OutOfRange).and_then(Self::new)
    }

    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, OutOfRange> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// Splits this amount over `weights` by largest remainder: the parts add up to it exactly, ties go to the earlier
    /// part, and a part of weight zero gets nothing. Without any weight there is nothing to split over.
    ///
    /// # Errors
    /// [`OutOfRange`] when the amount isn't zero and all weights are.
    pub fn split(self, weights: &[Self]) -> Result<Vec<Self>, OutOfRange> {
        if self.is_zero() {
            return Ok(vec![Self::ZERO; weights.len()]);
        }
        let whole: i128 = weights.iter().map(|w| i128::from(w.0)).sum();
        if whole == 0 {
            return Err(OutOfRange);
        }
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        let mut left = i128::from(self.0);
        for (index, weight) in weights.iter().enumerate() {
            let product = i128::from(self.0).checked_mul(i128::from(weight.0)).ok_or(OutOfRange)?;
            let part = product.checked_div(whole).ok_or(OutOfRange)?;
            left = left.checked_sub(part).ok_or(OutOfRange)?;
            remainders.push((product.checked_rem(whole).ok_or(OutOfRange)?, index));
            parts.push(Self::new(i64::try_from(part).map_err(|_| OutOfRange)?)?);
        }
        // Largest remainder first; among equals the earlier line.
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let extra = usize::try_from(left).map_err(|_| OutOfRange)?;
        for (_, index) in remainders.into_iter().take(extra) {
            if let Some(part) = parts.get_mut(index) {
                *part = part.plus(Self(1))?;
            }
        }
        Ok(parts)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An exact rate in parts per million: `7.25` percent is 72 500.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

impl Rate {
    const WHOLE: i128 = 1_000_000;

    /// 100 %.
    pub const FULL: Self = Self(1_000_000);

    /// This rate of an amount, rounded half away from zero to the minor unit.
    pub fn of(self, amount: Minor) -> Result<Minor, OutOfRange> {
        ratio(amount, i128::from(self.0), Self::WHOLE)
    }

    /// This rate's part of an amount that already includes taxes at the sum of `all` rates, of which this is one.
    pub fn included_in(self, amount: Minor, all: Rates) -> Result<Minor, OutOfRange> {
        ratio(amount, i128::from(self.0), Self::WHOLE + i128::from(all.0))
    }
}

/// The sum of several rates. It may be more than 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates(u64);

impl Rates {
    pub fn sum(rates: impl IntoIterator<Item = Rate>) -> Self {
        Self(rates.into_iter().map(|rate| u64::from(rate.0)).sum())
    }
}

/// `amount × numerator ÷ denominator`, rounded half away from zero; the denominator is positive.
fn ratio(amount: Minor, numerator: i128, denominator: i128) -> Result<Minor, OutOfRange> {
    let product = i128::from(amount.0).checked_mul(numerator).ok_or(OutOfRange)?;
    let rounded = product.checked_add(denominator / 2).ok_or(OutOfRange)?.checked_div(denominator).ok_or(OutOfRange)?;
    Minor::new(i64::try_from(rounded).map_err(|_| OutOfRange)?)
}

as_text! { Rate: "rate", Currency: "currency" }

/// Why a text is not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a percentage from 0 to 100 with at most four decimals, as text: \"7.25\"")]
pub struct NotAPercentage;

impl FromStr for Rate {
    type Err = NotAPercentage;

    fn from_str(text: &str) -> Result<Self, NotAPercentage> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 4 {
            return Err(NotAPercentage);
        }
        let number: u32 = format!("{whole}{fraction:0<4}").parse().map_err(|_| NotAPercentage)?;
        if i128::from(number) > Self::WHOLE { Err(NotAPercentage) } else { Ok(Self(number)) }
    }
}

impl fmt::Display for Rate {
    /// As a percentage without trailing zeros: `7.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    pub const USD: Self = Self(iso_currency::Currency::USD);

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The number of decimals that people write.
    pub fn exponent(self) -> u32 {
        self.0.exponent().unwrap_or_default().into()
    }

    /// An amount for people: `19.99 USD`, `1999 JPY`, `1.999 KWD`.
    pub fn format(self, amount: Minor) -> String {
        let decimals = usize::try_from(self.exponent()).unwrap_or_default();
        let digits = format!("{:0>width$}", amount.0, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let point = if decimals == 0 { "" } else { "." };
        format!("{whole}{point}{fraction} {self}")
    }
}

/// Why a text is not a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 currency code such as \"USD\"")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        iso_currency::Currency::from_code(text).map(Self).ok_or(NotACurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

/// One amount for each currency, as in catalogs. Currencies are never converted.
pub type Amounts = BTreeMap<Currency, Minor>;

#[cfg(test)]
mod tests {
    use super::*;

    fn minors(amounts: &[i64]) -> Vec<Minor> {
        amounts.iter().map(|a| Minor::new(*a).unwrap()).collect()
    }

    #[test]
    fn a_split_adds_up_and_gives_the_odd_cents_to_the_largest_remainders() {
        let total = Minor::new(100).unwrap();
        assert_eq!(total.split(&minors(&[1, 1, 1])).unwrap(), minors(&[34, 33, 33]));
        assert_eq!(total.split(&minors(&[0, 999, 1])).unwrap(), minors(&[0, 100, 0]));
        assert_eq!(Minor::new(2).unwrap().split(&minors(&[3, 5, 5])).unwrap(), minors(&[0, 1, 1]));
    }

    #[test]
    fn a_split_over_nothing_is_an_error_unless_there_is_nothing_to_split() {
        assert_eq!(Minor::new(1).unwrap().split(&minors(&[0, 0])), Err(OutOfRange));
        assert_eq!(Minor::ZERO.split(&minors(&[0, 0])).unwrap(), minors(&[0, 0]));
    }

    #[test]
    fn a_rate_rounds_half_away_from_zero() {
        let rate: Rate = "7.25".parse().unwrap();
        assert_eq!(rate.of(Minor::new(200).unwrap()).unwrap(), Minor::new(15).unwrap()); // 14.5
        assert_eq!(rate.of(Minor::new(199).unwrap()).unwrap(), Minor::new(14).unwrap()); // 14.4275
        assert_eq!(rate.to_string(), "7.25");
        assert_eq!("20".parse::<Rate>().unwrap().to_string(), "20");
    }

    #[test]
    fn a_rate_that_is_no_percentage_is_refused() {
        for text in ["", ".5", "5.", "-1", "100.0001", "1e2", "7,25", "1000", " 5", "1.00001"] {
            assert_eq!(text.parse::<Rate>(), Err(NotAPercentage), "{text}");
        }
    }

    #[test]
    fn an_included_tax_is_a_part_of_the_whole() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        let minor = |amount| Minor::new(amount).unwrap();
        let all = Rates::sum([rate("19")]);
        assert_eq!(rate("19").included_in(minor(11_900), all).unwrap(), minor(1900));
        assert_eq!(rate("19").included_in(minor(100), all).unwrap(), minor(16)); // 15.97
        let both = Rates::sum([rate("10"), rate("15")]);
        assert_eq!(rate("10").included_in(minor(1250), both).unwrap(), minor(100));
        // 0.5 exactly: 21 × 2.5 % ÷ 105 %.
        assert_eq!(rate("2.5").included_in(minor(21), Rates::sum([rate("5")])).unwrap(), minor(1));
    }

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency() {
        let written = |code: &str, amount| code.parse::<Currency>().unwrap().format(Minor::new(amount).unwrap());
        let all = [("USD", 5), ("USD", 1999), ("JPY", 1999), ("JPY", 0), ("KWD", 1999), ("KWD", 7)]
            .map(|(c, a)| written(c, a));
        assert_eq!(all, ["0.05 USD", "19.99 USD", "1999 JPY", "0 JPY", "1.999 KWD", "0.007 KWD"]);
    }

    #[test]
    fn amounts_never_leave_their_range() {
        assert_eq!(Minor::MAX.plus(Minor(1)), Err(OutOfRange));
        assert_eq!(Minor::ZERO.minus(Minor(1)), Err(OutOfRange));
        assert_eq!(Minor::MAX.times(2_u32), Err(OutOfRange));
        assert_eq!(Minor::new(-1), Err(OutOfRange));
    }
}
