//! Shipping zones, methods and what they cost.

use crate::domain::{
    address::{Address, Region},
    ids::ShippingMethodId,
    money::{Amounts, Currency, Minor, OutOfRange},
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingRules {
    pub zones: Vec<Zone>,
}

/// A group of regions with the same methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub id: String,
    pub regions: Vec<Region>,
    pub methods: Vec<Method>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub id: ShippingMethodId,
    pub name: String,
    pub cost: Cost,
    /// Free from this value of the goods, after discounts.
    pub free_from: Amounts,
    pub delivery_days: DeliveryDays,
}

/// What a method costs before it becomes free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    Flat(Amounts),
    /// `base`, and `per_step` for each begun step of so many grams.
    ByWeight {
        base: Amounts,
        step_grams: u32,
        per_step: Amounts,
    },
}

/// Business days until delivery, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryDays {
    pub min: u16,
    pub max: u16,
}

/// A method at its price for one cart and one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub method: ShippingMethodId,
    pub name: String,
    pub amount: Minor,
    pub delivery_days: DeliveryDays,
}

impl ShippingRules {
    /// The zone of an address: of all that cover it, the one with the most specific region.
    pub fn zone(&self, address: &Address) -> Option<&Zone> {
        self.zones
            .iter()
            .filter_map(|zone| {
                let fit = zone.regions.iter().filter(|r| r.covers(address)).map(Region::specificity).max()?;
                Some((fit, zone))
            })
            // Among equals the first of the file wins: max_by_key takes the last, so look from the end.
            .rev()
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, zone)| zone)
    }

    /// All offers for an address, cheapest first, then by id. Empty where the shop doesn't ship to.
    pub fn offers(
        &self,
        address: &Address,
        currency: Currency,
        goods: Minor,
        weight_grams: u64,
    ) -> Result<Vec<Offer>, OutOfRange> {
        let mut offers = Vec::new();
        for method in self.zone(address).map(|zone| zone.methods.as_slice()).unwrap_or_default() {
            // A method without a price in the session's currency is not on offer in it.
            if let Some(amount) = method.amount(currency, goods, weight_grams)? {
                offers.push(Offer {
                    method: method.id.clone(),
                    name: method.name.clone(),
                    amount,
                    delivery_days: method.delivery_days,
                });
            }
        }
        offers.sort_by(|a, b| a.amount.cmp(&b.amount).then_with(|| a.method.cmp(&b.method)));
        Ok(offers)
    }
}

impl Method {
    fn amount(&self, currency: Currency, goods: Minor, weight_grams: u64) -> Result<Option<Minor>, OutOfRange> {
        let full = match &self.cost {
            Cost::Flat(amounts) => amounts.get(&currency).copied(),
            Cost::ByWeight { base, step_grams, per_step } => match (base.get(&currency), per_step.get(&currency)) {
                (Some(base), Some(per_step)) => {
                    let steps = weight_grams.div_ceil(u64::from((*step_grams).max(1)));
                    let steps = u32::try_from(steps).map_err(|_| OutOfRange)?;
                    Some(base.plus(per_step.times(steps)?)?)
                }
                _ => None,
            },
        };
        let free = self.free_from.get(&currency).is_some_and(|threshold| goods >= *threshold);
        Ok(full.map(|amount| if free { Minor::ZERO } else { amount }))
    }
}
