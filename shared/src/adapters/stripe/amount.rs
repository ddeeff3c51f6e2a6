//! Amounts in Stripe's units, which have other decimals than ISO 4217 for some currencies.
//!
//! <https://docs.stripe.com/currencies>

use crate::domain::money::{Currency, Minor};

/// Currencies without decimals at Stripe, whatever ISO 4217 says.
const ZERO_DECIMAL: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Currencies without decimals that have two at Stripe, which must be 00.
const TWO_FOR_NONE: [&str; 2] = ["ISK", "UGX"];

/// The amount in Stripe's unit. `None` if it can't be paid by card: for currencies with three decimals card networks
/// require steps of ten, and for currencies without decimals at Stripe whole units.
pub fn to_stripe(amount: Minor, currency: Currency) -> Option<i64> {
    let (code, decimals, amount) = (currency.code(), currency.exponent(), amount.get());
    if ZERO_DECIMAL.contains(&code) {
        let unit = 10_i64.checked_pow(decimals)?;
        return (amount % unit == 0).then_some(amount / unit);
    }
    if TWO_FOR_NONE.contains(&code) && decimals == 0 {
        return amount.checked_mul(100);
    }
    if decimals == 3 {
        return (amount % 10 == 0).then_some(amount);
    }
    Some(amount)
}

/// The amount from Stripe's unit. `None` if it isn't a valid amount here.
pub fn from_stripe(amount: i64, currency: Currency) -> Option<Minor> {
    let (code, decimals) = (currency.code(), currency.exponent());
    let amount = if ZERO_DECIMAL.contains(&code) {
        amount.checked_mul(10_i64.checked_pow(decimals)?)?
    } else if TWO_FOR_NONE.contains(&code) && decimals == 0 {
        amount / 100
    } else {
        amount
    };
    Minor::new(amount).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_is_counted_as_stripe_counts_it() {
        let cases = [
            ("USD", 1999, Some(1999)),
            ("JPY", 500, Some(500)),
            ("KRW", 50_000, Some(50_000)),
            ("KWD", 5120, Some(5120)),
            ("KWD", 5125, None),
            ("BHD", 10, Some(10)),
            ("JOD", 1, None),
            // None in ISO 4217, two at Stripe.
            ("ISK", 500, Some(50_000)),
            ("UGX", 500, Some(50_000)),
            // Two in ISO 4217, none at Stripe.
            ("MGA", 500, Some(5)),
            ("MGA", 501, None),
        ];
        for (code, ours, theirs) in cases {
            let (currency, amount) = (code.parse().unwrap(), Minor::new(ours).unwrap());
            assert_eq!(to_stripe(amount, currency), theirs, "{code} {ours}");
            if let Some(theirs) = theirs {
                assert_eq!(from_stripe(theirs, currency), Some(amount), "{code} {ours}");
            }
        }
    }
}
