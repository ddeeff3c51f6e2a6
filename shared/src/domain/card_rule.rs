//! The shop's rule for cards: the provider takes no payment below a smallest amount.

use crate::domain::money::{Amounts, Currency, Minor};

/// The shop's rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardRule {
    /// The smallest total in each currency. A currency without one has none.
    pub minimum_totals: Amounts,
}

/// Why a card can't pay a total.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardRefusal {
    #[error(
        "a card can pay {} or more, and the total is {}; add something, or pay in another way",
        .currency.format(*.minimum), .currency.format(*.total)
    )]
    TooSmall { total: Minor, minimum: Minor, currency: Currency },
}

impl CardRule {
    /// # Errors
    /// [`CardRefusal`] if a card can't pay this total.
    pub fn allow(&self, total: Minor, currency: Currency) -> Result<(), CardRefusal> {
        match self.minimum_totals.get(&currency) {
            Some(minimum) if total < *minimum => Err(CardRefusal::TooSmall { total, minimum: *minimum, currency }),
            _ => Ok(()),
        }
    }
}
