//! Shipping rules in a catalog file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601, serde::rfc3339};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, StoredPlace, StoredScope, amounts, period, places},
    domain::{
        invalid::{Faults, Invalid},
        money::{Currency, Minor},
        shipping::{Cost, DeliveryDays, Method, ShippingRules, ValueStep, Zone},
    },
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredShipping {
    zones: Vec<StoredZone>,
    /// Dates such as `2026-12-25`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holidays: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredZone {
    zone_id: String,
    #[serde(alias = "regions")]
    places: Vec<StoredPlace>,
    methods: Vec<StoredMethod>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredMethod {
    shipping_method_id: String,
    name: String,
    cost: StoredCost,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    handling: StoredAmounts,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    free_from: StoredAmounts,
    #[serde(default, skip_serializing_if = "StoredScope::is_empty")]
    only_for: StoredScope,
    #[serde(default, skip_serializing_if = "StoredScope::is_empty")]
    not_for: StoredScope,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    starts_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
    delivery_days: DeliveryDays,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum StoredCost {
    Flat { amounts: StoredAmounts },
    ByWeight { base: StoredAmounts, step_grams: u32, per_step: StoredAmounts },
    ByValue { steps: BTreeMap<String, Vec<StoredStep>> },
    ByItems { base: StoredAmounts, per_item: StoredAmounts },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStep {
    from: i64,
    amount: i64,
}

/// The longest delivery in days: a larger number is a mistake.
const LONGEST_DELIVERY: u16 = 365;

impl StoredShipping {
    /// # Errors
    /// Every fault, with its JSON pointer in the rules.
    pub fn rules(&self) -> Result<ShippingRules, Vec<Invalid>> {
        let mut faults = Faults::default();
        let mut zones: Vec<Zone> = Vec::new();
        for (index, stored) in self.zones.iter().enumerate() {
            let prefix = format!("/zones/{index}");
            if zones.iter().any(|z| z.id == stored.zone_id) {
                faults.add(format!("{prefix}/zoneId"), format!("{} is there twice", stored.zone_id));
            }
            if stored.places.is_empty() {
                faults.add(format!("{prefix}/places"), "must name at least one place");
            }
            let mut methods: Vec<Method> = Vec::new();
            for (i, stored) in stored.methods.iter().enumerate() {
                let at = format!("{prefix}/methods/{i}");
                let Some(method) = faults.nest(&at, stored.method()) else { continue };
                if methods.iter().any(|m| m.id == method.id) {
                    faults.add(format!("{at}/shippingMethodId"), format!("{} is there twice", method.id));
                }
                methods.push(method);
            }
            let places = places(&mut faults, &format!("{prefix}/places"), &stored.places);
            zones.push(Zone { id: stored.zone_id.clone(), places, methods });
        }
        let days = self.holidays.iter().enumerate();
        let holidays: BTreeSet<Date> = days
            .filter_map(|(i, day)| {
                let date = Date::parse(day, &Iso8601::DATE).map_err(|_| "must be a date such as \"2026-12-25\"");
                faults.take(&format!("/holidays/{i}"), date)
            })
            .collect();
        faults.finish(Some(ShippingRules { zones, holidays }))
    }
}

impl StoredMethod {
    fn method(&self) -> Result<Method, Vec<Invalid>> {
        let mut faults = Faults::default();
        let id = faults.take("/shippingMethodId", self.shipping_method_id.parse());
        let cost = self.cost.cost(&mut faults);
        let DeliveryDays { min, max } = self.delivery_days;
        if min > max || max > LONGEST_DELIVERY {
            faults.add(
                "/deliveryDays",
                format!("must be min and max, min not above max, max at most {LONGEST_DELIVERY}"),
            );
        }
        let handling = amounts(&mut faults, "/handling", &self.handling);
        let free_from = amounts(&mut faults, "/freeFrom", &self.free_from);
        let only_for = self.only_for.scope(&mut faults, "/onlyFor");
        let not_for = self.not_for.scope(&mut faults, "/notFor");
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        faults.finish(id.map(|id| Method {
            id,
            name: self.name.clone(),
            cost,
            handling,
            free_from,
            only_for,
            not_for,
            period,
            delivery_days: self.delivery_days,
        }))
    }
}

impl StoredCost {
    fn cost(&self, faults: &mut Faults) -> Cost {
        match self {
            Self::Flat { amounts: flat } => Cost::Flat(amounts(faults, "/cost/amounts", flat)),
            Self::ByWeight { base, step_grams, per_step } => {
                if *step_grams == 0 {
                    faults.add("/cost/stepGrams", "must be at least 1");
                }
                Cost::ByWeight {
                    base: amounts(faults, "/cost/base", base),
                    step_grams: *step_grams,
                    per_step: amounts(faults, "/cost/perStep", per_step),
                }
            }
            Self::ByValue { steps } => Cost::ByValue(value_steps(faults, steps)),
            Self::ByItems { base, per_item } => Cost::ByItems {
                base: amounts(faults, "/cost/base", base),
                per_item: amounts(faults, "/cost/perItem", per_item),
            },
        }
    }
}

fn value_steps(faults: &mut Faults, stored: &BTreeMap<String, Vec<StoredStep>>) -> BTreeMap<Currency, Vec<ValueStep>> {
    let mut steps = BTreeMap::new();
    for (code, stored) in stored {
        let at = format!("/cost/steps/{code}");
        let amount = |amount| Minor::new(amount).map_err(|_| "must be a whole number of minor units, 0 or more");
        let mut of_currency = Vec::new();
        for (index, step) in stored.iter().enumerate() {
            let from = faults.take(&format!("{at}/{index}/from"), amount(step.from));
            let amount = faults.take(&format!("{at}/{index}/amount"), amount(step.amount));
            of_currency.extend(from.zip(amount).map(|(from, amount)| ValueStep { from, amount }));
        }
        let ascends = of_currency.is_sorted_by(|a, b| a.from < b.from);
        if !ascends || of_currency.first().is_none_or(|step| !step.from.is_zero()) {
            faults.add(&at, "must begin with the step from 0, and ascend");
        }
        steps.extend(faults.take(&at, code.parse()).map(|currency| (currency, of_currency)));
    }
    steps
}
