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
    /// Parts of the places that aren't in the zone.
    pub except: Vec<Place>,
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
    /// The cart's weight in grams must be within these, inclusive.
    pub weight: Limits<u64>,
    /// The value of the goods must be within these, inclusive. A method whose limits have no amount in the currency
    /// isn't offered in it.
    pub value: Limits<Amounts>,
    /// Added to the price if a line is in its scope. Free shipping leaves it.
    pub surcharges: Vec<Surcharge>,
    /// Every line must be in this. Empty means any.
    pub only_for: Scope,
    /// Some line must be in this. Empty means any.
    pub only_with: Scope,
    /// No line may be in this. Empty excludes nothing.
    pub not_for: Scope,
    pub period: Period,
    pub delivery_days: DeliveryDays,
}

/// The least and the most of something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits<T> {
    pub least: Option<T>,
    pub most: Option<T>,
}

/// What a method costs more for some goods: bulky ones, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surcharge {
    pub name: String,
    pub amounts: Amounts,
    /// The lines that it is for.
    pub with: Scope,
    /// Whether it is charged for each unit of them, or once.
    pub per_item: bool,
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
    /// By currency: the amount from each weight in grams upward, ascending from 0.
    ByWeightSteps(BTreeMap<Currency, Vec<WeightStep>>),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightStep {
    pub from_grams: u64,
    pub amount: Minor,
}

/// Business days until delivery, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeliveryDays {
    pub min: u16,
    pub max: u16,
}

/// The days of a delivery, the first and the last, such as `2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Delivery {
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Day"))]
    #[serde(with = "date")]
    pub earliest: Date,
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Day"))]
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

/// An address that may be in several zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooVague {
    /// What would tell, such as "a state or region".
    pub missing: &'static str,
}

/// What the price of a shipment depends on.
#[derive(Clone, Copy, Debug)]
pub struct Shipment<'a> {
    pub currency: Currency,
    /// The value of the goods after discounts.
    pub goods: Minor,
    pub weight_grams: u64,
    pub lines: &'a [ShippedLine<'a>],
    pub now: OffsetDateTime,
}

/// A line of what is shipped.
#[derive(Clone, Copy, Debug)]
pub struct ShippedLine<'a> {
    pub sku: &'a Sku,
    /// None if it left the catalog.
    pub product: Option<&'a Product>,
    pub units: u32,
}

/// An offer before coupons.
#[derive(Clone, Debug)]
pub struct Quote {
    pub offer: Offer,
    /// The part of the amount that free shipping leaves.
    pub surcharges: Minor,
}

impl ShippingRules {
    /// The zone of an address: the one whose place fits most closely.
    ///
    /// # Errors
    /// What the address doesn't say, if it may be in a zone that fits more closely.
    pub fn zone(&self, to: &Destination) -> Result<Option<&Zone>, TooVague> {
        let zones = self.zones.iter().filter_map(|zone| Some((zone.closeness(to)?, zone)));
        // Among equals the first in the file wins. `max_by_key` returns the last, so the order is reversed.
        let found = zones.rev().max_by_key(|(closeness, _)| *closeness);
        let closer = |place: &Place| found.is_none_or(|(closeness, _)| place.closest() > closeness);
        let others = self.zones.iter().filter(|zone| found.is_none_or(|(_, found)| found.id != zone.id));
        let perhaps = others.flat_map(|zone| &zone.places).filter(|place| closer(place));
        let perhaps = perhaps.chain(found.iter().flat_map(|(_, zone)| &zone.except));
        let missing = perhaps.map(|place| place.fit(to)).find_map(|fit| match fit {
            Fit::Unsure { missing } => Some(TooVague { missing }),
            _ => None,
        });
        missing.map_or(Ok(found.map(|(_, zone)| zone)), Err)
    }
}

/// Cheapest first, then by id.
pub fn sort(offers: &mut [Offer]) {
    offers.sort_by(|a, b| a.amount.cmp(&b.amount).then_with(|| a.method.cmp(&b.method)));
}

impl Zone {
    /// The currencies in which some method has its cost.
    pub fn currencies(&self) -> BTreeSet<Currency> {
        self.methods.iter().flat_map(|method| method.cost.currencies()).collect()
    }

    fn closeness(&self, to: &Destination) -> Option<Closeness> {
        let fits = |places: &[Place]| {
            let fits = places.iter().map(|place| place.fit(to));
            fits.filter_map(|fit| if let Fit::Yes(closeness) = fit { Some(closeness) } else { None }).max()
        };
        if fits(&self.except).is_some() { None } else { fits(&self.places) }
    }

    /// What each method that takes the shipment costs, in the order of the catalog.
    ///
    /// # Errors
    /// [`OutOfRange`] when an amount leaves the range of [`Minor`].
    pub fn quotes(&self, shipment: Shipment<'_>, holidays: &BTreeSet<Date>) -> Result<Vec<Quote>, OutOfRange> {
        let mut quotes = Vec::new();
        for method in &self.methods {
            // A method without a price in the session's currency is not offered.
            if method.takes(shipment)
                && let Some((amount, surcharges, rule)) = method.amount(shipment)?
            {
                let on = |days| business_days_after(shipment.now.date(), days, holidays);
                let DeliveryDays { min, max } = method.delivery_days;
                let offer = Offer {
                    method: method.id.clone(),
                    name: method.name.clone(),
                    amount,
                    rule,
                    reduced_by: Vec::new(),
                    delivery_days: method.delivery_days,
                    delivery: Some(Delivery { earliest: on(min), latest: on(max) }),
                };
                quotes.push(Quote { offer, surcharges });
            }
        }
        Ok(quotes)
    }
}

