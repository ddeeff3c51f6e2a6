//! Goods that a jurisdiction taxes only from a price: clothing in some states of the US.

use serde::{Deserialize, Serialize};

use crate::domain::money::{Amounts, Currency, Minor};

/// Up to which price of one unit goods of a tax code aren't taxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceLimit {
    /// By currency. In a currency without one the goods are taxed.
    pub each: Amounts,
    pub taxed: TaxedAbove,
}

/// What is taxed of a unit above the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaxedAbove {
    /// What it costs more than the limit.
    Excess,
    /// All of it, if it costs the limit or more.
    Whole,
}

/// What isn't taxed of a line's goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untaxed {
    pub amount: Minor,
    /// The limit of one unit.
    pub each: Minor,
    pub taxed: TaxedAbove,
}

impl PriceLimit {
    /// What isn't taxed of `units` units that cost this together, each the same. None if nothing is exempt.
    pub fn untaxed(&self, goods: Minor, units: u32, currency: Currency) -> Option<Untaxed> {
        let each = *self.each.get(&currency)?;
        // An amount past the range of amounts is more than any goods cost.
        let limit = each.times(units).unwrap_or(Minor::MAX);
        let amount = match self.taxed {
            TaxedAbove::Excess => goods.min(limit),
            TaxedAbove::Whole if goods < limit => goods,
            TaxedAbove::Whole => return None,
        };
        Some(Untaxed { amount, each, taxed: self.taxed })
    }
}
