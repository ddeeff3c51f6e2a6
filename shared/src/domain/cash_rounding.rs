//! Cash rounding: where the smallest coin is larger than the currency's minor unit, a total that is paid in cash is rounded
//! to what coins can pay. Only cash is rounded: a card pays every amount.

use crate::domain::money::{Currency, Minor, OutOfRange};

/// The steps of cash in minor units, by currency. Those of CLDR are `cashRounding` and `cashDigits` in its `currencyData`:
/// <https://github.com/unicode-org/cldr-json/blob/45.0.0/cldr-json/cldr-core/supplemental/currencyData.json>. CLDR has no
/// entry for AUD and NZD, and whole forints for HUF; there the central banks say what is paid.
const STEPS: [(&str, i64); 9] = [
    // 5 cents is the smallest coin since 1992: <https://banknotes.rba.gov.au/australias-banknotes/coins/>
    ("AUD", 5),
    // CLDR 45
    ("CAD", 5),
    // CLDR 45
    ("CHF", 5),
    // CLDR 45
    ("CZK", 100),
    // CLDR 45
    ("DKK", 50),
    // 5 forints, by Act III of 2008: <https://www.mnb.hu/en/banknotes-and-coins/rounding>
    ("HUF", 500),
    // CLDR 45
    ("NOK", 100),
    // 10 cents is the smallest coin since 2006: <https://www.rbnz.govt.nz/money-and-cash/coins>
    ("NZD", 10),
    // CLDR 45
    ("SEK", 100),
];

/// The smallest amount that coins can pay, and all their sums. None if that is the minor unit.
pub fn step(currency: Currency) -> Option<Minor> {
    let known = STEPS.iter().find(|(code, _)| *code == currency.code());
    known.and_then(|(_, step)| Minor::new(*step).ok())
}

/// An amount as cash pays it: the nearest that coins can pay, upwards from the middle. What isn't zero is never rounded to
/// nothing: then it is the smallest coin.
///
/// # Errors
/// [`OutOfRange`] when the rounded amount leaves the range of [`Minor`].
pub fn rounded(amount: Minor, currency: Currency) -> Result<Minor, OutOfRange> {
    let Some(step) = step(currency).filter(|_| !amount.is_zero()) else { return Ok(amount) };
    let rest = amount.get() % step.get();
    let down = Minor::new(amount.get() - rest)?;
    if rest * 2 >= step.get() || down.is_zero() {
        down.plus(if rest == 0 { Minor::ZERO } else { step })
    } else {
        Ok(down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cash(amount: i64, currency: &str) -> i64 {
        rounded(Minor::new(amount).unwrap(), currency.parse().unwrap()).unwrap().get()
    }

    #[test]
    fn cash_is_rounded_to_the_nearest_coins_and_never_to_nothing() {
        for (currency, exact, paid) in [
            ("CHF", 1002, 1000),
            ("CHF", 1003, 1005),
            ("CHF", 1005, 1005),
            ("CHF", 1, 5),
            ("CHF", 0, 0),
            ("HUF", 249_900, 250_000),
            ("HUF", 250_200, 250_000),
            ("HUF", 250_250, 250_500),
            ("SEK", 9949, 9900),
            ("SEK", 9950, 10_000),
            ("DKK", 1024, 1000),
            ("DKK", 1025, 1050),
            ("NOK", 150, 200),
            ("NZD", 104, 100),
            ("NZD", 105, 110),
            ("EUR", 1002, 1002),
            ("JPY", 3, 3),
        ] {
            assert_eq!(cash(exact, currency), paid, "{exact} {currency}");
        }
    }

    #[test]
    fn the_largest_amount_is_rounded_or_out_of_range() {
        assert_eq!(rounded(Minor::MAX, "CHF".parse().unwrap()).map(Minor::get), Ok(9_007_199_254_740_990));
        assert_eq!(rounded(Minor::MAX, "SEK".parse().unwrap()), Err(OutOfRange));
    }

    #[test]
    fn every_step_is_of_a_currency() {
        for (code, amount) in STEPS {
            assert_eq!(step(code.parse().unwrap()).map(Minor::get), Some(amount));
        }
    }
}
