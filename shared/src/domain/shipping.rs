//! Shipping zones, methods and costs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::domain::{
    calendar::{Period, business_days_after},
    ids::{CouponCode, ShippingMethodId, Sku},
    money::{Amounts, Currency, Minor, OutOfRange},
    place::{Closeness, Destination, Fit, Place},
    product::Product,
    scope::Scope,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShippingRules {
    pub zones: Vec<Zone>,
    /// Days without deliveries.
    pub holidays: BTreeSet<Date>,
}

/// A group of places with the same shipping methods.
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
    /// Handling, added to the cost.
    pub handling: Amounts,
    /// Free, including handling, from this value of the goods.
    pub free_from: Amounts,
    /// Every line must be in this. Empty means any.
    pub only_for: Scope,
    /// No line may be in this. Empty excludes nothing.
    pub not_for: Scope,
    pub period: Period,
    pub delivery_days: DeliveryDays,
}

/// The cost of a method, before free shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    Flat(Amounts),
    /// `base`, and `per_step` for each started step of this many grams.
    ByWeight {
        base: Amounts,
        step_grams: u32,
        per_step: Amounts,
    },
    /// By currency: the amount from each value of the goods upward, ascending from 0.
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

/// The dates of [`DeliveryDays`], written like `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    #[serde(with = "date")]
    pub earliest: Date,
    #[serde(with = "date")]
    pub latest: Date,
}

time::serde::format_description!(date, Date, "[year]-[month]-[day]");

/// An offer: a method and its price for one cart and one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub method: ShippingMethodId,
    pub name: String,
    pub amount: Minor,
    /// How the amount was calculated, for the explanation.
    pub rule: String,
    /// The coupons for free shipping that took something off the amount.
    pub reduced_by: Vec<CouponCode>,
    pub delivery_days: DeliveryDays,
    /// None in documents that were stored before estimates existed.
    pub delivery: Option<Delivery>,
}

/// What the price of a shipment depends on.
#[derive(Clone, Copy, Debug)]
pub struct Shipment<'a> {
    pub currency: Currency,
    /// The value of the goods after discounts.
    pub goods: Minor,
    pub weight_grams: u64,
    pub units: u32,
    /// The product is `None` if it left the catalog.
    pub lines: &'a [(&'a Sku, Option<&'a Product>)],
    pub now: OffsetDateTime,
}

impl ShippingRules {
    /// The zone of an address: the one whose place fits most closely.
    pub fn zone(&self, to: &Destination) -> Option<&Zone> {
        self.zones
            .iter()
            .filter_map(|zone| Some((zone.closeness(to)?, zone)))
            // Among equals the first in the file wins. `max_by_key` returns the last, so the order is reversed.
            .rev()
            .max_by_key(|(closeness, _)| *closeness)
            .map(|(_, zone)| zone)
    }

    /// All offers for an address, cheapest first, then by id. Empty if the shop doesn't ship there.
    pub fn offers(&self, to: &Destination, shipment: Shipment<'_>) -> Result<Vec<Offer>, OutOfRange> {
        let mut offers = Vec::new();
        for method in self.zone(to).map(|zone| zone.methods.as_slice()).unwrap_or_default() {
            // A method without a price in the session's currency is not offered.
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
                    reduced_by: Vec::new(),
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

    /// The cost, and how it was calculated; none without a price in the currency.
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
