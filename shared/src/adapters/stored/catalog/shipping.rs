//! Shipping rules in a catalog file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601, serde::rfc3339};

use crate::{
    adapters::stored::catalog::parts::{StoredAmounts, StoredPlace, StoredScope, amounts, is_false, period, places},
    domain::{
        invalid::{Faults, Invalid},
        money::{Amounts, Currency, Minor},
        shipping::{Cost, DeliveryDays, Limits, Method, ShippingRules, Surcharge, ValueStep, WeightStep, Zone},
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<StoredPlace>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_weight_grams: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum_weight_grams: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    minimum_value: StoredAmounts,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    maximum_value: StoredAmounts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    surcharges: Vec<StoredSurcharge>,
    #[serde(default, skip_serializing_if = "StoredScope::is_empty")]
    only_for: StoredScope,
    #[serde(default, skip_serializing_if = "StoredScope::is_empty")]
    only_with: StoredScope,
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
    ByWeightSteps { steps: BTreeMap<String, Vec<StoredWeightStep>> },
    ByItems { base: StoredAmounts, per_item: StoredAmounts },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredSurcharge {
    name: String,
    amounts: StoredAmounts,
    with: StoredScope,
    #[serde(default, skip_serializing_if = "is_false")]
    per_item: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredWeightStep {
    from_grams: u64,
    amount: i64,
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
            let prefix = format_args!("/zones/{index}");
            if zones.iter().any(|z| z.id == stored.zone_id) {
                faults.add(format!("{prefix}/zoneId"), format!("{} is there twice", stored.zone_id));
            }
            if stored.places.is_empty() {
                faults.add(format!("{prefix}/places"), "must name at least one place");
            }
            let mut methods: Vec<Method> = Vec::new();
            for (i, stored) in stored.methods.iter().enumerate() {
                let at = format_args!("{prefix}/methods/{i}");
                let Some(method) = faults.nest(at, stored.method()) else { continue };
                if methods.iter().any(|m| m.id == method.id) {
                    faults.add(format!("{at}/shippingMethodId"), format!("{} is there twice", method.id));
                }
                methods.push(method);
            }
            let places = places(&mut faults, &format_args!("{prefix}/places"), &stored.places);
            let except = self::places(&mut faults, &format_args!("{prefix}/except"), &stored.except);
            zones.push(Zone { id: stored.zone_id.clone(), places, except, methods });
        }
        let days = self.holidays.iter().enumerate();
        let holidays: BTreeSet<Date> = days
            .filter_map(|(i, day)| {
                let date = Date::parse(day, &Iso8601::DATE).map_err(|_| "must be a date such as \"2026-12-25\"");
                faults.take(format_args!("/holidays/{i}"), date)
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
        let handling = amounts(&mut faults, &"/handling", &self.handling);
        let free_from = amounts(&mut faults, &"/freeFrom", &self.free_from);
        let amounts_if_any = |faults: &mut Faults, pointer: &dyn Display, stored: &StoredAmounts| {
            (!stored.is_empty()).then(|| amounts(faults, pointer, stored))
        };
        let value = Limits {
            least: amounts_if_any(&mut faults, &"/minimumValue", &self.minimum_value),
            most: amounts_if_any(&mut faults, &"/maximumValue", &self.maximum_value),
        };
        let above = |(least, most): (&Amounts, &Amounts)| {
            least.iter().any(|(currency, least)| most.get(currency).is_some_and(|most| most < least))
        };
        if value.least.as_ref().zip(value.most.as_ref()).is_some_and(above) {
            faults.add("/maximumValue", "must not be below minimumValue");
        }
        let weight = Limits { least: self.minimum_weight_grams, most: self.maximum_weight_grams };
        if weight.least.zip(weight.most).is_some_and(|(least, most)| most < least) {
            faults.add("/maximumWeightGrams", "must not be below minimumWeightGrams");
        }
        let surcharges = self.surcharges.iter().enumerate();
        let surcharges: Vec<_> =
            surcharges.map(|(i, stored)| stored.surcharge(&mut faults, &format_args!("/surcharges/{i}"))).collect();
        let only_with = self.only_with.scope(&mut faults, &"/onlyWith");
        let only_for = self.only_for.scope(&mut faults, &"/onlyFor");
        let not_for = self.not_for.scope(&mut faults, &"/notFor");
        let period = period(&mut faults, "", self.starts_at, self.ends_at);
        faults.finish(id.map(|id| Method {
            id,
            name: self.name.clone(),
            cost,
            handling,
            free_from,
            weight,
            value,
            surcharges,
            only_for,
            only_with,
            not_for,
            period,
            delivery_days: self.delivery_days,
        }))
    }
}

impl StoredSurcharge {
    fn surcharge(&self, faults: &mut Faults, at: &dyn Display) -> Surcharge {
        if self.with.is_empty() {
            faults.add(format!("{at}/with"), "must name products or categories");
        }
        if self.amounts.is_empty() {
            faults.add(format!("{at}/amounts"), "must have at least one amount");
        }
        Surcharge {
            name: self.name.clone(),
            amounts: amounts(faults, &format_args!("{at}/amounts"), &self.amounts),
            with: self.with.scope(faults, &format_args!("{at}/with")),
            per_item: self.per_item,
        }
    }
}

impl StoredCost {
    fn cost(&self, faults: &mut Faults) -> Cost {
        match self {
            Self::Flat { amounts: flat } => Cost::Flat(amounts(faults, &"/cost/amounts", flat)),
            Self::ByWeight { base, step_grams, per_step } => {
                if *step_grams == 0 {
                    faults.add("/cost/stepGrams", "must be at least 1");
                }
                Cost::ByWeight {
                    base: amounts(faults, &"/cost/base", base),
                    step_grams: *step_grams,
                    per_step: amounts(faults, &"/cost/perStep", per_step),
                }
            }
            Self::ByValue { steps } => {
                let from = |step: &StoredStep| (minor(step.from), step.amount);
                let step = |from, amount| ValueStep { from, amount };
                Cost::ByValue(ascending(faults, steps, "from", from, step))
            }
            Self::ByWeightSteps { steps } => {
                let from = |step: &StoredWeightStep| (Ok(step.from_grams), step.amount);
                let step = |from_grams, amount| WeightStep { from_grams, amount };
                Cost::ByWeightSteps(ascending(faults, steps, "fromGrams", from, step))
            }
            Self::ByItems { base, per_item } => Cost::ByItems {
                base: amounts(faults, &"/cost/base", base),
                per_item: amounts(faults, &"/cost/perItem", per_item),
            },
        }
    }
}

const AMOUNT: &str = "must be a whole number of minor units, 0 or more";

fn minor(amount: i64) -> Result<Minor, &'static str> {
    Minor::new(amount).map_err(|_| AMOUNT)
}

/// Steps by currency. Those of each begin at zero and ascend.
fn ascending<Stored, From: Copy + Default + Ord, Step>(
    faults: &mut Faults,
    stored: &BTreeMap<String, Vec<Stored>>,
    member: &str,
    parts: impl Fn(&Stored) -> (Result<From, &'static str>, i64),
    step: impl Fn(From, Minor) -> Step,
) -> BTreeMap<Currency, Vec<Step>> {
    let mut steps = BTreeMap::new();
    for (code, stored) in stored {
        let at = format!("/cost/steps/{code}");
        let mut of_currency = Vec::new();
        for (index, stored) in stored.iter().enumerate() {
            let (from, amount) = parts(stored);
            let from = faults.take(format_args!("{at}/{index}/{member}"), from);
            let amount = faults.take(format_args!("{at}/{index}/amount"), minor(amount));
            of_currency.extend(from.zip(amount));
        }
        let ascends = of_currency.is_sorted_by(|(a, _), (b, _)| a < b);
        if !ascends || of_currency.first().is_none_or(|(from, _)| *from != From::default()) {
            faults.add(&at, "must begin with the step from 0, and ascend");
        }
        let of_currency = of_currency.into_iter().map(|(from, amount)| step(from, amount)).collect();
        steps.extend(faults.take(&at, code.parse()).map(|currency| (currency, of_currency)));
    }
    steps
}
