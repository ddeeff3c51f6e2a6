//! Shipping zones, methods and what they cost.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::domain::{
    calendar::{Period, business_days_after},
    ids::{ShippingMethodId, Sku},
    money::{Amounts, Currency, Minor, OutOfRange},
    place::{Closeness, Destination, Fit, Place},
    product::Product,
    scope::Scope,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingRules {
    pub zones: Vec<Zone>,
    /// Days on which nothing is carried.
    pub holidays: BTreeSet<Date>,
}

/// A group of places with the same methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub id: String,
    pub places: Vec<Place>,
    pub methods: Vec<Method>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub id: ShippingMethodId,
    pub name: String,
    pub cost: Cost,
    /// Added to what the method costs.
    pub handling: Amounts,
    /// Free, handling included, from this value of the goods.
    pub free_from: Amounts,
    /// Every line must be in this; empty: any.
    pub only_for: Scope,
    /// No line may be in this; empty: none is.
    pub not_for: Scope,
    pub period: Period,
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
    /// By currency: the amount from each value of the goods on, ascending from 0.
    ByValue(BTreeMap<Currency, Vec<ValueStep>>),
    /// `base`, and `per_item` for each unit.
    ByItems {
        base: Amounts,
        per_item: Amounts,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueStep {
    pub from: Minor,
    pub amount: Minor,
}

/// Business days until delivery, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryDays {
    pub min: u16,
    pub max: u16,
}

/// The dates that [`DeliveryDays`] come to, written like `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    #[serde(with = "date")]
    pub earliest: Date,
    #[serde(with = "date")]
    pub latest: Date,
}

time::serde::format_description!(date, Date, "[year]-[month]-[day]");

/// A method at its price for one cart and one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub method: ShippingMethodId,
    pub name: String,
    pub amount: Minor,
    /// How the amount came about, for the explanation.
    pub rule: String,
    pub delivery_days: DeliveryDays,
    /// Missing in what was stored before estimates were made.
    pub delivery: Option<Delivery>,
}

/// What the price of a shipment hangs on.
#[derive(Clone, Copy, Debug)]
pub struct Shipment<'a> {
    pub currency: Currency,
    /// The value of the goods after discounts.
    pub goods: Minor,
    pub weight_grams: u64,
    pub units: u32,
    /// The product is `None` where it left the catalog.
    pub lines: &'a [(&'a Sku, Option<&'a Product>)],
    pub now: OffsetDateTime,
}

impl ShippingRules {
    /// The zone of an address: of all that cover it, the one with the place that fits most closely.
    pub fn zone(&self, to: &Destination) -> Option<&Zone> {
        self.zones
            .iter()
            .filter_map(|zone| Some((zone.closeness(to)?, zone)))
            // Among equals the first of the file wins: max_by_key takes the last, so look from the end.
            .rev()
            .max_by_key(|(closeness, _)| *closeness)
            .map(|(_, zone)| zone)
    }

    /// All offers for an address, cheapest first, then by id. Empty where the shop doesn't ship to.
    pub fn offers(&self, to: &Destination, shipment: Shipment<'_>) -> Result<Vec<Offer>, OutOfRange> {
        let mut offers = Vec::new();
        for method in self.zone(to).map(|zone| zone.methods.as_slice()).unwrap_or_default() {
            // A method without a price in the session's currency is not on offer in it.
            if method.takes(shipment)
                && let Some((amount, rule)) = method.amount(shipment)?
            {
                let on = |days| business_days_after(shipment.now.date(), days, &self.holidays);
                let DeliveryDays { min, max } = method.delivery_days;
                offers.push(Offer {
                    method: method.id.clone(),
                    name: method.name.clone(),
                    amount,
                    rule,
                    delivery_days: method.delivery_days,
                    delivery: Some(Delivery { earliest: on(min), latest: on(max) }),
                });
            }
        }
        sort(&mut offers);
        Ok(offers)
    }
}

/// Cheapest first, then by id.
pub fn sort(offers: &mut [Offer]) {
    offers.sort_by(|a, b| a.amount.cmp(&b.amount).then_with(|| a.method.cmp(&b.method)));
}

impl Zone {
    fn closeness(&self, to: &Destination) -> Option<Closeness> {
        let fits = self.places.iter().map(|place| place.fit(to));
        fits.filter_map(|fit| if let Fit::Yes(closeness) = fit { Some(closeness) } else { None }).max()
    }
}

impl Method {
    fn takes(&self, shipment: Shipment<'_>) -> bool {
        self.period.contains(shipment.now)
            && shipment.lines.iter().all(|(sku, product)| {
                (self.only_for.is_empty() || self.only_for.holds(sku, *product)) && !self.not_for.holds(sku, *product)
            })
    }

    /// What it costs, and why.
    fn amount(&self, shipment: Shipment<'_>) -> Result<Option<(Minor, String)>, OutOfRange> {
        let Shipment { currency, goods, weight_grams, units, .. } = shipment;
        let written = |amount| currency.format(amount);
        let stepped = |base: &Amounts, per: &Amounts, steps: u64| -> Result<Option<(Minor, String)>, OutOfRange> {
            let Some((base, per)) = base.get(&currency).copied().zip(per.get(&currency).copied()) else {
                return Ok(None);
            };
            Ok(Some((base.plus(per.times(steps)?)?, format!("{} + {steps} × {}", written(base), written(per)))))
        };
        let cost = match &self.cost {
            Cost::Flat(amounts) => amounts.get(&currency).map(|amount| (*amount, format!("flat {}", written(*amount)))),
            Cost::ByWeight { base, step_grams, per_step } => {
                let steps = weight_grams.div_ceil(u64::from((*step_grams).max(1)));
                stepped(base, per_step, steps)?
                    .map(|(amount, rule)| (amount, format!("{rule} by weight, {weight_grams} g")))
            }
            Cost::ByValue(steps) => {
                let steps = steps.get(&currency).map(Vec::as_slice).unwrap_or_default();
                let step = steps.iter().rfind(|step| step.from <= goods);
                step.map(|step| {
                    (step.amount, format!("{} for goods from {}", written(step.amount), written(step.from)))
                })
            }
            Cost::ByItems { base, per_item } => {
                stepped(base, per_item, u64::from(units))?.map(|(amount, rule)| (amount, format!("{rule} by item")))
            }
        };
        let Some((mut amount, mut rule)) = cost else { return Ok(None) };
        if let Some(handling) = self.handling.get(&currency) {
            amount = amount.plus(*handling)?;
            rule = format!("{rule} + {} handling", written(*handling));
        }
        if let Some(threshold) = self.free_from.get(&currency).filter(|threshold| goods >= **threshold) {
            return Ok(Some((Minor::ZERO, format!("free from {}", written(*threshold)))));
        }
        Ok(Some((amount, rule)))
    }
}
