//! Cash on delivery: such an order takes stock before it is paid, so the shop limits where it is offered and up to
//! which total.

use std::collections::BTreeSet;

use crate::domain::{
    money::{Amounts, Currency, Minor},
    place::{Destination, Fit, Region},
};

/// The shop's rule. The default is for a catalog without a rule: no cash on delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CashOnDelivery {
    /// Where it is offered. Empty means nowhere.
    pub countries: BTreeSet<Region>,
    /// The largest total in each currency. It isn't offered in a currency without one.
    pub maximum_totals: Amounts,
}

/// Why an order can't be paid by cash on delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CashRefusal {
    #[error("this shop doesn't offer cash on delivery; pay by card")]
    NotOffered,
    #[error("nothing of this order is delivered at a door; pay by card")]
    NothingToDeliver,
    #[error("cash on delivery isn't offered in {0}; pay by card")]
    Country(String),
    #[error("cash on delivery isn't offered in {0}; pay by card")]
    Currency(Currency),
    #[error("cash on delivery is offered up to {}, and the total is {}; pay by card", .currency.format(*.maximum), .currency.format(*.total))]
    Total { total: Minor, maximum: Minor, currency: Currency },
}

impl CashOnDelivery {
    /// # Errors
    /// [`CashRefusal`] if cash on delivery isn't offered for this total at this destination.
    pub fn allow(&self, to: &Destination, total: Minor, currency: Currency) -> Result<(), CashRefusal> {
        if self.countries.is_empty() {
            return Err(CashRefusal::NotOffered);
        }
        if !self.countries.iter().any(|region| matches!(region.fit(to), Fit::Yes(_))) {
            return Err(CashRefusal::Country(to.country().to_owned()));
        }
        let maximum = *self.maximum_totals.get(&currency).ok_or(CashRefusal::Currency(currency))?;
        if total > maximum {
            return Err(CashRefusal::Total { total, maximum, currency });
        }
        Ok(())
    }
}