impl Shipment<'_> {
    /// The units of the lines that are in a scope.
    fn units(&self, scope: &Scope) -> u64 {
        let within = self.lines.iter().filter(|line| scope.is_empty() || scope.holds(line.sku, line.product));
        within.map(|line| u64::from(line.units)).sum()
    }
}

impl Method {
    fn takes(&self, shipment: Shipment<'_>) -> bool {
        let Shipment { currency, goods, weight_grams, now, lines, .. } = shipment;
        let in_currency = |amounts: &Option<Amounts>, fits: fn(&Minor, &Minor) -> bool| {
            amounts.as_ref().is_none_or(|amounts| amounts.get(&currency).is_some_and(|limit| fits(&goods, limit)))
        };
        self.period.contains(now)
            && self.weight.least.is_none_or(|least| weight_grams >= least)
            && self.weight.most.is_none_or(|most| weight_grams <= most)
            && in_currency(&self.value.least, Minor::ge)
            && in_currency(&self.value.most, Minor::le)
            && shipment.units(&self.only_with) > 0
            && lines.iter().all(|line| {
                let is_in = |scope: &Scope| scope.holds(line.sku, line.product);
                (self.only_for.is_empty() || is_in(&self.only_for)) && !is_in(&self.not_for)
            })
    }

    /// The cost, the part of it that is surcharges, and how it was calculated; none without a price in the currency.
    fn amount(&self, shipment: Shipment<'_>) -> Result<Option<(Minor, Minor, String)>, OutOfRange> {
        let Shipment { currency, goods, .. } = shipment;
        let written = |amount| currency.format(amount);
        let due = self.surcharges.iter().map(|surcharge| (surcharge, shipment.units(&surcharge.with)));
        let due = due.filter(|(_, units)| *units > 0);
        let due = due.map(|(surcharge, units)| Some((surcharge, units, *surcharge.amounts.get(&currency)?)));
        let Some(due) = due.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let Some((mut amount, mut rule)) = self.cost.amount(shipment)? else { return Ok(None) };
        if let Some(handling) = self.handling.get(&currency) {
            amount = amount.plus(*handling)?;
            rule = format!("{rule} + {} handling", written(*handling));
        }
        if let Some(threshold) = self.free_from.get(&currency).filter(|threshold| goods >= **threshold) {
            (amount, rule) = (Minor::ZERO, format!("free from {}", written(*threshold)));
        }
        let mut extra = Minor::ZERO;
        for (surcharge, units, each) in due {
            let (times, many) = if surcharge.per_item { (units, format!("{units} × ")) } else { (1, String::new()) };
            extra = extra.plus(each.times(times)?)?;
            rule = format!("{rule} + {many}{} for {}", written(each), surcharge.name);
        }
        Ok(Some((amount.plus(extra)?, extra, rule)))
    }
}

impl Cost {
    /// The currencies in which it has all its amounts.
    pub fn currencies(&self) -> Vec<Currency> {
        match self {
            Self::Flat(amounts) => amounts.keys().copied().collect(),
            Self::ByWeight { base, per_step: per, .. } | Self::ByItems { base, per_item: per } => {
                base.keys().filter(|currency| per.contains_key(currency)).copied().collect()
            }
            Self::ByValue(steps) => steps.keys().copied().collect(),
            Self::ByWeightSteps(steps) => steps.keys().copied().collect(),
        }
    }

    /// Whether it has all its amounts in a currency.
    pub fn is_in(&self, currency: Currency) -> bool {
        self.currencies().contains(&currency)
    }

    /// The amount for a shipment, and how it was calculated; none without amounts in its currency.
    fn amount(&self, shipment: Shipment<'_>) -> Result<Option<(Minor, String)>, OutOfRange> {
        let Shipment { currency, goods, weight_grams, .. } = shipment;
        let written = |amount| currency.format(amount);
        let stepped = |base: &Amounts, per: &Amounts, steps: u64| -> Result<Option<(Minor, String)>, OutOfRange> {
            let Some((base, per)) = base.get(&currency).copied().zip(per.get(&currency).copied()) else {
                return Ok(None);
            };
            Ok(Some((base.plus(per.times(steps)?)?, format!("{} + {steps} × {}", written(base), written(per)))))
        };
        Ok(match self {
            Self::Flat(amounts) => amounts.get(&currency).map(|amount| (*amount, format!("flat {}", written(*amount)))),
            Self::ByWeight { base, step_grams, per_step } => {
                let steps = weight_grams.div_ceil(u64::from((*step_grams).max(1)));
                stepped(base, per_step, steps)?
                    .map(|(amount, rule)| (amount, format!("{rule} by weight, {weight_grams} g")))
            }
            Self::ByValue(steps) => {
                let steps = steps.get(&currency).map(Vec::as_slice).unwrap_or_default();
                let step = steps.iter().rfind(|step| step.from <= goods);
                step.map(|step| {
                    (step.amount, format!("{} for goods from {}", written(step.amount), written(step.from)))
                })
            }
            Self::ByWeightSteps(steps) => {
                let steps = steps.get(&currency).map(Vec::as_slice).unwrap_or_default();
                let step = steps.iter().rfind(|step| step.from_grams <= weight_grams);
                step.map(|step| {
                    let rule = format!("{} for {weight_grams} g, from {} g", written(step.amount), step.from_grams);
                    (step.amount, rule)
                })
            }
            Self::ByItems { base, per_item } => {
                let units = shipment.units(&Scope::default());
                stepped(base, per_item, units)?.map(|(amount, rule)| (amount, format!("{rule} by item")))
            }
        })
    }
}
