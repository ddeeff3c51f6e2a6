//! The rule for cards in a catalog file, and Stripe's own smallest amounts where the file has none.

use serde::{Deserialize, Serialize};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, amounts},
    domain::{
        card_rule::CardRule,
        invalid::{Faults, Invalid},
        money::{Amounts, Minor},
    },
};

/// The smallest amounts that Stripe charges, in minor units, as published in November 2026. They are those of accounts
/// that are settled in the same currency: for others a catalog says what applies.
///
/// <https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>
const PUBLISHED: [(&str, i64); 24] = [
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1000),
    ("USD", 50),
];

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCards {
    /// In place of Stripe's own for these currencies; 0 means that there is none.
    minimum_totals: StoredAmounts,
}

/// The rule of a catalog that says this of cards.
///
/// # Errors
/// Every fault, with its JSON pointer in what the catalog says.
pub fn card_rule(stored: Option<&StoredCards>) -> Result<CardRule, Vec<Invalid>> {
    let mut faults = Faults::default();
    let published = PUBLISHED.iter().filter_map(|(code, amount)| Some((code.parse().ok()?, Minor::new(*amount).ok()?)));
    let mut minimum_totals: Amounts = published.collect();
    if let Some(stored) = stored {
        minimum_totals.extend(amounts(&mut faults, &"/minimumTotals", &stored.minimum_totals));
    }
    faults.finish(Some(CardRule { minimum_totals }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_published_amount_is_in_the_rule_unless_the_file_has_another() {
        let rule = card_rule(None).unwrap();
        assert_eq!(rule.minimum_totals.len(), PUBLISHED.len());
        let file: StoredCards =
            serde_json::from_str(r#"{"minimumTotals": {"USD": 0, "EUR": 100, "KWD": 500}}"#).unwrap();
        let rule = card_rule(Some(&file)).unwrap();
        let of = |code: &str| rule.minimum_totals.get(&code.parse().unwrap()).map(|amount| amount.get());
        assert_eq!(["USD", "EUR", "KWD", "JPY", "TRY"].map(of), [Some(0), Some(100), Some(500), Some(50), None]);
        assert_eq!(rule.minimum_totals.len(), PUBLISHED.len() + 1);
    }
}
