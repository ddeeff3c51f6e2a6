//! Cash on delivery: an order that takes stock before anybody has paid. So the shop says where, and up to how much.

use std::collections::BTreeSet;

use crate::domain::{
    money::{Amounts, Currency, Minor},
    place::{Destination, Region},
};

/// The shop's rule. The default is the rule of a catalog that has none: no cash on delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CashOnDelivery {
    /// Where it is offered; empty: nowhere.
    pub countries: BTreeSet<Region>,
    /// The largest total in each currency. In a currency without one it isn't offered.
    pub maximum_totals: Amounts,
}

/// Why an order can't be paid at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CashRefusal {
    #[error("this shop doesn't offer cash on delivery; pay by card")]
    NotOffered,
    #[error("cash on delivery isn't offered in {0}; pay by card")]
    Country(String),
    #[error("cash on delivery isn't offered in {0}; pay by card")]
    Currency(Currency),
    #[error("cash on delivery is offered up to {}, and the total is {}; pay by card", .currency.format(*.maximum), .currency.format(*.total))]
    Total { total: Minor, maximum: Minor, currency: Currency },
}

impl CashOnDelivery {
    /// # Errors
    /// [`CashRefusal`] when an order of this total that goes there can't be paid at the door.
    pub fn allow(&self, to: &Destination, total: Minor, currency: Currency) -> Result<(), CashRefusal> {
        if self.countries.is_empty() {
            return Err(CashRefusal::NotOffered);
        }
        if !self.countries.iter().any(|region| region.as_str() == to.country()) {
            return Err(CashRefusal::Country(to.country().to_owned()));
        }
        let maximum = *self.maximum_totals.get(&currency).ok_or(CashRefusal::Currency(currency))?;
        if total > maximum {
            return Err(CashRefusal::Total { total, maximum, currency });
        }
        Ok(())
    }
}
